"""The aggregations of experiments: pure builders, the repository puts the site in front.

The events of a sample are not scaled up here: how sure a result is depends on how many visitors were
really counted.
"""

from app.core.event_types import EventType
from app.modules.analytics.experiments.query import (
    MAX_VARIANTS,
    CountBy,
    ExperimentRequest,
    Goal,
)
from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.ranges import TimeRange
from app.repositories.events import WEIGHT

_IMPRESSION = {"type": EventType.IMPRESSION.value}


def counts(asked: ExperimentRequest, time_range: TimeRange) -> list[Stage]:
    """One document for each variant: `_id`, `visitors`, `trials` and `successes`.

    By VISITOR there is one more whose `_id` is null: the visitors who saw several variants. There is
    one variant more than are shown, where there are more.
    """
    by = {CountBy.VISITOR: _by_visitor, CountBy.IMPRESSION: _by_impression}
    return [*by[asked.count_by](asked, time_range), *_first_variants(asked)]


def visitors(asked: ExperimentRequest, time_range: TimeRange) -> list[Stage]:
    """How many visitors have impressions, `shown`, and how many saw several variants, `in_several`.

    One document, or none of no visitors.
    """
    impression = _all_equal(_IMPRESSION)
    return [
        {"$match": {**_within(time_range), **_exposing(asked)}},
        {
            "$group": {
                "_id": "$visitor",
                "first": {"$min": "$variant"},
                "last": {"$max": "$variant"},
                "shown": {"$max": {"$cond": [impression, 1, 0]}},
            }
        },
        {
            "$group": {
                "_id": None,
                "shown": {"$sum": "$shown"},
                "in_several": {"$sum": {"$cond": [{"$ne": ["$first", "$last"]}, 1, 0]}},
            }
        },
    ]


def experiments(time_range: TimeRange, limit: int) -> list[Stage]:
    """`_id` of every experiment with its `events`, `variants`, how many these are, `first` and `last`.

    Among the variants may be null, for events that name none.
    """
    by_variant = {"experiment": "$experiment", "variant": "$variant"}
    order = {"named": -1, "_id.variant": 1}
    some = {"n": MAX_VARIANTS, "sortBy": order, "output": "$_id.variant"}
    return [
        {"$match": {**_within(time_range), "experiment": {"$exists": True}}},
        {
            "$group": {
                "_id": by_variant,
                "events": {"$sum": WEIGHT},
                "first": {"$min": "$at"},
                "last": {"$max": "$at"},
            }
        },
        # An event without a variant is of the experiment, but of no variant.
        {"$set": {"named": {"$cond": [{"$gt": ["$_id.variant", None]}, 1, 0]}}},
        {
            "$group": {
                "_id": "$_id.experiment",
                "events": {"$sum": "$events"},
                "first": {"$min": "$first"},
                "last": {"$max": "$last"},
                "variants": {"$topN": some},
                "number_of_variants": {"$sum": "$named"},
            }
        },
        {"$sort": {"last": -1, "_id": 1}},
        {"$limit": limit},
    ]


def _within(time_range: TimeRange) -> Stage:
    return {"at": {"$gte": time_range.start, "$lt": time_range.end}}


def _exposing(asked: ExperimentRequest) -> Stage:
    """Events that say which variant the visitor saw."""
    return {"experiment": asked.experiment, "variant": {"$exists": True}}


def _reaching(goal: Goal) -> Stage:
    """Events that are conversions."""
    fields = {
        "type": goal.type.value,
        "name": goal.name,
        "conversion_type": goal.conversion_type,
        "item": goal.item,
    }
    return {field: value for field, value in fields.items() if value is not None}


def _all_equal(fields: Stage) -> Expression:
    """The same condition of equality on each of these fields as an expression."""
    return {"$and": [{"$eq": [f"${name}", literal(value)]} for name, value in fields.items()]}


def _by_visitor(asked: ExperimentRequest, time_range: TimeRange) -> list[Stage]:
    """Each visitor is one trial: of the only variant that was seen, converted where the last event
    of the goal did not come before the first sight of it."""
    goal = _reaching(asked.goal)
    exposing = {
        "$and": [
            {"$eq": ["$experiment", literal(asked.experiment)]},
            {"$gt": ["$variant", None]},
        ]
    }
    converted = {"$gte": ["$reached_at", "$exposed_at"]}
    return [
        {"$match": {**_within(time_range), "$or": [_exposing(asked), goal]}},
        {
            "$project": {
                "_id": 0,
                "visitor": 1,
                "variant": {"$cond": [exposing, "$variant", None]},
                "exposed_at": {"$cond": [exposing, "$at", None]},
                "reached_at": {"$cond": [_all_equal(goal), "$at", None]},
            }
        },
        {
            "$group": {
                "_id": "$visitor",
                # Null is less than anything, and yet neither of them takes it for a value.
                "first": {"$min": "$variant"},
                "last": {"$max": "$variant"},
                "exposed_at": {"$min": "$exposed_at"},
                "reached_at": {"$max": "$reached_at"},
            }
        },
        {"$match": {"exposed_at": {"$ne": None}}},
        {
            "$group": {
                "_id": {"$cond": [{"$eq": ["$first", "$last"]}, "$first", None]},
                "visitors": {"$sum": 1},
                "trials": {"$sum": 1},
                "successes": {"$sum": {"$cond": [converted, 1, 0]}},
            }
        },
    ]


def _by_impression(asked: ExperimentRequest, time_range: TimeRange) -> list[Stage]:
    """Each impression is a trial of its variant, each event of the goal a success of its own."""
    goal = _reaching(asked.goal)
    return [
        {"$match": {**_within(time_range), **_exposing(asked), "$or": [_IMPRESSION, goal]}},
        {
            "$group": {
                "_id": {"variant": "$variant", "visitor": "$visitor"},
                "trials": {"$sum": {"$cond": [_all_equal(_IMPRESSION), 1, 0]}},
                "successes": {"$sum": {"$cond": [_all_equal(goal), 1, 0]}},
            }
        },
        {
            "$group": {
                "_id": "$_id.variant",
                "visitors": {"$sum": 1},
                "trials": {"$sum": "$trials"},
                "successes": {"$sum": "$successes"},
            }
        },
    ]


def _first_variants(asked: ExperimentRequest) -> list[Stage]:
    """Those that were named, then those with most trials; null is none of the variants, and stays."""
    always = [None, *asked.named_variants]
    return [
        {"$set": {"named": {"$in": ["$_id", literal(always)]}}},
        {"$sort": {"named": -1, "trials": -1, "_id": 1}},
        {"$limit": MAX_VARIANTS + 2},
    ]
