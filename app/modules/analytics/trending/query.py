"""Trending items as they are asked for, and the two periods that are compared."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.errors import BadInputError
from app.core.event_types import EventType
from app.modules.analytics.query import EventFilter, check_limit
from app.modules.analytics.ranges import RangePreset, RangeRequest, TimeRange

MAX_TRENDING_ITEMS = 100
DEFAULT_MINIMUM = 10
MAX_MINIMUM = 1_000_000_000


class TrendBy(StrEnum):
    """What is counted of an item."""

    IMPRESSIONS = "IMPRESSIONS"
    VIEWS = "VIEWS"
    CLICKS = "CLICKS"
    CONVERSIONS = "CONVERSIONS"

    @property
    def event_type(self) -> EventType:
        return EventType(self.value.removesuffix("S"))


class Direction(StrEnum):
    """Which items are wanted: those of which there is more now, or less."""

    RISING = "RISING"
    FALLING = "FALLING"


@dataclass(frozen=True, slots=True)
class TrendRequest:
    """What of items is compared, and which of them are wanted. Raises BadInputError."""

    filter: EventFilter
    by: TrendBy = TrendBy.IMPRESSIONS
    direction: Direction = Direction.RISING
    limit: int = 10
    minimum: int = DEFAULT_MINIMUM

    def __post_init__(self) -> None:
        check_limit(self.limit, MAX_TRENDING_ITEMS)
        if not 1 <= self.minimum <= MAX_MINIMUM:
            raise BadInputError(f"must be from 1 to {MAX_MINIMUM:,}", "minimum")


@dataclass(frozen=True, slots=True)
class Periods:
    """Two periods of equal length, one just before the other."""

    current: TimeRange
    previous: TimeRange

    @property
    def both(self) -> TimeRange:
        return TimeRange(self.previous.start, self.current.end)


def check_has_a_before(asked: RangeRequest) -> None:
    """Raises BadInputError for the range that nothing lies before."""
    if asked.preset is RangePreset.ALL:
        raise BadInputError("must not be ALL, because nothing lies before it", "range.preset")


def periods(time_range: TimeRange, latest: datetime) -> Periods:
    """What of a range there can be events of, and as much just before it.

    Of a day that is half over, half a day is compared with half a day.
    """
    current = time_range
    if time_range.start < latest < time_range.end:
        current = TimeRange(time_range.start, latest)
    return Periods(current, current.before())
