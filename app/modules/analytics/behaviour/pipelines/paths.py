"""Where sessions went from an item or page: from their first visit of it to the next of another."""

from app.modules.analytics.behaviour.enums import PathDirection
from app.modules.analytics.behaviour.paths import Anchor
from app.modules.analytics.pipelines.expressions import Expression, Stage
from app.modules.analytics.query import ReportQuery
from app.repositories.events import COUNTED, WEIGHT
from app.schemas import Event
from app.schemas.event import EventType

# What says that a session visited an item, and a page. Impressions and views do not: a list shows many.
ITEM_VISITS = (EventType.CLICK, EventType.PAGE_VIEW)
PAGE_VISITS = (EventType.PAGE_VIEW,)


def paths(query: ReportQuery, anchor: Anchor, limit: int) -> list[Stage]:
    """One document: `paths` (`_id`, `sessions`), the first of them, and `all` (`sessions`, `ended`, `rows`)."""
    field, value, visits = _place(anchor)
    within = {"$gte": query.time_range.start, "$lt": query.time_range.end}
    types = {"$in": [visit.value for visit in visits]}
    is_a_path = {"$gt": ["$_id", None]}
    return [
        {"$match": {"at": within, "type": types, field: value}},
        {"$project": {"session": 1, "at": 1, "site": 1, "weight": WEIGHT}},
        {"$sort": {"at": 1, "_id": 1}},
        {
            "$group": {
                "_id": "$session",
                "site": {"$first": "$site"},
                "at": {"$first": "$at"},
                "event": {"$first": "$_id"},
                "weight": {"$max": "$weight"},
            }
        },
        _lookup(
            anchor.direction, field, {"at": within, "type": types, field: {"$gt": "", "$ne": value}}
        ),
        {
            "$group": {
                "_id": {"$first": "$other.value"},
                "sessions": {"$sum": "$weight"},
            }
        },
        {
            "$facet": {
                "paths": [
                    {"$match": {"_id": {"$ne": None}}},
                    {"$sort": {"sessions": -1, "_id": 1}},
                    {"$limit": limit},
                ],
                "all": [
                    {
                        "$group": {
                            "_id": None,
                            "sessions": {"$sum": "$sessions"},
                            "ended": {"$sum": {"$cond": [is_a_path, 0, "$sessions"]}},
                            "rows": {"$sum": {"$cond": [is_a_path, 1, 0]}},
                        }
                    }
                ],
            }
        },
    ]


def _place(anchor: Anchor) -> tuple[str, str | None, tuple[EventType, ...]]:
    """The field of an event, its value, and the types of events that are visits."""
    if anchor.item is not None:
        return "item", anchor.item, ITEM_VISITS
    return "page", anchor.page, PAGE_VISITS


def _lookup(direction: PathDirection, field: str, visits: Stage) -> Stage:
    """Sets `other` to a list of the session's nearest visit of another item or page, or of none."""
    later = direction is PathDirection.NEXT
    order = 1 if later else -1
    beyond, from_there = ("$gt", "$gte") if later else ("$lt", "$lte")
    at_once = {"$and": [{"$eq": ["$at", "$$at"]}, {beyond: ["$_id", "$$event"]}]}
    conditions: list[Expression] = [
        {"$eq": ["$site", "$$site"]},
        {"$eq": ["$session", "$$session"]},
        {from_there: ["$at", "$$at"]},
        {"$or": [{beyond: ["$at", "$$at"]}, at_once]},
    ]
    return {
        "$lookup": {
            "from": Event.Settings.name,
            "let": {"site": "$site", "session": "$_id", "at": "$at", "event": "$event"},
            "pipeline": [
                {"$match": {**COUNTED, **visits, "$expr": {"$and": conditions}}},
                {"$sort": {"at": order, "_id": order}},
                {"$limit": 1},
                {"$project": {"_id": 0, "value": f"${field}"}},
            ],
            "as": "other",
        }
    }
