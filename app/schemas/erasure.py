"""An erasure: that a visitor or user was erased, on whose request it was begun and what it removed."""

from datetime import datetime

from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.schemas.base import TextIdDocument


class Erasure(TextIdDocument):
    """`_id` is the receipt's id (UUIDv7): later ones sort later.

    When it has ended it names nobody: `digest` is keyed with a random value that only the receipt has,
    and what was needed to go on after a crash (`subject`, `quarters`, `sessions`) is gone.
    """

    site: str
    kind: str
    digest: str
    requested_at: datetime
    finished_at: datetime | None = None
    # How many of what were removed.
    removed: dict[str, int] = Field(default_factory=dict)

    # The id that is being erased; the quarters of an hour whose events are erased so far; and the
    # session ids of erased events whose sessions are still to be derived anew.
    subject: str | None = None
    quarters: list[datetime] = Field(default_factory=list)
    sessions: list[str] = Field(default_factory=list)

    class Settings:
        name = "erasures"
        indexes = (
            IndexModel([("site", ASCENDING), ("_id", DESCENDING)], name="newest_first"),
            IndexModel(
                [("requested_at", ASCENDING)],
                name="unfinished",
                partialFilterExpression={"subject": {"$exists": True}},
            ),
        )
