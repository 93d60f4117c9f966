"""Searching the catalogue: what may be asked, and the MongoDB query that it becomes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bson import Decimal128

from app.core.errors import BadInputError, LimitExceededError
from app.core.words import words_of
from app.modules.items.validation import MAX_CATEGORY_LENGTH, MAX_KIND_LENGTH, check_line
from app.repositories.events import COUNTED
from app.schemas import Event
from app.schemas import Item as ItemDocument
from app.schemas.event import EventType
from app.schemas.item import ItemStatus

MAX_SEARCH_LENGTH = 200
MAX_LIMIT = 100
MAX_DEPTH = 10_000  # the last item that a page may reach
POPULARITY_PERIOD = timedelta(days=30)

Stage = dict[str, Any]


class ItemSortField(StrEnum):
    """What items can be sorted by."""

    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    TITLE = "TITLE"
    PRICE = "PRICE"
    RELEVANCE = "RELEVANCE"
    POPULARITY = "POPULARITY"


class SortOrder(StrEnum):
    """Smallest, earliest and least first, or the other way round."""

    ASC = "ASC"
    DESC = "DESC"


_STORED_FIELDS = {
    ItemSortField.CREATED_AT: "created_at",
    ItemSortField.UPDATED_AT: "updated_at",
    ItemSortField.TITLE: "title_key",
    ItemSortField.PRICE: "price",
}


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """One page of the items that are asked for. Raises BadInputError or LimitExceededError.

    `sort_by` None is by relevance where there is a search, else by creation. Prices and creation
    are bounded by `min_price` and `max_price`, both included, and `start`, included, and `end`,
    left out. Without a status, archived items are left out.
    """

    search: str | None = None
    category: str | None = None
    kind: str | None = None
    status: ItemStatus | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    start: datetime | None = None
    end: datetime | None = None
    sort_by: ItemSortField | None = None
    order: SortOrder = SortOrder.DESC
    page: int = 1
    limit: int = 20

    def __post_init__(self) -> None:
        check_line(self.search or "", "search", MAX_SEARCH_LENGTH)
        check_line(self.category or "", "filter.category", MAX_CATEGORY_LENGTH)
        check_line(self.kind or "", "filter.kind", MAX_KIND_LENGTH)
        if self.min_price is not None and self.max_price is not None:
            _check_not_before(self.max_price, self.min_price, "filter.maxPrice", "minPrice")
        if self.start is not None and self.end is not None:
            _check_not_before(self.end, self.start, "filter.endDate", "startDate")
        if self.sort_by is ItemSortField.RELEVANCE and not self.is_search:
            raise BadInputError("RELEVANCE needs a search", "sort.by")
        if self.page < 1:
            raise BadInputError("must be at least 1", "page")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise BadInputError(f"must be from 1 to {MAX_LIMIT}", "limit")
        if self.page * self.limit > MAX_DEPTH:
            raise LimitExceededError(
                f"times limit must be at most {MAX_DEPTH}; narrow the search instead", "page"
            )

    @property
    def is_search(self) -> bool:
        return bool(self.search and self.search.strip())

    @property
    def skip(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * self.limit


def _check_not_before(later: Any, earlier: Any, field: str, other: str) -> None:
    if later < earlier:
        raise BadInputError(f"must not be less than {other}", field)


def text_search(text: str) -> str:
    """MongoDB's `$search` for items that have every word of this text. Without any, nothing is found.

    A quoted word is needed, but MongoDB is content with a part of a longer one; the spaces that are
    quoted with it, as they are stored (schemas/item.py), make it a whole word. What MongoDB would
    read as syntax, quotes and minus signs, is no part of a word.
    """
    return " ".join(f'" {word} "' for word in dict.fromkeys(words_of(text)))


def match(query: ItemQuery) -> Stage:
    """The condition, apart from the site."""
    condition: Stage = {"status": {"$ne": ItemStatus.ARCHIVED.value}}
    if query.status is not None:
        condition["status"] = query.status.value
    if query.is_search and query.search:
        condition["$text"] = {"$search": text_search(query.search)}
    if query.category:
        condition["category"] = query.category
    if query.kind:
        condition["kind"] = query.kind
    bounds = (
        ("price", "$gte", query.min_price),
        ("price", "$lte", query.max_price),
        ("created_at", "$gte", query.start),
        ("created_at", "$lt", query.end),
    )
    for field, operator, bound in bounds:
        if bound is not None:
            stored = Decimal128(bound) if isinstance(bound, Decimal) else bound
            condition.setdefault(field, {})[operator] = stored
    return condition


def page_stages(query: ItemQuery, site: str, now: datetime) -> list[Stage]:
    """The stages that follow the match: the order, with the id to break ties, and the page."""
    direction = 1 if query.order is SortOrder.ASC else -1
    page: list[Stage] = [{"$skip": query.skip}, {"$limit": query.limit}]
    sort_by = query.sort_by or (
        ItemSortField.RELEVANCE if query.is_search else ItemSortField.CREATED_AT
    )
    if sort_by is ItemSortField.POPULARITY:
        counted = _with_impressions(site, now - POPULARITY_PERIOD)
        order = {"unseen": 1, "impressions": direction, "_id": direction}
        return [*counted, {"$sort": order}, *page, *_whole_items()]
    if sort_by is ItemSortField.RELEVANCE:
        score: Stage = {"$set": {"score": {"$meta": "textScore"}}}
        return [score, {"$sort": {"score": direction, "_id": direction}}, *page]
    order = {_STORED_FIELDS[sort_by]: direction, "_id": direction}
    if sort_by is ItemSortField.PRICE and query.order is SortOrder.ASC:
        order = {"unpriced": 1, **order}  # descending, MongoDB puts them last of its own
    return [{"$sort": order}, *page]


def _with_impressions(site: str, since: datetime) -> list[Stage]:
    """From matching items to `_id`, `impressions` since then, and `unseen` where there are none.

    Counting all events of the period once, instead of those of each item, reads them in one go.
    Events of items that do not match, or are not in the catalogue, drop out.
    """
    impressions = [
        {
            "$match": {
                "site": site,
                "type": EventType.IMPRESSION.value,
                "at": {"$gte": since},
                **COUNTED,
            }
        },
        {"$group": {"_id": {"$concat": [f"{site}:", "$item"]}, "impressions": {"$sum": 1}}},
    ]
    return [
        {"$project": {"matches": {"$literal": True}}},
        {"$unionWith": {"coll": Event.Settings.name, "pipeline": impressions}},
        {
            "$group": {
                "_id": "$_id",
                "matches": {"$max": "$matches"},
                "impressions": {"$sum": "$impressions"},
            }
        },
        {"$match": {"matches": True}},
        {"$set": {"unseen": {"$eq": ["$impressions", 0]}}},
    ]


def _whole_items() -> list[Stage]:
    """From `_id` back to the item."""
    return [
        {
            "$lookup": {
                "from": ItemDocument.Settings.name,
                "localField": "_id",
                "foreignField": "_id",
                "as": "item",
            }
        },
        {"$unwind": "$item"},
        {"$replaceRoot": {"newRoot": "$item"}},
    ]
