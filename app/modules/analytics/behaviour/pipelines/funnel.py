"""The events that can be steps of a funnel, visitor after visitor."""

from app.modules.analytics.behaviour.funnel import Step, Steps
from app.modules.analytics.pipelines.dimensions import Categories, value_of
from app.modules.analytics.pipelines.expressions import Expression, Stage, literal
from app.modules.analytics.pipelines.matching import covered
from app.modules.analytics.query import Dimension, ReportQuery
from app.repositories.events import WEIGHT

_FIELDS = {
    "event_type": "type",
    "name": "name",
    "category": "category",
    "item": "item",
    "page": "page",
}
# Each event has its category in a field of that name.
_CATEGORY_IS_SET = Categories(None)


def possible_steps(
    query: ReportQuery, steps: Steps, by: Dimension | None, categories: Categories
) -> list[Stage]:
    """`visitor`, `at` (milliseconds), `steps` (bits), `weight`, and `value` of what can be a first step.

    By visitor, then by time, then by id. Where steps are of a category or `by` is CATEGORY, the
    query's dimensions have CATEGORY.
    """
    event: Stage = {
        "visitor": 1,
        "at": {"$toLong": "$at"},
        "steps": {
            "$add": [
                {"$cond": [_is(step), literal(1 << place), literal(0)]}
                for place, step in enumerate(steps.steps)
            ]
        },
        "weight": WEIGHT if query.sampled else literal(1),
    }
    if by is not None:
        value = value_of(by, query, _CATEGORY_IS_SET)
        event["value"] = {"$cond": [_is(steps.steps[0]), value, "$$REMOVE"]}
    # It may be as long as the catalogue: once is enough.
    category: Stage = {"$set": {"category": categories.expression()}}
    return [
        *covered(query, categories),
        *([category] if Dimension.CATEGORY in query.dimensions else []),
        {"$match": {"$or": [_fields(step) for step in steps.steps]}},
        {"$project": event},
        {"$sort": {"visitor": 1, "at": 1, "_id": 1}},
        {"$unset": "_id"},
    ]


def _is(step: Step) -> Expression:
    """Whether an event can be this step."""
    return {
        "$and": [{"$eq": [f"${name}", literal(value)]} for name, value in _fields(step).items()]
    }


def _fields(step: Step) -> dict[str, str]:
    """The fields of an event that a step is about, and what they must be."""
    values = {name: getattr(step, part) for part, name in _FIELDS.items()}
    return {name: str(value) for name, value in values.items() if value is not None}
