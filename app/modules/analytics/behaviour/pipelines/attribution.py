"""Conversions, and the clicks and views of those who converted, in the order in which they happened."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.event_types import EventType
from app.modules.analytics.behaviour.attribution import MAX_CONVERSIONS, Windows
from app.modules.analytics.pipelines.dimensions import Categories, value_of
from app.modules.analytics.pipelines.expressions import Stage, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import Dimension, ReportQuery
from app.modules.analytics.ranges import TimeRange
from app.repositories.events import WEIGHT

_IN_ORDER: Stage = {"$sort": {"at": 1, "_id": 1}}


def conversions(query: ReportQuery, categories: Categories) -> list[Stage]:
    """The report's conversions in order, as stored, and one more than can be held."""
    return [
        *covered(query, categories),
        {"$match": {"type": EventType.CONVERSION.value}},
        {
            "$project": {
                **dict.fromkeys(("at", "visitor", "user", "value", "currency"), 1),
                "weight": WEIGHT if query.sampled else literal(1),
            }
        },
        _IN_ORDER,
        {"$limit": MAX_CONVERSIONS + 1},
    ]


def touches_match(
    query: ReportQuery, windows: Windows, visitors: Collection[str], users: Collection[str]
) -> list[Stage]:
    """The stage that leaves the touches of these visitors and users that may count."""
    kinds = (
        (windows.clicks, windows.click_window),
        (windows.views, windows.view_window),
    )
    alternatives: list[Stage] = [
        {"type": {"$in": [each.value for each in types]}, "at": _since(query, window)}
        for types, window in kinds
        if types
    ]
    earliest = min(each["at"]["$gte"] for each in alternatives)
    who = {"$or": [{"visitor": {"$in": sorted(visitors)}}, {"user": {"$in": sorted(users)}}]}
    within = {"$gte": earliest, "$lt": query.time_range.end}
    return [{"$match": {"at": within, "$and": [{"$or": alternatives}, who]}}]


def _since(query: ReportQuery, window: timedelta) -> dict[str, datetime]:
    return {"$gte": query.time_range.start - window}


def touches(
    query: ReportQuery, matching: list[Stage], by: Dimension, categories: Categories
) -> list[Stage]:
    """The touches that `touches_match` leaves, in order, with their `value` of a dimension."""
    return [
        *matching,
        *(categories.stages() if by is Dimension.CATEGORY else []),
        {
            "$project": {
                **dict.fromkeys(("at", "type", "visitor", "user"), 1),
                "value": value_of(by, query, categories),
            }
        },
        _IN_ORDER,
    ]


def reaching_back(query: ReportQuery, windows: Windows) -> ReportQuery:
    """The same over the time of its touches, for the dimensions that are of the clock."""
    longest = max(windows.click_window, windows.view_window)
    start = query.time_range.start - longest
    return replace(query, time_range=TimeRange(start, query.time_range.end))
