"""Pure builders of the pipelines over stored sessions: plain lists of stages.

Every one of them covers both periods in one pass. What a session stands for is multiplied in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.sessions.numbers import MILLISECONDS, ROW_TOTALS, TOTALS, ByPeriod, Key
from app.modules.analytics.sessions.query import FIELDS, Breakdown, Narrowing, Period, Periods
from app.repositories.events import WEIGHT
from app.schemas import Session

_DURATION: Expression = {"$subtract": ["$last", "$start"]}
_NUMBERS: dict[str, Expression] = {
    "sessions": 1,
    "events": "$events",
    "page_views": "$page_views",
    "conversions": "$conversions",
    "duration": _DURATION,
    "bounced": {"$cond": ["$bounced", 1, 0]},
    "converted": {"$cond": [{"$gt": ["$conversions", 0]}, 1, 0]},
}


def _covered(periods: Periods, narrowing: Narrowing) -> Stage:
    started = {"$gte": periods.start, "$lt": periods.end}
    return {"$match": {"start": started, **narrowing.conditions}}


def _period(periods: Periods) -> Expression:
    is_current = {"$gte": ["$start", literal(periods.middle)]}
    return {"$cond": [is_current, Period.CURRENT.value, Period.PREVIOUS.value]}


def _sum(name: str) -> Expression:
    if name == "sampled":
        return {"$cond": [{"$gt": [WEIGHT, 1]}, 1, 0]}
    return {"$multiply": [_NUMBERS[name], WEIGHT]}


def totals(periods: Periods, narrowing: Narrowing) -> list[Stage]:
    """The TOTALS of each period; none of a period without sessions."""
    sums = {name: {"$sum": _sum(name)} for name in TOTALS}
    return [_covered(periods, narrowing), {"$group": {"_id": _period(periods), **sums}}]


def seconds(periods: Periods, narrowing: Narrowing) -> list[Stage]:
    """Sessions by period and whole seconds of duration."""
    whole = {"$floor": {"$divide": [_DURATION, MILLISECONDS]}}
    return _by_duration(periods, narrowing, whole, [])


def within_seconds(
    periods: Periods, narrowing: Narrowing, wanted: Mapping[Period, Sequence[int]]
) -> list[Stage]:
    """Sessions by period and milliseconds, of those that lasted so many whole seconds."""
    alternatives = [
        {
            "period": period.value,
            "duration": {"$gte": second * MILLISECONDS, "$lt": (second + 1) * MILLISECONDS},
        }
        for period, those in wanted.items()
        for second in those
    ]
    return _by_duration(periods, narrowing, _DURATION, [{"$match": {"$or": alternatives}}])


def _by_duration(
    periods: Periods, narrowing: Narrowing, duration: Expression, matching: Sequence[Stage]
) -> list[Stage]:
    fields = {"period": _period(periods), "duration": duration, "sessions": WEIGHT}
    key = {"period": "$period", "duration": "$duration"}
    return [
        _covered(periods, narrowing),
        {"$project": {"_id": 0, **fields}},
        *matching,
        {"$group": {"_id": key, "sessions": {"$sum": "$sessions"}}},
    ]


def rows(breakdown: Breakdown, periods: Periods, narrowing: Narrowing, limit: int) -> list[Stage]:
    """The rows with most sessions in the current period, in order."""
    return [
        *_rows(breakdown, periods, narrowing),
        {"$match": {_row_total(Period.CURRENT, "sessions"): {"$gt": 0}}},
        {"$sort": {_row_total(Period.CURRENT, "sessions"): -1, **_key_order(breakdown)}},
        {"$limit": limit},
    ]


def these_rows(
    breakdown: Breakdown, periods: Periods, narrowing: Narrowing, keys: Sequence[Key]
) -> list[Stage]:
    """The rows with these keys, in no order."""
    wanted = [dict(zip(FIELDS[breakdown], key, strict=True)) for key in keys]
    return [*_rows(breakdown, periods, narrowing), {"$match": {"_id": {"$in": wanted}}}]


def _row_total(period: Period, name: str) -> str:
    return f"{period.value}_{name}"


def _key_order(breakdown: Breakdown) -> dict[str, int]:
    return {f"_id.{name}": 1 for name in FIELDS[breakdown]}


def _rows(breakdown: Breakdown, periods: Periods, narrowing: Narrowing) -> list[Stage]:
    """By key and period first, so that of each session little is asked."""
    key = {name: {"$ifNull": [f"${name}", None]} for name in FIELDS[breakdown]}
    sums = {}
    for period in Period:
        is_of = {"$eq": ["$_id.period", period.value]}
        for name in ROW_TOTALS:
            sums[_row_total(period, name)] = {"$sum": {"$cond": [is_of, f"${name}", 0]}}
    return [
        _covered(periods, narrowing),
        {
            "$group": {
                "_id": {**key, "period": _period(periods)},
                **{name: {"$sum": _sum(name)} for name in ROW_TOTALS},
            }
        },
        {"$group": {"_id": {name: f"$_id.{name}" for name in key}, **sums}},
    ]


def row_of(breakdown: Breakdown, found: Mapping[str, Any]) -> tuple[Key, ByPeriod]:
    """A row that these pipelines found: its key, and its ROW_TOTALS by period."""
    key = tuple(found["_id"][name] for name in FIELDS[breakdown])
    return key, {
        period: Counter({name: int(found[_row_total(period, name)]) for name in ROW_TOTALS})
        for period in Period
    }


def visitors(periods: Periods, narrowing: Narrowing) -> list[Stage]:
    """The visitors of each period: `found` is how many, `visitors` how many they stand for."""
    return [
        *_by_visitor(periods, narrowing),
        {
            "$group": {
                "_id": "$_id.period",
                "found": {"$sum": 1},
                "visitors": {"$sum": "$weight"},
            }
        },
    ]


def new_visitors(site: str, periods: Periods, narrowing: Narrowing) -> list[Stage]:
    """`new` of each period: visitors without a session before the first that is counted of it.

    Each of them is looked up, which is quick for a few and takes long for very many.
    """
    return [
        *_by_visitor(periods, narrowing),
        {
            "$lookup": {
                "from": Session.Settings.name,
                "localField": "_id.visitor",
                "foreignField": "visitor",
                "let": {"first": "$first"},
                "pipeline": [
                    {"$match": {"site": site, "$expr": {"$lt": ["$start", "$$first"]}}},
                    {"$limit": 1},
                    {"$project": {"_id": 1}},
                ],
                "as": "before",
            }
        },
        {"$match": {"before": []}},
        {"$group": {"_id": "$_id.period", "new": {"$sum": "$weight"}}},
    ]


def visitors_that_began(periods: Periods) -> list[Stage]:
    """The same for sessions that are not narrowed and stand for themselves alone.

    One step in an index for each visitor that is known, whether of these periods or not.
    """
    return [
        {"$sort": {"visitor": 1, "start": 1}},
        {"$group": {"_id": "$visitor", "start": {"$first": "$start"}}},
        {"$match": {"start": {"$gte": periods.start, "$lt": periods.end}}},
        {"$group": {"_id": _period(periods), "new": {"$sum": 1}}},
    ]


def _by_visitor(periods: Periods, narrowing: Narrowing) -> list[Stage]:
    return [
        _covered(periods, narrowing),
        {
            "$group": {
                "_id": {"period": _period(periods), "visitor": "$visitor"},
                "first": {"$min": "$start"},
                "weight": {"$max": WEIGHT},
            }
        },
    ]
