"""Funnels: how far visitors get through steps that follow each other. Pure; no database here."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import BadInputError, LimitExceededError
from app.core.event_types import EventType
from app.core.texts import check_id
from app.modules.analytics.behaviour.bounds import check_between

MIN_STEPS, MAX_STEPS = 2, 8
DEFAULT_WINDOW = 86_400
MAX_WINDOW = 90 * 86_400
MAX_FUNNEL_ROWS = 1_000
# What is held in memory: the events of one visitor, the rows, and the times between steps.
MAX_EVENTS_OF_VISITOR = 100_000
MAX_VALUES = 20_000
MAX_TIMES = 2_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """What an event must be to be this step: all of what is not None."""

    event_type: EventType | None = None
    name: str | None = None
    category: str | None = None
    item: str | None = None
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a funnel, in order, and the seconds in which all of them must happen.

    Raises BadInputError.
    """

    steps: tuple[Step, ...]
    window: int = DEFAULT_WINDOW

    def __post_init__(self) -> None:
        if not MIN_STEPS <= len(self.steps) <= MAX_STEPS:
            raise BadInputError(f"must have {MIN_STEPS} to {MAX_STEPS} steps", "steps")
        for place, step in enumerate(self.steps):
            _check(step, f"steps.{place}")
        check_between(self.window, 1, MAX_WINDOW, "windowSeconds")

    @property
    def need_categories(self) -> bool:
        return any(step.category is not None for step in self.steps)


def _check(step: Step, name: str) -> None:
    if step == Step():
        raise BadInputError("must have a type, a name, a category, an itemId or a page", name)
    texts = (("name", step.name), ("category", step.category), ("page", step.page))
    for part, text in (*texts, ("itemId", step.item)):
        if text is not None:
            check_id(text, f"{name}.{part}")


def best_attempt(
    at: Sequence[int], steps: Sequence[int], number_of_steps: int, window: int
) -> list[int]:
    """The places of the events of a visitor's best attempt, one for each step that it reached.

    `at` are the times of the visitor's events in milliseconds, in order; `steps` says of each which
    steps it can be, as bits; `window` is in milliseconds. An attempt starts at any event of the first
    step; each further step is the first event after the one before that can be it, at most the
    window after the start. The best one reaches most steps; of equals it is the earliest.
    """
    places = [
        [place for place, bits in enumerate(steps) if bits >> number & 1]
        for number in range(number_of_steps)
    ]
    best: list[int] = []
    for start in places[0]:
        attempt = _attempt(at, places, start, window)
        if len(attempt) > len(best):
            best = attempt
        if len(best) == number_of_steps:
            break
    return best


def _attempt(
    at: Sequence[int], places: Sequence[Sequence[int]], start: int, window: int
) -> list[int]:
    attempt = [start]
    for those in places[1:]:
        following = bisect_right(those, attempt[-1])
        if following == len(those) or at[those[following]] - at[start] > window:
            break
        attempt.append(those[following])
    return attempt


# Milliseconds from one step to the next, by the weight of the visitors who took them.
Times = dict[int, "array[int]"]


@dataclass(slots=True)
class Reached:
    """How many visitors reached each step, and how long they took from the step before to each."""

    visitors: list[int]
    times: list[Times]

    @classmethod
    def none(cls, number_of_steps: int) -> "Reached":
        return cls([0] * number_of_steps, [{} for _ in range(number_of_steps)])

    def add(self, times: Sequence[int], weight: int, *, timed: bool) -> None:
        """Count an attempt by the times of its events."""
        for step, at in enumerate(times):
            self.visitors[step] += weight
            if timed and step:
                known = self.times[step].setdefault(weight, array("q"))
                known.append(at - times[step - 1])


def median_seconds(times: Times) -> float | None:
    """The median, in seconds: of an even number the mean of the middle two; None of nobody.

    A visitor who stands for several counts several times.
    """
    number = sum(weight * len(durations) for weight, durations in times.items())
    if not number:
        return None
    lower, upper = (number - 1) // 2, number // 2
    if len(times) == 1:
        [(weight, durations)] = times.items()
        ordered = sorted(durations)
        return (ordered[lower // weight] + ordered[upper // weight]) / 2_000
    found: list[int] = []
    seen = 0
    for duration, weight in sorted((each, w) for w, those in times.items() for each in those):
        found += [duration for place in (lower, upper) if seen <= place < seen + weight]
        seen += weight
        if len(found) == 2:
            break
    return sum(found) / 2_000


class FunnelTally:
    """Counts the best attempts of visitors whose events come in order, visitor after visitor."""

    def __init__(self, steps: Steps, *, broken_down: bool, timed: bool) -> None:
        self._number = len(steps.steps)
        self._window = steps.window * 1000
        self._broken_down = broken_down
        self._timed = timed
        self._visitor: str | None = None
        self._times_held = 0
        self._weight = 1
        self._forget()
        self.total = Reached.none(self._number)
        self.rows: dict[str | None, Reached] = {}

    def take(self, events: Sequence[dict[str, Any]]) -> None:
        """Events with `visitor`, `at`, `steps`, `weight`, and `value` where they can be a first step."""
        for event in events:
            if event["visitor"] != self._visitor:
                self.finish()
                self._visitor = event["visitor"]
            if len(self._at) == MAX_EVENTS_OF_VISITOR:
                raise LimitExceededError(
                    f"One visitor has more than {MAX_EVENTS_OF_VISITOR:,} events that can be steps. "
                    "Ask for a shorter range or narrower steps, or filter that visitor out.",
                    "steps",
                )
            if self._broken_down and event["steps"] & 1:
                self._values[len(self._at)] = event.get("value")
            self._at.append(event["at"])
            self._steps.append(event["steps"])
            self._weight = max(self._weight, event["weight"])

    def finish(self) -> None:
        """Count the visitor whose events came last."""
        best = best_attempt(self._at, self._steps, self._number, self._window)
        if best:
            times = [self._at[place] for place in best]
            self._hold(len(times) - 1)
            self.total.add(times, self._weight, timed=self._timed)
            if self._broken_down:
                self._row(self._values[best[0]]).add(times, self._weight, timed=self._timed)
        self._forget()

    def _forget(self) -> None:
        self._at: array[int] = array("q")
        self._steps = bytearray()
        self._values: dict[int, str | None] = {}
        self._weight = 1

    def _hold(self, times: int) -> None:
        self._times_held += times if self._timed else 0
        if self._times_held > MAX_TIMES:
            raise LimitExceededError(
                f"The medians are of more than {MAX_TIMES:,} times. Ask for a shorter range, or "
                "without medianSeconds.",
                "range",
            )

    def _row(self, value: str | None) -> Reached:
        if value not in self.rows:
            if len(self.rows) == MAX_VALUES:
                raise LimitExceededError(
                    f"has more than {MAX_VALUES:,} values here. Ask for another dimension, a shorter "
                    "range or a narrower filter.",
                    "by",
                )
            self.rows[value] = Reached.none(self._number)
        return self.rows[value]
