"""The log of admin actions: who changed what, and what became of it."""

from datetime import datetime
from typing import Any

from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.schemas.base import TextIdDocument

ADMIN_LOG_TTL_INDEX = "admin_log_retention"


class AdminAction(TextIdDocument):
    """One action. `_id` begins with the time (UUIDv7), so that it is also the order.

    It is stored before anything is done, with the result STARTED, and gets its end afterwards.
    """

    # The site, or INSTANCE (core/auth.py) for what is of none.
    site: str
    at: datetime
    action: str
    # Who: the public id and the label of a key; absent for the command line.
    key: str | None = None
    label: str | None = None
    by_owner: bool = False
    target: str | None = None
    # Each `name`, and `old` and `new` where they may be shown.
    changes: list[dict[str, Any]] = Field(default_factory=list)
    result: str
    # The error's code, where there was one.
    code: str | None = None

    class Settings:
        name = "admin_actions"
        indexes = (
            IndexModel([("site", ASCENDING), ("at", DESCENDING)], name="newest_first"),
            IndexModel([("at", ASCENDING)], name=ADMIN_LOG_TTL_INDEX, expireAfterSeconds=0),
        )
