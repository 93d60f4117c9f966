"""The keys of sites: who is asking, and making, changing, rotating and revoking keys."""

import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cachetools import TTLCache

from app.core.admin_actions import note_change, note_target
from app.core.auth import INSTANCE, SITE_SCOPES, Principal, Scope, hash_key, make_key
from app.core.clock import Clock
from app.core.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    LimitExceededError,
    NotFoundError,
)
from app.core.lookups import Lookups
from app.core.origins import allows_origin
from app.core.ports import AdminLog, SiteSettings, check_in_use
from app.modules.keys.attributes import check_attributes
from app.modules.keys.uses import KeyUses
from app.repositories.api_keys import ApiKeyRepository
from app.schemas import ApiKey
from app.schemas.api_key import PUBLIC_ID_LENGTH

logger = logging.getLogger("footfall.keys")

KEY_CACHE_SECONDS = 5  # a revoked key is refused everywhere after this long
KEY_CACHE_SIZE = 10_000
LONGEST_KEY = 256
SHORT_KEY_LENGTH = 16
HINT_LENGTH = 14
MAX_USABLE = 200
MAX_GRACE = timedelta(days=7)
DEMO_LABEL = "demo"
OWNER_SETTING_LABEL = "FOOTFALL_OWNER_KEY"
_KEY_ID = re.compile(f"[0-9a-f]{{{PUBLIC_ID_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown, once, and what is stored of it."""

    key: str
    stored: ApiKey

    @property
    def scope(self) -> Scope:
        return self.stored.scope


class KeyService:
    """Makes keys, and tells whose a key is."""

    def __init__(
        self,
        keys: ApiKeyRepository,
        sites: SiteSettings,
        uses: KeyUses,
        log: AdminLog,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._sites = sites
        self._uses = uses
        self._log = log
        self._clock = clock
        self._known: TTLCache[str, ApiKey | None] = TTLCache(KEY_CACHE_SIZE, KEY_CACHE_SECONDS)
        self._lookups = Lookups(self._known, keys.find_by_hash)

    async def authenticate(self, key: str | None, origin: str | None = None) -> Principal | None:
        """Whose key this is; None for none, an unknown, expired or revoked one.

        `origin` is the page that sends it, as its browser says. Where the key may not be used from
        there the principal has the reason, and can do nothing.
        """
        if not key or len(key) > LONGEST_KEY:
            return None
        key_hash = hash_key(key)
        stored = await self._lookups.get(key_hash)
        # Looking the hash up in an index may take longer the more of it is right, but nobody can send
        # a key whose hash begins as they like, so that this tells them nothing of a key. What decides
        # is compared in constant time.
        if stored is None or not hmac.compare_digest(stored.id, key_hash):
            return None
        now = self._clock.now()
        if not stored.is_usable(now):
            return None
        refusal = _refusal(stored, origin)
        if refusal is None:
            self._uses.remember(stored, now)
        return Principal(
            stored.site,
            stored.scope,
            stored.public_id,
            is_owner=stored.site == INSTANCE,
            refusal=refusal,
            label=stored.label,
            rate_limit=stored.rate_limit,
        )

    async def is_valid(self, principal: Principal) -> bool:
        """Whether the principal's key may still be used, as the database has it now."""
        site, scope = principal.key_is_of
        stored = await self._keys.find_by_id(site, principal.key_id)
        now = self._clock.now()
        valid = stored is not None and stored.is_usable(now) and stored.scope == scope
        if valid and stored is not None:
            self._uses.remember(stored, now)
        return valid

    async def list_keys(self, site: str) -> list[ApiKey]:
        """All that open something now and the newest of the others."""
        return await self._keys.list(site, self._clock.now())

    async def create_key(
        self, site: str, scope: Scope, label: str, attributes: Mapping[str, Any] | None = None
    ) -> NewKey:
        """Make a key of an existing site, or of INSTANCE. It is stored hashed and can be shown only now.

        `attributes` are fields of ApiKey. Raises BadInputError naming `input.FIELD`, LimitExceededError,
        and ForbiddenError where the site is archived.
        """
        await self._check_in_use(site)
        now = self._clock.now()
        checked = check_attributes({"label": label} | dict(attributes or {}), now)
        if await self._keys.count_usable(site, now) >= MAX_USABLE:
            raise LimitExceededError(f"A site may have {MAX_USABLE} keys that can be used.")
        key = make_key(scope)
        new = NewKey(key, self._document(site, scope, key, **checked))
        await self._keys.ensure(site, new.stored)
        note_target(new.stored.public_id)
        note_change("scope", None, scope.value)
        for name, value in checked.items():
            note_change(name, None, value)
        return new

    async def update_key(self, site: str, key_id: str, changes: Mapping[str, Any]) -> ApiKey:
        """Change what a key has been given.

        Raises NotFoundError, ConflictError, BadInputError, and ForbiddenError where the site is archived.
        """
        await self._check_in_use(site)
        stored = await self._usable_key(site, key_id)
        checked = check_attributes(changes, self._clock.now())
        for name, value in checked.items():
            note_change(name, getattr(stored, name), value)
        updated = await self._keys.update(site, stored.id, checked)
        self.forget()
        return updated or stored

    async def rotate_key(self, site: str, key_id: str, grace: timedelta) -> NewKey:
        """A new key that may do what the old one may, which ends after the grace.

        Raises NotFoundError, ConflictError, BadInputError, and ForbiddenError where the site is archived.
        """
        await self._check_in_use(site)
        if not timedelta() <= grace <= MAX_GRACE:
            most = int(MAX_GRACE.total_seconds())
            raise BadInputError(f"must be from 0 to {most}", "graceSeconds")
        old = await self._usable_key(site, key_id)
        key = make_key(old.scope)
        attributes = old.model_dump(
            include={"label", "allowed_origins", "rate_limit", "expires_at"}
        )
        new = NewKey(key, self._document(site, old.scope, key, **attributes))
        if not await self._keys.replace(site, old.id, new.stored, self._clock.now() + grace):
            raise _ended()
        self.forget()
        note_change("newKey", None, new.stored.public_id)
        note_change("graceSeconds", None, int(grace.total_seconds()))
        return new

    async def revoke_key(self, site: str, key_id: str, *, even_the_last: bool = True) -> ApiKey:
        """End a key now; one that has ended stays as it is.

        Raises NotFoundError, and ConflictError for the site's last admin key unless `even_the_last`.
        """
        stored = await self._key(site, key_id)
        now = self._clock.now()
        if stored.is_usable(now):
            if even_the_last or stored.scope is not Scope.ADMIN:
                await self._keys.revoke(site, stored.id, now)
            elif not await self._keys.revoke_if_another_stays(site, stored.id, now):
                raise ConflictError(
                    "This is the last admin key of the site that can be used. Make another one first.",
                    "id",
                )
        self.forget()
        return await self._key(site, key_id)

    async def ensure_key(self, site: str, scope: Scope, key: str, label: str = DEMO_LABEL) -> bool:
        """Make this very key known; whether it is new."""
        if len(key) < SHORT_KEY_LENGTH:
            logger.warning("the %s key of the site %s is short enough to be guessed", scope, site)
        return await self._keys.ensure(site, self._document(site, scope, key, label=label))

    async def ensure_owner_key(self, key: str, label: str) -> bool:
        """Make this very key an owner's, the only one under the label; whether it works.

        One that was revoked stays so. Where it is new the log of admin actions has it.
        """
        if await self._keys.find_by_hash(hash_key(key)) is None:
            async with self._log.recorded(INSTANCE, "createOwnerKey"):
                await self._replace_owner_key(key, label)
        works = await self.authenticate(key) is not None
        if not works:
            logger.error("the owner's key under the label %s was revoked; choose another", label)
        return works

    async def _replace_owner_key(self, key: str, label: str) -> None:
        if not await self.ensure_key(INSTANCE, Scope.OWNER, key, label):
            return  # another process was first
        revoked = await self._keys.revoke_others(INSTANCE, label, hash_key(key), self._clock.now())
        self.forget()
        note_target(hash_key(key)[:PUBLIC_ID_LENGTH])
        note_change("label", None, label)
        note_change("revokedKeys", 0, revoked)

    async def replace_keys(self, site: str, label: str) -> list[NewKey]:
        """New keys of every scope under this label; the ones made under it before are revoked."""
        for scope in SITE_SCOPES:
            await self._keys.revoke_labelled(site, label, scope, self._clock.now())
        self.forget()
        return [await self.create_key(site, scope, label) for scope in SITE_SCOPES]

    def forget(self) -> None:
        """Ask the database again for every key."""
        self._lookups.clear()

    def sweep(self) -> None:
        """Drop what has expired from the cache."""
        self._known.expire()

    async def _check_in_use(self, site: str) -> None:
        if site != INSTANCE:
            check_in_use(await self._sites.get(site))

    async def _key(self, site: str, key_id: str) -> ApiKey:
        stored = None
        if _KEY_ID.fullmatch(key_id):
            stored = await self._keys.find_by_id(site, key_id)
        if stored is None:
            raise NotFoundError("There is no key of this id on the site.", "id")
        note_target(stored.public_id)
        return stored

    async def _usable_key(self, site: str, key_id: str) -> ApiKey:
        stored = await self._key(site, key_id)
        if not stored.is_usable(self._clock.now()):
            raise _ended()
        return stored

    def _document(self, site: str, scope: Scope, key: str, **attributes: Any) -> ApiKey:
        if (scope is Scope.OWNER) is not (site == INSTANCE):
            raise BadInputError("must be write, read or admin for a key of a site", "scope")
        key_hash = hash_key(key)
        return ApiKey(
            id=key_hash,
            site=site,
            scope=scope,
            hint=(key if len(key) > 2 * HINT_LENGTH else key_hash)[:HINT_LENGTH],
            created_at=self._clock.now(),
            **attributes,
        )


def _refusal(key: ApiKey, origin: str | None) -> ForbiddenError | None:
    """Why a key may not be used from this origin; None where it may."""
    if not key.allowed_origins or allows_origin(key.allowed_origins, origin):
        return None
    return ForbiddenError("This key may be used only by pages of the origins that it is bound to.")


def _ended() -> ConflictError:
    return ConflictError("This key is revoked or has expired.", "id")
