"""The session-item index: who holds the cooldown of an item in a session."""

from datetime import datetime

from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from app.schemas.base import TextIdDocument


class Claim(BaseModel):
    """One accepted event: when it happened, its id, and when the claim was made.

    `missed` is since when others have been waiting for the event to be stored, if they have.
    """

    at: datetime
    event: str
    made: datetime
    missed: datetime | None = None


class SessionItem(TextIdDocument):
    """The recent accepted events of one (site, type, session, item).

    `_id` is `site:digest of (type, session, item)`: of one size, however long the ids are, and it
    names nobody. Claimed by one atomic conditional upsert (repositories/session_items.py).
    """

    claims: list[Claim]
    expires_at: datetime

    class Settings:
        name = "session_items"
        indexes = (IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),)
