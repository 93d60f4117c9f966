"""The aggregations behind the checks of data quality. All count events as they are stored: a sample is not scaled."""

from datetime import datetime, timedelta

from app.modules.analytics.pipelines.expressions import Expression, Stage
from app.modules.analytics.ranges import TimeRange
from app.schemas.event import EventType

# What tracking derives where an event names no visitor (app/modules/tracking/identity.py).
DERIVED_VISITOR = r"^v_[0-9a-f]{24}$"
MEASURING = (EventType.VIEW, EventType.ENGAGEMENT)
SHOWING = (EventType.IMPRESSION, EventType.VIEW)
# A page that is opened again by a person takes longer than this.
PAGE_VIEW_AGAIN = timedelta(seconds=2)
MAX_ITEMS = 10


def events(time_range: TimeRange, since: datetime) -> list[Stage]:
    """Counts of events and of sessions: one document, or none.

    The events `since` are those of as far back as the ledger reaches.
    """
    is_late = {"$gte": ["$at", since]}
    is_derived = {"$regexMatch": {"input": "$visitor", "regex": DERIVED_VISITOR}}
    counts = {
        "events": {"$sum": 1},
        "skewed": _sum_of({"$gt": ["$client_at", None]}),
        "derived_visitors": _sum_of(is_derived),
        "events_since": _sum_of(is_late),
        "shown_since": _sum_of({"$and": [is_late, _is_one_of(*SHOWING)]}),
        "page_views": _sum_of(_is_one_of(EventType.PAGE_VIEW)),
        "impressions": _sum_of(_is_one_of(EventType.IMPRESSION)),
    }
    measured = {"$cond": [{"$gt": ["$measuring", 0]}, "$impressions", 0]}
    return [
        _in_range(time_range),
        {"$group": {"_id": "$session", "measuring": _sum_of(_is_one_of(*MEASURING)), **counts}},
        {
            "$group": {
                "_id": None,
                **{name: {"$sum": f"${name}"} for name in counts},
                "sessions": {"$sum": 1},
                "without_page_view": _sum_of({"$eq": ["$page_views", 0]}),
                "measured": {"$sum": measured},
            }
        },
    ]


def page_views(time_range: TimeRange) -> list[Stage]:
    """Page views that name a page, and how many follow one of their session and page at once."""
    apart = {"$subtract": ["$at", "$before"]}
    at_once = {
        "$and": [
            {"$gt": ["$before", None]},
            {"$lt": [apart, PAGE_VIEW_AGAIN // timedelta(milliseconds=1)]},
        ]
    }
    return [
        _in_range(time_range),
        {"$match": {"type": EventType.PAGE_VIEW.value, "page": {"$exists": True}}},
        {"$project": {"_id": 0, "session": 1, "page": 1, "at": 1}},
        {
            "$setWindowFields": {
                "partitionBy": {"session": "$session", "page": "$page"},
                "sortBy": {"at": 1},
                "output": {"before": {"$shift": {"output": "$at", "by": -1}}},
            }
        },
        {"$group": {"_id": None, "paged": {"$sum": 1}, "at_once": _sum_of(at_once)}},
    ]


def clicked_items(time_range: TimeRange) -> list[Stage]:
    """One document: `counts` of clicked items and of those with more clicks than impressions; `most` of these."""
    more_clicks = {"$gt": ["$clicks", "$impressions"]}
    return [
        _in_range(time_range),
        {"$match": {"type": {"$in": [EventType.IMPRESSION.value, EventType.CLICK.value]}}},
        {
            "$group": {
                "_id": "$item",
                "impressions": _sum_of(_is_one_of(EventType.IMPRESSION)),
                "clicks": _sum_of(_is_one_of(EventType.CLICK)),
            }
        },
        {"$match": {"clicks": {"$gt": 0}}},
        {
            "$facet": {
                "counts": [
                    {
                        "$group": {
                            "_id": None,
                            "clicked": {"$sum": 1},
                            "more_clicks": _sum_of(more_clicks),
                        }
                    }
                ],
                "most": [
                    {"$match": {"$expr": more_clicks}},
                    {"$set": {"excess": {"$subtract": ["$clicks", "$impressions"]}}},
                    {"$sort": {"excess": -1, "_id": 1}},
                    {"$limit": MAX_ITEMS},
                ],
            }
        },
    ]


def _in_range(time_range: TimeRange) -> Stage:
    return {"$match": {"at": {"$gte": time_range.start, "$lt": time_range.end}}}


def _is_one_of(*types: EventType) -> Expression:
    return {"$in": ["$type", [each.value for each in types]]}


def _sum_of(condition: Expression) -> Expression:
    """How many meet the condition."""
    return {"$sum": {"$cond": [condition, 1, 0]}}
