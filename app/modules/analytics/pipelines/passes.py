"""The aggregations that a report is made of, one for each Part.

Each groups the events twice, first by key and visitor (user, session), then by key: a set of
visitors in one document would not fit. `key` is what a row of the report is: its dimensions' values
d0 and d1, and its bucket b; null for the whole report.

Where a site counts a sample of its visitors, an event of it has a weight: for how many it stands.
Whatever is added up is multiplied by it, at last, so that whole numbers stay whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.modules.analytics.measures import Part
from app.modules.analytics.pipelines.dimensions import FIELDS, Categories, having, value_of
from app.modules.analytics.pipelines.expressions import Expression, Stage, bucket_key, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import Rank, ReportQuery
from app.repositories.events import WEIGHT
from app.schemas.event import EventType

# Up to so many values of a dimension the events of certain rows are picked out by them.
MAX_NARROWED_VALUES = 1_000
_COARSE_DECIMALS = 9
INTERACTIONS = (EventType.CLICK, EventType.CONVERSION, EventType.CUSTOM)

_COUNTED_TYPES = {
    "impressions": EventType.IMPRESSION,
    "views": EventType.VIEW,
    "clicks": EventType.CLICK,
    "conversions": EventType.CONVERSION,
    "bounces": EventType.BOUNCE,
    "page_views": EventType.PAGE_VIEW,
}
# A visitor whose events have several weights, because the sample was changed, has the largest.
_HEAVIEST = {"weight": {"$max": "$weight"}}
_RANKED_TYPES = {
    Rank.IMPRESSIONS: EventType.IMPRESSION,
    Rank.VIEWS: EventType.VIEW,
    Rank.CLICKS: EventType.CLICK,
    Rank.CONVERSIONS: EventType.CONVERSION,
}


def of_whole_report(part: Part, query: ReportQuery, categories: Categories) -> list[Stage]:
    """The numbers of one part, of all events of the report together: one document, or none of no events."""
    return [*covered(query, categories), *_PASSES[part](query, {})]


def first_rows(query: ReportQuery, categories: Categories, limit: int | None) -> list[Stage]:
    """COUNTS by key, in the report's order; with a limit only the first of them."""
    stages = [*covered(query, categories), *_counts(query, _keys(query, categories))]
    if query.only_ranked:
        stages.append({"$match": {"rank": {"$gt": 0}}})
    stages.append({"$sort": _order(query)})
    if limit is not None:
        stages.append({"$limit": limit})
    return stages


def more_of_rows(part: Part, query: ReportQuery, categories: Categories) -> list[Stage]:
    """Another part by key, of all rows and in no order."""
    return [*covered(query, categories), *_PASSES[part](query, _keys(query, categories))]


def more_of_these_rows(
    part: Part,
    query: ReportQuery,
    categories: Categories,
    keys: Sequence[Mapping[str, Any]],
) -> list[Stage]:
    """The same of the rows with these keys only, as `first_rows` gave them."""
    return [
        *covered(query, categories),
        *_narrowed(query, keys),
        *_PASSES[part](query, _keys(query, categories)),
        {"$match": {"_id": {"$in": list(keys)}}},
    ]


def _narrowed(query: ReportQuery, keys: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """Leaves out events that are of none of these rows, as far as their fields tell."""
    conditions: list[Stage] = []
    for place, dimension in enumerate(query.dimensions):
        values = list({key[f"d{place}"] for key in keys})
        if dimension in FIELDS and len(values) <= MAX_NARROWED_VALUES:
            conditions.append(having(dimension, values))
    return [{"$match": {"$and": conditions}}] if conditions else []


def number_of_rows(query: ReportQuery, categories: Categories) -> list[Stage]:
    """How many keys there are, as `rows`."""
    keys = _keys(query, categories)
    return [*covered(query, categories), {"$group": {"_id": keys}}, {"$count": "rows"}]


def _keys(query: ReportQuery, categories: Categories) -> dict[str, Expression]:
    keys = {
        f"d{place}": value_of(dimension, query, categories)
        for place, dimension in enumerate(query.dimensions)
    }
    if query.timeline is not None and query.timeline.buckets:
        keys["b"] = bucket_key(query.timeline)
    return keys


def _order(query: ReportQuery) -> dict[str, int]:
    bucket = {"_id.b": 1} if query.timeline is not None else {}
    values = {f"_id.d{place}": 1 for place in range(len(query.dimensions))}
    return {**bucket, "rank": -1, **values}


def _projected(keys: dict[str, Expression], fields: dict[str, Expression]) -> Stage:
    """Only what is needed of each event: this makes grouping a good deal faster."""
    return {"$project": {"_id": 0, **keys, **fields}}


def _grouped(keys: dict[str, Expression], by: Stage, sums: Stage) -> Stage:
    return {"$group": {"_id": {**{name: f"${name}" for name in keys}, **by}, **sums}}


def _regrouped(keys: dict[str, Expression], sums: Stage) -> Stage:
    return {"$group": {"_id": {name: f"$_id.{name}" for name in keys} or None, **sums}}


def _rank(query: ReportQuery) -> Expression:
    """What an event adds to the number that its row is ordered by."""
    if query.rank is Rank.EVENTS:
        return literal(1)
    if query.rank is Rank.REVENUE:
        in_currency = {"$eq": [_currency(query), literal(query.rank_currency)]}
        return {"$cond": [in_currency, "$value", literal(0)]}
    return _one_if(_is(_RANKED_TYPES[query.rank]))


def _is(event_type: EventType) -> Expression:
    return {"$eq": ["$type", event_type.value]}


def _one_if(condition: Expression) -> Expression:
    return {"$cond": [condition, literal(1), literal(0)]}


def _weight(query: ReportQuery) -> Expression:
    """For how many an event stands; asked of each event only where there is a sample."""
    return WEIGHT if query.sampled else literal(1)


def _weighted(number: Expression, weight: str = "$weight") -> Expression:
    return {"$multiply": [number, weight]}


def _is_there(field: str) -> Expression:
    """Null and absent sort before every number."""
    return {"$gt": [field, None]}


def _currency(query: ReportQuery) -> Expression:
    """The currency of a conversion with a value; null of every other event."""
    worth = {"$and": [_is(EventType.CONVERSION), _is_there("$value")]}
    return {"$cond": [worth, {"$ifNull": ["$currency", literal(query.site_currency)]}, None]}


def _split(value: Expression) -> dict[str, Expression]:
    """An amount in two parts, so that ten billion of them can be added up without rounding.

    It has up to 15 digits before the point and 30 after it, 34 in all. `coarse` is its first nine
    decimals, `fine` the others; an amount without others is coarse as it is, not filled up with zeros.
    """
    cut = {"$trunc": [value, _COARSE_DECIMALS]}
    coarse = {"$cond": [{"$eq": [value, cut]}, value, cut]}
    return {"coarse": coarse, "fine": {"$subtract": [value, coarse]}}


def _counts(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    """Also `rank`, what the rows are ordered by."""
    added = ("events", "engagement", "engaged_events", "scroll_depth", "scrolled_events", "rank")
    events = _weighted("$events", "$_id.weight")
    # Added up apart (see _split): together they may have more than the 34 digits that the database
    # keeps.
    amount = {
        "currency": "$_id.currency",
        "coarse": _weighted("$coarse", "$_id.weight"),
        "fine": _weighted("$fine", "$_id.weight"),
        "conversions": events,
    }
    by_type = {
        name: {"$sum": {"$cond": [{"$eq": ["$_id.type", event_type.value]}, events, 0]}}
        for name, event_type in _COUNTED_TYPES.items()
    }
    return [
        _projected(
            keys,
            {
                **dict.fromkeys(("type", "engagement", "scroll_depth"), 1),
                "weight": _weight(query),
                "currency": _currency(query),
                **_split("$value"),
                "rank": _rank(query),
            },
        ),
        _grouped(
            keys,
            {"type": "$type", "currency": "$currency", "weight": "$weight"},
            {
                "events": {"$sum": 1},
                "engagement": {"$sum": "$engagement"},
                "engaged_events": {"$sum": _one_if(_is_there("$engagement"))},
                "scroll_depth": {"$sum": "$scroll_depth"},
                "scrolled_events": {"$sum": _one_if(_is_there("$scroll_depth"))},
                "coarse": {"$sum": "$coarse"},
                "fine": {"$sum": "$fine"},
                "rank": {"$sum": "$rank"},
            },
        ),
        _regrouped(
            keys,
            {
                **{name: {"$sum": _weighted(f"${name}", "$_id.weight")} for name in added},
                **by_type,
                "amounts": {"$push": {"$cond": [_is_there("$_id.currency"), amount, "$$REMOVE"]}},
            },
        ),
    ]


def _visitors(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    return [
        _projected(
            keys,
            {
                "visitor": 1,
                "weight": _weight(query),
                "converted": _one_if(_is(EventType.CONVERSION)),
            },
        ),
        _grouped(
            keys,
            {"visitor": "$visitor"},
            {"converted": {"$max": "$converted"}, **_HEAVIEST},
        ),
        _regrouped(
            keys,
            {
                "visitors": {"$sum": "$weight"},
                "converted_visitors": {"$sum": _weighted("$converted")},
            },
        ),
    ]


def _users(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    return [
        {"$match": {"user": {"$exists": True}}},
        _projected(keys, {"user": 1, "weight": _weight(query)}),
        _grouped(keys, {"user": "$user"}, _HEAVIEST),
        _regrouped(keys, {"users": {"$sum": "$weight"}}),
    ]


def _sessions(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    interaction = {"$in": ["$type", [event_type.value for event_type in INTERACTIONS]]}
    bounced = {"$and": [{"$eq": ["$page_views", 1]}, {"$eq": ["$interactions", 0]}]}
    return [
        _projected(
            keys,
            {
                "session": 1,
                "weight": _weight(query),
                "page_view": _one_if(_is(EventType.PAGE_VIEW)),
                "interaction": _one_if(interaction),
            },
        ),
        _grouped(
            keys,
            {"session": "$session"},
            {
                "page_views": {"$sum": "$page_view"},
                "interactions": {"$sum": "$interaction"},
                **_HEAVIEST,
            },
        ),
        _regrouped(
            keys,
            {
                "sessions": {"$sum": "$weight"},
                "bounced_sessions": {"$sum": _weighted(_one_if(bounced))},
            },
        ),
    ]


_PASSES: dict[Part, Callable[[ReportQuery, dict[str, Expression]], list[Stage]]] = {
    Part.COUNTS: _counts,
    Part.VISITORS: _visitors,
    Part.USERS: _users,
    Part.SESSIONS: _sessions,
}
