"""How numbers are spread: exact quantiles of whole numbers of which there may be any amount.

Quantiles are by nearest rank: the p-th percentile of n values is the one at place p * n / 100,
rounded up, of all of them in order. MongoDB finds it in two passes that answer little: the first
counts the values by steps of a fixed width, the second counts each value of those steps in which a
place lies. Documents have `key` (what they are broken down by), `value` and `weight`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.modules.analytics.pipelines.expressions import Expression, Stage

Key = str | None
# How many there are of each value, or of each step.
Counts = Mapping[int, int]


def place_of(percentile: int, count: int) -> int:
    """The place of a percentile among so many values in order, from 1."""
    return max(1, -(-percentile * count // 100))


def value_at(place: int, counts: Counts) -> tuple[int, int]:
    """The value at this place (from 1) of all in order, and how many values are below it."""
    below = 0
    for value in sorted(counts):
        if below + counts[value] >= place:
            return value, below
        below += counts[value]
    raise ValueError("there are fewer values than that")


@dataclass(slots=True)
class Spread:
    """The values of one key: how many by step, and what they are together."""

    total: int = 0
    by_step: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.by_step.values())

    def steps(self, percentiles: Iterable[int]) -> set[int]:
        """The steps in which these percentiles lie."""
        count = self.count
        places = (place_of(percentile, count) for percentile in percentiles) if count else ()
        return {value_at(place, self.by_step)[0] for place in places}

    def quantile(self, percentile: int, by_value: Mapping[int, Counts]) -> int:
        """A percentile, of at least one value; `by_value` has the values of its step."""
        place = place_of(percentile, self.count)
        step, below = value_at(place, self.by_step)
        return value_at(place - below, by_value[step])[0]


def by_step(step: int) -> list[Stage]:
    """The first pass: how many values each step has, and their sum."""
    weighted = {"$multiply": ["$value", "$weight"]}
    return [
        {
            "$group": {
                "_id": {"key": "$key", "step": _step(step)},
                "count": {"$sum": "$weight"},
                "total": {"$sum": weighted},
            }
        }
    ]


def spreads_from(found: Sequence[Mapping[str, Any]]) -> dict[Key, Spread]:
    """What the first pass found, by key."""
    spreads: dict[Key, Spread] = {}
    for row in found:
        spread = spreads.setdefault(row["_id"]["key"], Spread())
        spread.total += int(row["total"])
        spread.by_step[int(row["_id"]["step"])] = int(row["count"])
    return spreads


def by_value(step: int, wanted: Mapping[Key, Iterable[int]]) -> list[Stage]:
    """The second pass: how often each value of these steps occurs."""
    alternatives = [
        {"key": key, "step": {"$in": sorted(steps)}} for key, steps in wanted.items() if steps
    ]
    return [
        {"$set": {"step": _step(step)}},
        {"$match": {"$or": alternatives}},
        {
            "$group": {
                "_id": {"key": "$key", "step": "$step", "value": "$value"},
                "count": {"$sum": "$weight"},
            }
        },
    ]


def values_from(found: Sequence[Mapping[str, Any]]) -> dict[Key, dict[int, dict[int, int]]]:
    """What the second pass found: by key and step, how often each value occurs."""
    values: dict[Key, dict[int, dict[int, int]]] = {}
    for row in found:
        place = row["_id"]
        of_step = values.setdefault(place["key"], {}).setdefault(int(place["step"]), {})
        of_step[int(place["value"])] = int(row["count"])
    return values


def _step(step: int) -> Expression:
    """Where the step of a value begins. Values are whole and not negative."""
    return {"$subtract": ["$value", {"$mod": ["$value", step]}]}
