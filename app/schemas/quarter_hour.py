"""A quarter of an hour of a site: its counted events in columns, from which reports are computed."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict
from pymongo import ASCENDING, IndexModel

from app.schemas.base import TextIdDocument

ROLLUP_TTL_INDEX = "rollup_retention"


class QuarterHour(TextIdDocument):
    """`_id` is `site|start in milliseconds|part`.

    Parts 0, 1, ... are what the stored events of this time are. They are replaced together, and there is
    one unless it were too large. The others are `kept`: of events that were deleted since, they stay as
    they are. `columns` are the columns of modules/analytics/rollups/columns.py: one entry an event in
    each, ids as hashes of 64 bits.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    site: str
    start: datetime
    events: int
    weighted: bool
    kept: bool = False
    columns: dict[str, Any]

    class Settings:
        name = "quarter_hours"
        indexes = (
            IndexModel([("site", ASCENDING), ("start", ASCENDING)], name="by_time"),
            IndexModel(
                [("site", ASCENDING), ("start", ASCENDING)],
                name="by_kept",
                partialFilterExpression={"kept": True},
            ),
            IndexModel([("start", ASCENDING)], name=ROLLUP_TTL_INDEX, expireAfterSeconds=0),
        )
