"""Sites and their keys."""

import logging
import re
from dataclasses import dataclass
from typing import Any

from cachetools import TTLCache

from app.core.auth import Principal, Scope, hash_key, make_key
from app.core.clock import Clock
from app.core.config import Settings
from app.core.errors import BadInputError, NotFoundError
from app.modules.sites.settings import check_setting
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.sites import SiteRepository
from app.schemas import ApiKey, Site

logger = logging.getLogger("footfall.sites")

KEY_CACHE_SECONDS = 5  # a revoked key is refused everywhere after this long
KEY_CACHE_SIZE = 10_000
SHORT_KEY_LENGTH = 16
HINT_LENGTH = 14
KEY_ID_LENGTH = 16
DEMO_LABEL = "demo"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown, once."""

    scope: Scope
    key: str


class SiteService:
    """Makes sites and keys, and tells whose a key is."""

    def __init__(
        self, sites: SiteRepository, keys: ApiKeyRepository, settings: Settings, clock: Clock
    ) -> None:
        self._sites = sites
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._principals: TTLCache[str, Principal | None] = TTLCache(
            KEY_CACHE_SIZE, KEY_CACHE_SECONDS
        )
        self._known_sites: TTLCache[str, Site] = TTLCache(1_000, KEY_CACHE_SECONDS)

    async def authenticate(self, key: str | None) -> Principal | None:
        """Whose key this is; None for none, an unknown or a revoked one."""
        if not key or len(key) > 256:
            return None
        key_hash = hash_key(key)
        if key_hash in self._principals:
            return self._principals[key_hash]
        stored = await self._keys.find_by_hash(key_hash)
        principal = None
        if stored is not None and _is_usable(stored):
            principal = Principal(stored.site, stored.scope, stored.id[:KEY_ID_LENGTH])
        self._principals[key_hash] = principal
        return principal

    async def is_valid(self, principal: Principal) -> bool:
        """Whether the principal's key may still be used, as the database has it now."""
        stored = await self._keys.find_by_id(principal.site, principal.key_id)
        return stored is not None and _is_usable(stored) and stored.scope == principal.scope

    async def get(self, site: str) -> Site:
        """The site of this name. Raises NotFoundError."""
        cached = self._known_sites.get(site)
        if cached is not None:
            return cached
        found = await self._sites.get(site)
        if found is None:
            raise NotFoundError("There is no site of this name.", "site")
        self._known_sites[site] = found
        return found

    async def ensure_site(self, site: str, name: str | None = None) -> bool:
        """Make the site if there is none; whether it is new."""
        if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", site):
            raise BadInputError(
                "must be 1 to 40 lower case letters, digits and hyphens", field="site"
            )
        return await self._sites.ensure(
            Site(
                id=site,
                name=name or site,
                currency=self._settings.currency,
                created_at=self._clock.now(),
            )
        )

    async def update(self, site: str, changes: dict[str, Any]) -> Site:
        """Change settings of a site. Other processes see it within KEY_CACHE_SECONDS.

        Raises BadInputError, naming `input.FIELD`, and then nothing has changed.
        """
        checked = {name: check_setting(name, value) for name, value in changes.items()}
        updated = await self._sites.update(site, checked)
        if updated is None:
            raise NotFoundError("There is no site of this name.", "site")
        self._known_sites[site] = updated
        return updated

    async def create_key(self, site: str, scope: Scope, label: str) -> NewKey:
        """Make a key of an existing site. It is stored hashed and can be shown only now."""
        await self.get(site)
        key = make_key(scope)
        await self._store_key(site, scope, key, label)
        return NewKey(scope, key)

    async def ensure_key(self, site: str, scope: Scope, key: str, label: str = DEMO_LABEL) -> bool:
        """Make this very key known; whether it is new."""
        if len(key) < SHORT_KEY_LENGTH:
            logger.warning("the %s key of the site %s is short enough to be guessed", scope, site)
        return await self._store_key(site, scope, key, label)

    async def replace_keys(self, site: str, label: str) -> list[NewKey]:
        """New keys of every scope under this label; the ones made under it before are revoked."""
        for scope in Scope:
            await self._keys.revoke_labelled(site, label, scope, self._clock.now())
        return [await self.create_key(site, scope, label) for scope in Scope]

    async def list_keys(self, site: str) -> list[ApiKey]:
        return await self._keys.list(site)

    async def revoke_key(self, site: str, hint: str) -> int:
        """Revoke by the first characters, as `list_keys` shows them; how many were revoked."""
        revoked = await self._keys.revoke(site, hint, self._clock.now())
        self._principals.clear()
        return revoked

    async def mark_demo_filled(self, site: str) -> None:
        await self._sites.mark_demo_filled(site, self._clock.now())
        self._known_sites.pop(site, None)

    def sweep(self) -> None:
        """Drop what has expired from the caches."""
        self._principals.expire()
        self._known_sites.expire()

    async def _store_key(self, site: str, scope: Scope, key: str, label: str) -> bool:
        return await self._keys.ensure(
            site,
            ApiKey(
                id=hash_key(key),
                site=site,
                scope=scope,
                label=label,
                hint=key[:HINT_LENGTH]
                if len(key) > 2 * HINT_LENGTH
                else hash_key(key)[:HINT_LENGTH],
                created_at=self._clock.now(),
            ),
        )


def _is_usable(key: ApiKey) -> bool:
    return key.revoked_at is None
