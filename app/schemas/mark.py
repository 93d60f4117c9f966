"""A mark: something in this quarter of an hour, on this day or in this week has changed since it was rolled up."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from app.schemas.base import TextIdDocument


class Mark(TextIdDocument):
    """`_id` is `site|level|start in milliseconds`. `level` is "quarter", "day" or "week".

    `marked_at` is the database's time of the last change; a rollup clears the mark only where it
    is what it was when the rollup began.
    """

    site: str
    level: str
    start: datetime
    marked_at: datetime

    class Settings:
        name = "marks"
        indexes = (
            IndexModel(
                [("site", ASCENDING), ("level", ASCENDING), ("start", ASCENDING)], name="by_time"
            ),
            IndexModel([("level", ASCENDING), ("marked_at", ASCENDING)], name="by_age"),
        )
