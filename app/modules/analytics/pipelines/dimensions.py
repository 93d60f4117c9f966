"""What each dimension is of an event."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.modules.analytics.pipelines.expressions import Expression, Stage, literal, local_time
from app.modules.analytics.query import Condition, Dimension, ReportQuery
from app.modules.analytics.zones import Segment, segments
from app.schemas import Item

# The dimensions that are a field of the event.
FIELDS = {
    Dimension.ITEM: "item",
    Dimension.SOURCE: "source",
    Dimension.POSITION: "position",
    Dimension.DEVICE: "device",
    Dimension.BROWSER: "browser",
    Dimension.OS: "os",
    Dimension.COUNTRY: "country",
    Dimension.REGION: "region",
    Dimension.LANGUAGE: "language",
    Dimension.REFERRER: "referrer",
    Dimension.PAGE: "page",
    Dimension.CAMPAIGN: "campaign",
    Dimension.UTM_SOURCE: "utm_source",
    Dimension.UTM_MEDIUM: "utm_medium",
    Dimension.UTM_CAMPAIGN: "utm_campaign",
    Dimension.UTM_CONTENT: "utm_content",
    Dimension.UTM_TERM: "utm_term",
    Dimension.EVENT_NAME: "name",
    Dimension.VARIANT: "variant",
}
_CALENDAR_PARTS = {Dimension.HOUR_OF_DAY: "$hour", Dimension.WEEKDAY: "$isoDayOfWeek"}
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_NUMBERS = frozenset({Dimension.POSITION, *_CALENDAR_PARTS})

# With more items than this in a report, or ids and categories of more bytes, their categories are
# looked up for each event: that takes far longer, but it has no bound.
MAX_NAMED_ITEMS = 20_000
MAX_NAMED_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Categories:
    """The category of every item that a report has events of, None where it has none.

    `of_items` is None itself where the items are too many to be named in a pipeline.
    """

    of_items: Mapping[str, str | None] | None

    def stages(self) -> list[Stage]:
        """What must come before `expression` and `matching`."""
        return [] if self.of_items is not None else _looked_up("$item")

    def expression(self) -> Expression:
        """The category of an event's item."""
        if self.of_items is None:
            return "$category"
        # An event without an item sorts before every text.
        known = [("", None), *sorted(self.of_items.items())]
        changes = [
            entry
            for place, entry in enumerate(known)
            if not place or entry[1] != known[place - 1][1]
        ]
        return _by_item(changes)

    def matching(self, conditions: Sequence[Condition]) -> Stage:
        """All of these conditions on CATEGORY."""
        alternatives = [set(condition.values) for condition in conditions]
        wanted = set.intersection(*alternatives)
        if self.of_items is None:
            return {"category": {"$in": sorted(wanted)}}
        items = [item for item, category in self.of_items.items() if category in wanted]
        return {"item": {"$in": items}}


def seen_items(matching: Sequence[Stage]) -> list[Stage]:
    """The items among these events and their categories: `_id` and `category`, one more than can be named."""
    return [
        *matching,
        {"$match": {"item": {"$exists": True}}},
        {"$group": {"_id": "$item", "site": {"$first": "$site"}}},
        {"$limit": MAX_NAMED_ITEMS + 1},
        *_looked_up("$_id"),
        {"$project": {"category": 1}},
    ]


def categories_from(found: Sequence[Mapping[str, Any]]) -> Categories:
    """What `seen_items` found."""
    of_items = {item["_id"]: item.get("category") for item in found}
    size = sum(len(f"{item}{category}".encode()) for item, category in of_items.items())
    if len(of_items) > MAX_NAMED_ITEMS or size > MAX_NAMED_BYTES:
        return Categories(None)
    return Categories(of_items)


def _looked_up(item: str) -> list[Stage]:
    """Sets `category` to that of the item in the catalogue; absent where it has none."""
    return [
        {"$set": {"category": {"$concat": ["$site", ":", item]}}},
        {
            "$lookup": {
                "from": Item.Settings.name,
                "localField": "category",
                "foreignField": "_id",
                "as": "category",
            }
        },
        {"$set": {"category": {"$first": "$category.category"}}},
    ]


def _by_item(changes: Sequence[tuple[str, str | None]]) -> Expression:
    """The category at an item's place among sorted items, found by halves."""
    if len(changes) == 1:
        return literal(changes[0][1])
    middle = len(changes) // 2
    earlier, later = changes[:middle], changes[middle:]
    return {
        "$cond": [
            {"$lt": ["$item", literal(later[0][0])]},
            _by_item(earlier),
            _by_item(later),
        ]
    }


def value_of(dimension: Dimension, query: ReportQuery, categories: Categories) -> Expression:
    """The dimension's value of an event, a text; null where it is not known."""
    if dimension is Dimension.CATEGORY:
        expression = categories.expression()
    elif dimension in _CALENDAR_PARTS:
        expression = _calendar_part(dimension, segments_of(query))
    else:
        expression = f"${FIELDS[dimension]}"
    if dimension in _NUMBERS:
        expression = {"$toString": expression}
    return {"$ifNull": [expression, None]}


def matching(condition: Condition, query: ReportQuery) -> Stage:
    """The condition in a $match, on any dimension but CATEGORY."""
    if condition.dimension in _CALENDAR_PARTS:
        part = _calendar_part(condition.dimension, segments_of(query))
        return {"$expr": {"$in": [part, _whole_numbers(condition.values)]}}
    return having(condition.dimension, condition.values)


def having(dimension: Dimension, values: Sequence[str | None]) -> Stage:
    """The condition that a dimension of FIELDS has one of these values; None: that it has none."""
    stored = _whole_numbers(values) if dimension in _NUMBERS else list(values)
    return {FIELDS[dimension]: {"$in": stored}}


def _whole_numbers(texts: Sequence[str | None]) -> list[Any]:
    """The numbers that these texts are, as reports write them; what is none matches nothing."""
    return [
        None if text is None else int(text)
        for text in texts
        if text is None or _WHOLE_NUMBER.fullmatch(text)
    ]


def _calendar_part(dimension: Dimension, parts: Sequence[Segment]) -> Expression:
    return {_CALENDAR_PARTS[dimension]: local_time(parts)}


def segments_of(query: ReportQuery) -> list[Segment]:
    """The segments of the report's time zone in its range."""
    return segments(query.zone, query.time_range.start, query.time_range.end)
