"""Retention: of the visitors who were new in a period, how many came back in each period after it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import BadInputError, LimitExceededError
from app.modules.analytics.behaviour.bounds import check_between
from app.modules.analytics.buckets import Granularity, Timeline, timeline
from app.modules.analytics.measures import percent
from app.modules.analytics.query import ReportQuery
from app.modules.analytics.ranges import MILLISECOND, TimeRange

DEFAULT_PERIODS, MAX_PERIODS = 12, 60
MAX_COHORTS = 200
_PERIODS = (Granularity.DAY, Granularity.WEEK, Granularity.MONTH)


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The periods of a range, and how many after its own are looked at for each cohort.

    `ends_with_last`: the range ends where its last period does.
    """

    time_range: TimeRange
    timeline: Timeline
    periods: int
    ends_with_last: bool

    @classmethod
    def of(cls, query: ReportQuery, granularity: Granularity, periods: int) -> "Cohorts":
        """Those of a report's range, by the calendar of its time zone.

        Raises BadInputError, and LimitExceededError where the periods are too many.
        """
        if granularity not in _PERIODS:
            raise BadInputError("must be DAY, WEEK or MONTH", "granularity")
        check_between(periods, 1, MAX_PERIODS, "periods")
        found = timeline(query.time_range, granularity, query.zone)
        if len(found.buckets) > MAX_COHORTS:
            raise LimitExceededError(
                f"is too long for {granularity.value}: there are at most {MAX_COHORTS} cohorts. "
                "Ask for a shorter range or longer periods.",
                "range",
            )
        end = query.time_range.end
        [after] = timeline(TimeRange(end, end + MILLISECOND), granularity, query.zone).buckets
        return cls(query.time_range, found, periods, ends_with_last=after.start == end)


@dataclass(frozen=True, slots=True)
class Return:
    """How many visitors of a cohort came back in the period that is so many after its own.

    None: that period is still to come. `complete`: it has passed and lies in the range altogether.
    """

    period: int
    visitors: int | None
    percent: float | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """The visitors who were new in the period that begins at `start`."""

    start: datetime
    visitors: int
    returns: list[Return]


class RetentionTable:
    """The answer, from how many visitors of each cohort were there in each period.

    `found` has documents with `cohort` and `period` (keys of buckets) and `visitors`.
    """

    def __init__(self, cohorts: Cohorts, found: Iterable[Mapping[str, Any]], now: datetime) -> None:
        places = {bucket.key: place for place, bucket in enumerate(cohorts.timeline.buckets)}
        self._counts: dict[tuple[int, int], int] = {
            (places[each["cohort"]], places[each["period"]]): each["visitors"] for each in found
        }
        self._periods = cohorts.periods
        self._starts = [bucket.start for bucket in cohorts.timeline.buckets]
        self._time_range = cohorts.time_range
        self._ends = [*self._starts[1:], cohorts.time_range.end if cohorts.ends_with_last else None]
        self._now = now
        # How many periods of the range have begun; one that is ahead has where it has events.
        past = [place for place, start in enumerate(self._starts) if start <= now]
        active = [period for _, period in self._counts]
        self._begun = max([*past, *active], default=-1) + 1

    def cohorts(self) -> list[Cohort]:
        """One for each period that has begun, in order."""
        return [
            Cohort(self._starts[place], self._size(place), self._returns([place]))
            for place in range(self._begun)
        ]

    def overall(self) -> list[Return]:
        """All cohorts together; of each period only those for which it has begun."""
        return self._returns(range(self._begun))

    def _returns(self, places: Sequence[int]) -> list[Return]:
        return [self._return(places, period) for period in range(self._periods + 1)]

    def _return(self, places: Sequence[int], period: int) -> Return:
        begun = [place for place in places if place + period < self._begun]
        if not begun:
            return Return(period, None, None, complete=False)
        visitors = sum(self._counts.get((place, place + period), 0) for place in begun)
        size = sum(self._size(place) for place in begun)
        complete = all(self._is_complete(place + period) for place in begun)
        return Return(period, visitors, percent(visitors, size), complete)

    def _size(self, place: int) -> int:
        return self._counts.get((place, place), 0)

    def _is_complete(self, place: int) -> bool:
        """Whether a period has passed and lies in the range altogether."""
        end = self._ends[place]
        if end is None or self._starts[place] < self._time_range.start:
            return False
        return end <= min(self._now, self._time_range.end)
