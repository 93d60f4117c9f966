"""A change: when a quarter of an hour was last rolled up."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict
from pymongo import ASCENDING, IndexModel

from app.schemas.base import TextIdDocument


class Change(TextIdDocument):
    """`_id` is `site|start in milliseconds`. One for each quarter that was ever rolled up, and no more.

    `at` is a timestamp of the database (BSON Timestamp, its logical clock): later than all that was
    written before, whatever the clocks of the machines say.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    site: str
    start: datetime
    at: Any

    class Settings:
        name = "changes"
        indexes = (
            IndexModel(
                [("site", ASCENDING), ("at", ASCENDING), ("start", ASCENDING)], name="by_change"
            ),
        )
