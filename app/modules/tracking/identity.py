"""Sessions and visitors for events that name none: told apart for a day, then never again.

The hash is salted with a random value of the day that is destroyed afterwards, so that nothing
stored leads back to an address or a user agent.
"""

import hashlib
import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from app.core.context import RequestInfo
from app.modules.tracking.events import IncomingEvent

# Nobody needs it when its day is over; an hour is for processes whose clocks are behind.
SALT_LIFETIME = timedelta(days=1, hours=1)


class Salts(Protocol):
    """Where salts are until they expire: files (salt_files.py) or the database."""

    async def of_day(self, day: str, proposal: bytes, expires_at: datetime) -> bytes:
        """The salt of a day, `2026-01-31`; the proposal becomes it if there was none."""

    def sweep(self, now: datetime) -> None:
        """Destroy those that have expired, where that does not happen by itself."""


class SaltOfTheDay:
    """The day's salt, the same in every process, read once a day."""

    def __init__(self, salts: Salts) -> None:
        self._salts = salts
        self._day: date | None = None
        self._salt = b""

    async def get(self, now: datetime) -> bytes:
        day = now.date()
        if day != self._day:
            midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
            salt = await self._salts.of_day(
                day.isoformat(), secrets.token_bytes(32), midnight + SALT_LIFETIME
            )
            self._day, self._salt = day, salt
        return self._salt

    def sweep(self, now: datetime) -> None:
        """Forget the salt of a day that is over, also where no event comes that needs another."""
        self._salts.sweep(now)
        if self._day != now.date():
            self._day, self._salt = None, b""


def derive_identity(event: IncomingEvent, site: str, request: RequestInfo, salt: bytes) -> None:
    """Fill in the visitor and the session where the event names none.

    Ids that the caller does give take part, so that a backend service that tracks many visitors
    from its one address does not make one of them.
    """
    if event.visitor_id is None:
        event.visitor_id = _digest(salt, "visitor", site, request, event, event.user_id)
        visitor_was_given = False
    else:
        visitor_was_given = True
    if event.session_id is None:
        known = event.visitor_id if visitor_was_given else event.user_id
        event.session_id = _digest(salt, "session", site, request, event, known)


def _digest(
    salt: bytes,
    what: str,
    site: str,
    request: RequestInfo,
    event: IncomingEvent,
    known: str | None,
) -> str:
    digest = hashlib.blake2b(digest_size=12, key=salt, person=what.encode())
    for part in (site, request.address, event.user_agent, known):
        text = (part or "").encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    return f"{what[0]}_{digest.hexdigest()}"
