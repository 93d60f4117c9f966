"""What is sent to the catalogue, and what it becomes."""

import decimal
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.modules.items.enums import ItemSortField, ItemStatus, SortOrder
from app.modules.items.search import ItemQuery

_DESCRIPTIONS = {
    "title": "What it is called: 1 to 300 characters, not blank.",
    "kind": '"auction", "banner", "product", ...: 1 to 50 characters.',
    "description": "More about it, at most 10,000 characters.",
    "category": "What it belongs to, at most 100 characters.",
    "status": "Where it is in its life.",
    "price": "Its price, from 0 to below 10^15.",
    "currency": "ISO 4217 code of the price's currency. Default: the site's, where there is a price.",
    "image_url": "http(s) address or path of a picture of it, at most 2,048 characters.",
    "link": "http(s) address or path that it leads to, at most 2,048 characters.",
    "campaign_id": "The campaign that it belongs to, at most 256 characters.",
    "starts_at": "When it begins to be on offer.",
    "ends_at": "When it ceases to be on offer; not before startsAt.",
    "attributes": "Anything else about it: an object of at most 20 KB, four levels and 100 keys.",
}


def _optional(name: str, default: Any = None) -> Any:
    return strawberry.field(default=default, description=_DESCRIPTIONS[name])


def _change(name: str) -> Any:
    return strawberry.field(default=strawberry.UNSET, description=_DESCRIPTIONS[name])


@strawberry.input(
    description="A new item. An empty text is the same as null. Control characters are refused; tabs "
    "and line ends may be in the description only."
)
class CreateItemInput:
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The caller's own id, 1 to 256 characters. Default: a new one. One that the site "
        "has already is a CONFLICT.",
    )
    title: str = strawberry.field(description=_DESCRIPTIONS["title"])
    kind: str | None = _optional("kind", "item")
    description: str | None = _optional("description")
    category: str | None = _optional("category")
    status: ItemStatus | None = _optional("status", ItemStatus.ACTIVE)
    price: decimal.Decimal | None = _optional("price")
    currency: str | None = _optional("currency")
    image_url: str | None = _optional("image_url")
    link: str | None = _optional("link")
    campaign_id: strawberry.ID | None = _optional("campaign_id")
    starts_at: datetime | None = _optional("starts_at")
    ends_at: datetime | None = _optional("ends_at")
    attributes: JSON | None = _optional("attributes")


@strawberry.input(
    description="Changes to an item. What is left out stays as it is; null or an empty text clears a "
    "field, which title, kind and status do not allow. A price that is left without a currency gets "
    "the site's."
)
class UpdateItemInput:
    title: str | None = _change("title")
    kind: str | None = _change("kind")
    description: str | None = _change("description")
    category: str | None = _change("category")
    status: ItemStatus | None = _change("status")
    price: decimal.Decimal | None = _change("price")
    currency: str | None = _change("currency")
    image_url: str | None = _change("image_url")
    link: str | None = _change("link")
    campaign_id: strawberry.ID | None = _change("campaign_id")
    starts_at: datetime | None = _change("starts_at")
    ends_at: datetime | None = _change("ends_at")
    attributes: JSON | None = _change("attributes")


# Fields whose name in the document is another one.
_STORED_NAMES = {"id": "item", "campaign_id": "campaign"}


def fields_of(sent: CreateItemInput | UpdateItemInput) -> dict[str, Any]:
    """The fields that were given, by their names in the document."""
    return {
        _STORED_NAMES.get(name, name): value
        for name, value in vars(sent).items()
        if value is not strawberry.UNSET
    }


@strawberry.input(
    description="Which items: those that meet every condition given. Archived items are left out "
    "unless status asks for them. An empty text is the same as null."
)
class ItemFilter:
    category: str | None = strawberry.field(default=None, description="Exactly this category.")
    kind: str | None = strawberry.field(default=None, description="Exactly this kind.")
    status: ItemStatus | None = strawberry.field(
        default=None, description="This status. Default: every one but ARCHIVED."
    )
    min_price: decimal.Decimal | None = strawberry.field(
        default=None, description="A price of at least this, whatever the currency."
    )
    max_price: decimal.Decimal | None = strawberry.field(
        default=None, description="A price of at most this, whatever the currency."
    )
    start_date: datetime | None = strawberry.field(
        default=None, description="Made at this instant or later (createdAt)."
    )
    end_date: datetime | None = strawberry.field(
        default=None, description="Made before this instant (createdAt): the end is left out."
    )


@strawberry.input(description="How items are sorted.")
class ItemSort:
    by: ItemSortField | None = strawberry.field(
        default=ItemSortField.CREATED_AT, description="What by."
    )
    order: SortOrder | None = strawberry.field(default=SortOrder.DESC, description="Which way.")


@strawberry.input(
    description="Given with a search or an item, its impressions are tracked without delaying or "
    "failing the answer: what cannot be tracked is left out, and repeats within the cooldown count "
    "once. A read key may give it, although it may not call the tracking mutations."
)
class TrackingContext:
    session_id: strawberry.ID = strawberry.field(description="The visit that the answer is for.")
    visitor_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The anonymous visitor. Default: derived as for a TrackInput without one.",
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="The caller's own user, where known."
    )
    source: str | None = strawberry.field(
        default=None,
        description='Where the items are shown. Default: "search" for items, "item" for one item.',
    )


def item_query(
    search: str | None,
    chosen: ItemFilter | None,
    sort: ItemSort | None,
    page: int | None,
    limit: int | None,
) -> ItemQuery:
    """The query that these arguments stand for. Raises BadInputError or LimitExceededError."""
    chosen = chosen or ItemFilter()
    return ItemQuery(
        search=search,
        category=chosen.category,
        kind=chosen.kind,
        status=chosen.status,
        min_price=chosen.min_price,
        max_price=chosen.max_price,
        start=chosen.start_date,
        end=chosen.end_date,
        sort_by=None if sort is None else sort.by or ItemSortField.CREATED_AT,
        order=(sort.order if sort else None) or SortOrder.DESC,
        page=1 if page is None else page,
        limit=20 if limit is None else limit,
    )
