"""The aggregations of engagement: how long, how far, and of what."""

from collections.abc import Sequence

from app.modules.analytics.engagement.spread import Key
from app.modules.analytics.pipelines.dimensions import FIELDS, Categories, having, value_of
from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import ReportQuery
from app.repositories.events import WEIGHT

_THERE = {"$exists": True}


def most_engaged(query: ReportQuery, categories: Categories, limit: int) -> list[Stage]:
    """The values of the dimension with the most events that carry a duration or depth, as `_id`."""
    return [
        *covered(query, categories),
        {"$match": {"$or": [{"engagement": _THERE}, {"scroll_depth": _THERE}]}},
        {"$group": {"_id": _key(query, categories), "events": {"$sum": WEIGHT}}},
        {"$sort": {"events": -1, "_id": 1}},
        {"$limit": limit},
    ]


def durations(
    query: ReportQuery, categories: Categories, these: Sequence[Key] | None
) -> list[Stage]:
    """One document for each event with a duration: `key`, `value` in milliseconds, `weight`.

    With `these` only those of these values of the query's dimension; else all, under the key null.
    """
    broken_down = these is not None
    return [
        *covered(query, categories),
        *_narrowed(query, these),
        {"$match": {"engagement": _THERE}},
        {
            "$project": {
                "_id": 0,
                "key": _key(query, categories) if broken_down else literal(None),
                "value": "$engagement",
                "weight": WEIGHT,
            }
        },
        *_of_these(these),
    ]


def depths(query: ReportQuery, categories: Categories, these: Sequence[Key] | None) -> list[Stage]:
    """How many pages were read how far: `_id` with `key` and `depth` in percent, and `pages`.

    A page is one address in one session, and counts with the deepest that was reached. Events that
    name no page count by their item.
    """
    broken_down = these is not None
    has_page = {"$gt": ["$page", None]}
    return [
        *covered(query, categories),
        *_narrowed(query, these),
        {"$match": {"scroll_depth": _THERE}},
        {
            "$project": {
                "_id": 0,
                "key": _key(query, categories) if broken_down else literal(None),
                "session": 1,
                "page": {"$ifNull": ["$page", None]},
                "item": {"$cond": [has_page, None, {"$ifNull": ["$item", None]}]},
                "depth": "$scroll_depth",
                "weight": WEIGHT,
            }
        },
        *_of_these(these),
        {
            "$group": {
                "_id": {name: f"${name}" for name in ("key", "session", "page", "item")},
                "depth": {"$max": "$depth"},
                "weight": {"$max": "$weight"},
            }
        },
        {
            "$group": {
                "_id": {"key": "$_id.key", "depth": "$depth"},
                "pages": {"$sum": "$weight"},
            }
        },
    ]


def _key(query: ReportQuery, categories: Categories) -> Expression:
    [dimension] = query.dimensions
    return value_of(dimension, query, categories)


def _narrowed(query: ReportQuery, these: Sequence[Key] | None) -> list[Stage]:
    """Leaves out events of other values by the field itself, so that an index can help."""
    if these is None or query.dimensions[0] not in FIELDS:
        return []
    return [{"$match": having(query.dimensions[0], these)}]


def _of_these(these: Sequence[Key] | None) -> list[Stage]:
    return [] if these is None else [{"$match": {"key": {"$in": list(these)}}}]
