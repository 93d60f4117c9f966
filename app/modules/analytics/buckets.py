"""Buckets of time: minutes, hours, days, weeks and months of a time zone's clocks and calendar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.core.errors import LimitExceededError
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.zones import Segment, first_instant, segments


class Granularity(StrEnum):
    """How long a bucket is."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


# How many buckets one report may have.
MAX_BUCKETS = {
    Granularity.MINUTE: 2_880,  # two days
    Granularity.HOUR: 2_232,  # 93 days: any three months
    Granularity.DAY: 3_700,  # ten years
    Granularity.WEEK: 1_100,  # 21 years
    Granularity.MONTH: 1_200,  # a hundred years
}
# Minutes and hours follow the clock: an hour that is set back and passes twice is two buckets.
# Days, weeks and months follow the calendar: one bucket each, however many hours it has.
CLOCK_GRANULARITIES = frozenset({Granularity.MINUTE, Granularity.HOUR})

# No bucket is longer, so that a range of more than so many of these has too many.
_LONGEST = {
    Granularity.MINUTE: timedelta(minutes=1),
    Granularity.HOUR: timedelta(hours=1),
    Granularity.DAY: timedelta(hours=49),
    Granularity.WEEK: timedelta(days=9),
    Granularity.MONTH: timedelta(days=33),
}
# A bucket that a range begins in began at most so long before.
_LONGEST_BEFORE = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Bucket:
    """`start` is the instant at which it begins. `key` is what pipelines call it.

    Of minutes and hours the key is the start itself; of days, weeks and months it is the local
    midnight that it begins with, written as if it were UTC.
    """

    key: datetime
    start: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """The buckets that cover a range, in order, and the segments of the zone in which they lie.

    The first bucket is the one that contains the range's start: it begins where it naturally
    does, and only events within the range count. The segments reach back to there.
    """

    granularity: Granularity
    segments: tuple[Segment, ...]
    buckets: tuple[Bucket, ...]


def timeline(time_range: TimeRange, granularity: Granularity, zone: ZoneInfo) -> Timeline:
    """The buckets of a range. Raises LimitExceededError when they are too many."""
    most = MAX_BUCKETS[granularity]
    if (time_range.end - time_range.start) // _LONGEST[granularity] > most:
        raise _too_many(granularity)
    if time_range.start >= time_range.end:
        return Timeline(granularity, (), ())
    parts = segments(zone, time_range.start - _LONGEST_BEFORE, time_range.end)
    if granularity in CLOCK_GRANULARITIES:
        starts = _clock_starts(parts, time_range, granularity)
        found = [Bucket(start, start) for start in starts]
    else:
        found = _calendar_buckets(parts, time_range, granularity)
    if len(found) > most:
        raise _too_many(granularity)
    return Timeline(granularity, tuple(parts), tuple(found))


def _too_many(granularity: Granularity) -> LimitExceededError:
    return LimitExceededError(
        f"is too long for {granularity.value}: a report has at most "
        f"{MAX_BUCKETS[granularity]:,} buckets. Ask for a shorter range or longer buckets.",
        "range",
    )


def _within(parts: Sequence[Segment], time_range: TimeRange) -> Iterator[tuple[Segment, Segment]]:
    """Each segment that the range touches, and the part of it that lies in the range."""
    for segment in parts:
        start, end = max(segment.start, time_range.start), min(segment.end, time_range.end)
        if start < end:
            yield segment, Segment(start, end, segment.offset)


def _clock_starts(
    parts: Sequence[Segment], time_range: TimeRange, granularity: Granularity
) -> Iterator[datetime]:
    """When minutes or hours begin. After a change of the offset inside of one, that is the change."""
    for segment, part in _within(parts, time_range):
        local = floor(granularity, part.local(part.start))
        while (start := max(segment.instant(local), segment.start)) < part.end:
            yield start
            local = _next(granularity, local)


def _calendar_buckets(
    parts: Sequence[Segment], time_range: TimeRange, granularity: Granularity
) -> list[Bucket]:
    """Days, weeks or months: those whose date the calendar shows somewhere in the range."""
    dates: set[datetime] = set()
    for _, part in _within(parts, time_range):
        date, end = floor(granularity, part.local(part.start)), part.local(part.end)
        while date < end:
            dates.add(date)
            date = _next(granularity, date)
    return [Bucket(date.replace(tzinfo=UTC), first_instant(parts, date)) for date in sorted(dates)]


def floor(granularity: Granularity, local: datetime) -> datetime:
    """Where the bucket of a local time begins, on the clock or in the calendar. Weeks begin on Monday."""
    if granularity is Granularity.MINUTE:
        return local.replace(second=0, microsecond=0)
    if granularity is Granularity.HOUR:
        return local.replace(minute=0, second=0, microsecond=0)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if granularity is Granularity.DAY:
        return day
    if granularity is Granularity.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def _next(granularity: Granularity, local: datetime) -> datetime:
    if granularity is Granularity.MINUTE:
        return local + timedelta(minutes=1)
    if granularity is Granularity.HOUR:
        return local + timedelta(hours=1)
    if granularity is Granularity.DAY:
        return local + timedelta(days=1)
    if granularity is Granularity.WEEK:
        return local + timedelta(days=7)
    return (local + timedelta(days=32)).replace(day=1)
