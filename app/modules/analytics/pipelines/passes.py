"""The aggregations that a report is made of, one for each Part.

Each groups the events twice, first by key and visitor (user, session), then by key: a set of
visitors in one document would not fit. `key` is what a row of the report is: its dimensions' values
d0 and d1, and its bucket b; null for the whole report.
"""

from collections.abc import Sequence

from app.modules.analytics.measures import Part
from app.modules.analytics.pipelines.dimensions import Categories, value_of
from app.modules.analytics.pipelines.expressions import Expression, Stage, bucket_key, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import Rank, ReportQuery
from app.schemas.event import EventType

INTERACTIONS = (EventType.CLICK, EventType.CONVERSION, EventType.CUSTOM)

_COUNTED_TYPES = {
    "impressions": EventType.IMPRESSION,
    "views": EventType.VIEW,
    "clicks": EventType.CLICK,
    "conversions": EventType.CONVERSION,
    "bounces": EventType.BOUNCE,
    "page_views": EventType.PAGE_VIEW,
}
_RANKED_TYPES = {
    Rank.IMPRESSIONS: EventType.IMPRESSION,
    Rank.VIEWS: EventType.VIEW,
    Rank.CLICKS: EventType.CLICK,
    Rank.CONVERSIONS: EventType.CONVERSION,
}


def of_whole_report(part: Part, query: ReportQuery, categories: Categories) -> list[Stage]:
    """The numbers of one part, of all events of the report together: one document, or none of no events."""
    return [*covered(query, categories), *_measured(part, query, {})]


def of_rows(
    part: Part,
    query: ReportQuery,
    categories: Categories,
    *,
    limit: int | None = None,
    narrowed: Sequence[Stage] = (),
) -> list[Stage]:
    """The numbers of one part by key; with a limit only those of the first keys, in the report's order.

    `narrowed` may leave out events, as long as it leaves those of the first keys.
    """
    keys = _keys(query, categories)
    stages = [*covered(query, categories), *narrowed, *_measured(part, query, keys)]
    if query.only_ranked:
        stages.append({"$match": {"rank": {"$gt": 0}}})
    if limit is not None:
        stages += [{"$sort": _order(query)}, {"$limit": limit}]
    return stages


def number_of_rows(query: ReportQuery, categories: Categories) -> list[Stage]:
    """How many keys there are, as `rows`."""
    keys = _keys(query, categories)
    return [
        *covered(query, categories),
        {"$group": {"_id": keys}},
        {"$count": "rows"},
    ]


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


def _measured(part: Part, query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    build = {
        Part.COUNTS: _counts,
        Part.VISITORS: _visitors,
        Part.USERS: _users,
        Part.SESSIONS: _sessions,
    }[part]
    return build(query, keys)


def _projected(
    query: ReportQuery, keys: dict[str, Expression], fields: dict[str, Expression]
) -> Stage:
    """Only what is needed of each event: this makes grouping a good deal faster."""
    return {"$project": {"_id": 0, **keys, **fields, "rank": _rank(query)}}


def _grouped(keys: dict[str, Expression], by: Stage, sums: Stage) -> Stage:
    key = {name: f"${name}" for name in keys} or None
    return {"$group": {"_id": {"key": key, **by}, **sums, "rank": {"$sum": "$rank"}}}


def _regrouped(sums: Stage) -> Stage:
    return {"$group": {"_id": "$_id.key", **sums, "rank": {"$sum": "$rank"}}}


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


def _is_there(field: str) -> Expression:
    """Null and absent sort before every number."""
    return {"$gt": [field, None]}


def _currency(query: ReportQuery) -> Expression:
    """The currency of a conversion with a value; null of every other event."""
    worth = {"$and": [_is(EventType.CONVERSION), _is_there("$value")]}
    return {"$cond": [worth, {"$ifNull": ["$currency", literal(query.site_currency)]}, None]}


def _counts(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    fields = {"type": 1, "value": 1, "engagement": 1, "scroll_depth": 1, "currency": _currency(query)}
    sums = {
        "events": {"$sum": 1},
        "value": {"$sum": "$value"},
        "engagement": {"$sum": "$engagement"},
        "engaged_events": {"$sum": _one_if(_is_there("$engagement"))},
        "scroll_depth": {"$sum": "$scroll_depth"},
        "scrolled_events": {"$sum": _one_if(_is_there("$scroll_depth"))},
    }
    added = ("events", "engagement", "engaged_events", "scroll_depth", "scrolled_events")
    amount = {"currency": "$_id.currency", "value": "$value", "conversions": "$events"}
    by_type = {
        name: {"$sum": {"$cond": [{"$eq": ["$_id.type", event_type.value]}, "$events", 0]}}
        for name, event_type in _COUNTED_TYPES.items()
    }
    return [
        _projected(query, keys, fields),
        _grouped(keys, {"type": "$type", "currency": "$currency"}, sums),
        _regrouped(
            {
                **{name: {"$sum": f"${name}"} for name in added},
                **by_type,
                "amounts": {
                    "$push": {"$cond": [_is_there("$_id.currency"), amount, "$$REMOVE"]}
                },
            }
        ),
    ]


def _visitors(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    return [
        _projected(query, keys, {"visitor": 1, "converted": _one_if(_is(EventType.CONVERSION))}),
        _grouped(keys, {"visitor": "$visitor"}, {"converted": {"$max": "$converted"}}),
        _regrouped({"visitors": {"$sum": 1}, "converted_visitors": {"$sum": "$converted"}}),
    ]


def _users(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    """Events without a user stay in: the order of the rows counts them."""
    return [
        _projected(query, keys, {"user": 1}),
        _grouped(keys, {"user": "$user"}, {}),
        _regrouped({"users": {"$sum": _one_if(_is_there("$_id.user"))}}),
    ]


def _sessions(query: ReportQuery, keys: dict[str, Expression]) -> list[Stage]:
    interaction = {"$in": ["$type", [event_type.value for event_type in INTERACTIONS]]}
    fields = {
        "session": 1,
        "page_view": _one_if(_is(EventType.PAGE_VIEW)),
        "interaction": _one_if(interaction),
    }
    sums = {"page_views": {"$sum": "$page_view"}, "interactions": {"$sum": "$interaction"}}
    bounced = {"$and": [{"$eq": ["$page_views", 1]}, {"$eq": ["$interactions", 0]}]}
    return [
        _projected(query, keys, fields),
        _grouped(keys, {"session": "$session"}, sums),
        _regrouped({"sessions": {"$sum": 1}, "bounced_sessions": {"$sum": _one_if(bounced)}}),
    ]
