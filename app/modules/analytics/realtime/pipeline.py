"""The pipeline of the last minutes' numbers, and what it finds. All are counted in one pass."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.realtime.numbers import MAX_TOP, Numbers, TopItem, TopPage, Window
from app.repositories.events import WEIGHT
from app.schemas.event import EventType


def last_minutes(window: Window) -> list[Stage]:
    """One document: `visitors`, `sessions`, `minutes`, `types`, `items` and `pages`, each a list."""
    first = min(window.start, window.active_since)
    active: Stage = {"$match": {"at": {"$gte": window.active_since}}}
    recent: Stage = {"$match": {"at": {"$gte": window.start}}}
    return [
        {"$match": {"at": {"$gte": first, "$lt": window.end}}},
        {
            "$project": {
                "_id": 0,
                **dict.fromkeys(("type", "item", "page", "visitor", "session"), 1),
                "at": {"$min": ["$at", literal(window.now)]},
                "weight": WEIGHT,
            }
        },
        {
            "$facet": {
                "visitors": [active, *_distinct("$visitor")],
                "sessions": [active, *_distinct("$session")],
                "minutes": [
                    recent,
                    _counted({"$dateTrunc": {"date": "$at", "unit": "minute"}}),
                ],
                "types": [recent, _counted("$type"), *_most(len(EventType))],
                "items": [
                    recent,
                    {"$match": {"item": {"$exists": True}}},
                    _counted(
                        "$item",
                        impressions=_of(EventType.IMPRESSION),
                        clicks=_of(EventType.CLICK),
                    ),
                    *_most(MAX_TOP),
                ],
                "pages": [
                    recent,
                    {"$match": {"page": {"$exists": True}}},
                    _counted("$page", page_views=_of(EventType.PAGE_VIEW)),
                    *_most(MAX_TOP),
                ],
            }
        },
    ]


def numbers(window: Window, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Numbers:
    """What the pipeline found."""
    counted = {each["_id"]: each["events"] for each in found["minutes"]}
    return Numbers(
        as_of=window.now,
        active_visitors=_number(found["visitors"]),
        active_sessions=_number(found["sessions"]),
        per_minute=tuple((start, counted.get(start, 0)) for start in window.starts()),
        by_type=tuple((EventType(each["_id"]), each["events"]) for each in found["types"]),
        items=tuple(
            TopItem(each["_id"], each["events"], each["impressions"], each["clicks"])
            for each in found["items"]
        ),
        pages=tuple(
            TopPage(each["_id"], each["events"], each["page_views"]) for each in found["pages"]
        ),
    )


def _number(found: Sequence[Mapping[str, Any]]) -> int:
    return int(found[0]["number"]) if found else 0


def _distinct(of: Expression) -> list[Stage]:
    """How many there are, as `number`; each stands for as many as its heaviest event."""
    return [
        {"$group": {"_id": of, "weight": {"$max": "$weight"}}},
        {"$group": {"_id": None, "number": {"$sum": "$weight"}}},
    ]


def _counted(by: Expression, **more: Expression) -> Stage:
    sums = {name: {"$sum": expression} for name, expression in more.items()}
    return {"$group": {"_id": by, "events": {"$sum": "$weight"}, **sums}}


def _of(event_type: EventType) -> Expression:
    return {"$cond": [{"$eq": ["$type", event_type.value]}, "$weight", literal(0)]}


def _most(limit: int) -> list[Stage]:
    return [{"$sort": {"events": -1, "_id": 1}}, {"$limit": limit}]
