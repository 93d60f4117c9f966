"""Secrets of item tokens: made, kept at hand, and used to sign and to check."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cachetools import TTLCache

from app.core.admin_actions import note_change, note_target
from app.core.auth import Principal, Scope
from app.core.clock import Clock
from app.core.errors import BadInputError, ConflictError
from app.core.event_types import EventType
from app.core.ports import SiteRules
from app.core.texts import check_id
from app.modules.tracking.item_tokens.token import TokenCheck, kinds_text, make_token
from app.repositories.item_token_secrets import ItemTokenSecretRepository
from app.schemas import ItemTokenSecret

KNOWN_SECONDS = 5  # a new secret is known in every process after this long
DAY = 86_400
MAX_SECONDS = 30 * DAY
MAX_ITEMS = 1_000


class ItemTokens:
    """Signs tokens for hosts that ask, and says which check a request's events have to pass."""

    def __init__(self, repository: ItemTokenSecretRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._known: TTLCache[str, ItemTokenSecret] = TTLCache(1_000, KNOWN_SECONDS)

    async def check_for(self, principal: Principal, rules: SiteRules) -> TokenCheck | None:
        """The check for what this key sends; None where the site has none, or the key is no public one.

        Admin keys and imports are the host's own servers, and need no signature of themselves.
        """
        if not rules.require_item_token or principal.scope is not Scope.WRITE:
            return None
        now = self._clock.now()
        usable = _usable(await self._secrets(principal.site), now)
        return TokenCheck(principal.site, usable, now.timestamp())

    async def rotate(self, site: str, previous_valid_for: int) -> ItemTokenSecret:
        """Make a new secret; the one before counts for so many seconds more, and older ones no longer."""
        if not 0 <= previous_valid_for <= MAX_SECONDS:
            raise BadInputError(f"must be from 0 to {MAX_SECONDS} seconds", "previousValidFor")
        now = self._clock.now()
        until = now + timedelta(seconds=previous_valid_for)
        rotated = await self._repository.rotate(site, secrets.token_urlsafe(32), now, until)
        self._known[site] = rotated
        note_target(str(rotated.current.number))
        note_change("previousValidFor", None, previous_valid_for)
        return rotated

    async def sign(
        self,
        site: str,
        items: Sequence[str],
        types: Sequence[EventType],
        session: str | None,
        expires_in: int,
    ) -> tuple[list[str], datetime]:
        """A token for each item, in their order, and when they expire.

        Raises BadInputError, or ConflictError where the site has no secret yet.
        """
        if not 1 <= len(items) <= MAX_ITEMS:
            raise BadInputError(f"must have 1 to {MAX_ITEMS} ids", "itemIds")
        for item in items:
            check_id(item, "itemIds")
        if session is not None:
            check_id(session, "sessionId")
        if not 1 <= expires_in <= MAX_SECONDS:
            raise BadInputError(f"must be from 1 to {MAX_SECONDS} seconds", "expiresIn")
        stored = await self._secrets(site)
        if stored is None:
            raise ConflictError(
                "There is no secret to sign with yet; rotateItemTokenSecret makes one."
            )
        current = stored.current
        expires = int(self._clock.now().timestamp()) + expires_in
        tokens = [
            make_token(
                current.secret,
                current.number,
                site=site,
                item=item,
                kinds=kinds_text(types),
                expires=expires,
                session=session,
            )
            for item in items
        ]
        return tokens, datetime.fromtimestamp(expires, UTC)

    async def _secrets(self, site: str) -> ItemTokenSecret | None:
        known = self._known.get(site)
        if known is None:
            known = await self._repository.get(site)
            if known is not None:
                self._known[site] = known
        return known


def _usable(stored: ItemTokenSecret | None, now: datetime) -> Mapping[int, str]:
    """The secrets that count now, by their numbers."""
    if stored is None:
        return {}
    usable = {stored.current.number: stored.current.secret}
    previous = stored.previous
    if previous is not None and previous.valid_until is not None and now < previous.valid_until:
        usable[previous.number] = previous.secret
    return usable
