"""An item of the catalogue: an auction lot, a banner, a product."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from bson import Decimal128
from pydantic import ConfigDict
from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel

from app.schemas.base import TextIdDocument


class ItemStatus(StrEnum):
    """Where an item is in its life."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    SOLD = "SOLD"
    ARCHIVED = "ARCHIVED"


class Item(TextIdDocument):
    """One item of a site. `_id` is `site:item id`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    site: str
    item: str
    title: str
    kind: str
    description: str | None = None
    category: str | None = None
    status: ItemStatus
    price: Decimal128 | None = None
    currency: str | None = None
    image_url: str | None = None
    link: str | None = None
    campaign: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    attributes: dict[str, Any] | None = None
    created_at: datetime
    updated_at: datetime

    class Settings:
        name = "items"
        indexes = (
            IndexModel([("site", ASCENDING), ("created_at", DESCENDING)], name="by_creation"),
            IndexModel([("site", ASCENDING), ("category", ASCENDING)], name="by_category"),
            IndexModel([("site", ASCENDING), ("price", ASCENDING)], name="by_price"),
            IndexModel(
                [("site", ASCENDING), ("title", TEXT), ("description", TEXT), ("category", TEXT)],
                name="search",
                weights={"title": 10, "category": 5, "description": 1},
                default_language="none",
            ),
        )
