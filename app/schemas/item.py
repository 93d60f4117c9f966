"""An item of the catalogue: an auction lot, a banner, a product."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from bson import Decimal128
from pydantic import ConfigDict
from pymongo import ASCENDING, TEXT, IndexModel

from app.schemas.base import TextIdDocument


class ItemStatus(StrEnum):
    """Where an item is in its life."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    SOLD = "SOLD"
    ARCHIVED = "ARCHIVED"


def _in_order(*fields: str) -> list[tuple[str, int]]:
    """An index that serves a sort by these fields in either direction; `_id` breaks ties."""
    return [("site", ASCENDING), *((field, ASCENDING) for field in (*fields, "_id"))]


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

    # What items are sorted by and searched in, derived from the fields above and written with them
    # (repositories/items.py). A text search cannot use a collation, so that titles are folded to one
    # case; MongoDB sorts a missing price before all others, so that items without one are marked.
    title_key: str
    unpriced: bool
    # Words with one space before and after each: a phrase with its spaces is one whole word.
    title_words: str
    description_words: str
    category_words: str

    class Settings:
        name = "items"
        indexes = (
            IndexModel(_in_order("created_at"), name="by_creation"),
            IndexModel(_in_order("updated_at"), name="by_update"),
            IndexModel(_in_order("title_key"), name="by_title"),
            IndexModel(_in_order("price"), name="by_price"),
            IndexModel(_in_order("unpriced", "price"), name="by_price_unpriced_last"),
            IndexModel(_in_order("category", "created_at"), name="by_category"),
            IndexModel(_in_order("kind", "created_at"), name="by_kind"),
            IndexModel(_in_order("status", "created_at"), name="by_status"),
            IndexModel(
                [
                    ("site", ASCENDING),
                    ("title_words", TEXT),
                    ("description_words", TEXT),
                    ("category_words", TEXT),
                ],
                name="search",
                weights={"title_words": 10, "category_words": 5, "description_words": 1},
                # No stemming and no stop words: items may be in any language.
                default_language="none",
            ),
        )
