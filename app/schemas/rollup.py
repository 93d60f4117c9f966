"""A rollup: what was counted for one value of a dimension in one period."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict
from pymongo import ASCENDING, IndexModel

from app.schemas.base import TextIdDocument
from app.schemas.quarter_hour import ROLLUP_TTL_INDEX


class Rollup(TextIdDocument):
    """`_id` is `site|dimension|level|start in milliseconds|hash of the value`; a table of all values
    of the dimension in the period has `table` in the place of the hash.

    Computed from quarters of an hour and replaced whole. `counts` and the sets of ids are as
    modules/analytics/rollups/cells.py writes them.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    site: str
    start: datetime
    content: dict[str, Any]

    class Settings:
        name = "rollups"
        indexes = (IndexModel([("start", ASCENDING)], name=ROLLUP_TTL_INDEX, expireAfterSeconds=0),)
