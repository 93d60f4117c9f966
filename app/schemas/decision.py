"""The ledger: why an event was not counted."""

from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from app.schemas.base import TextIdDocument

LEDGER_TTL_INDEX = "ledger_retention"


class Decision(TextIdDocument):
    """One event that ended as DUPLICATE or REJECTED, with the reason and the rule that said so.

    `_id` begins with the time (UUIDv7), so that it is also the order and the cursor.
    """

    site: str
    # The event's id; a hash of it where nothing of the event is kept (repositories/decisions.py).
    event: str
    type: str
    item: str | None = None
    session: str | None = None
    # Whose it was, so that it goes when they are erased; absent where nothing of the event is kept.
    visitor: str | None = None
    user: str | None = None
    verdict: str
    reason: str
    message: str | None = None
    # The event that stands for this one, where it is a duplicate.
    stands_for: str | None = None
    rule: str
    rule_version: int
    # When it happened (absent for what is invalid), and when it arrived.
    at: datetime | None = None
    received_at: datetime
    # What is stored of the event if an admin releases it: for valid events that were rejected.
    document: dict[str, Any] | None = None
    released_at: datetime | None = None

    class Settings:
        name = "decisions"
        indexes = (
            IndexModel([("site", ASCENDING), ("_id", DESCENDING)], name="newest_first"),
            IndexModel([("site", ASCENDING), ("received_at", DESCENDING)], name="by_arrival"),
            IndexModel([("site", ASCENDING), ("event", ASCENDING)], name="by_event"),
            IndexModel([("received_at", ASCENDING)], name=LEDGER_TTL_INDEX, expireAfterSeconds=0),
        )
