"""Expressions for what an event does not say in a field of its own: its local time and bucket."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from app.modules.analytics.buckets import CLOCK_GRANULARITIES, Granularity, Timeline
from app.modules.analytics.zones import Segment

Stage = dict[str, Any]
Expression = Any

_MILLISECOND = timedelta(milliseconds=1)


def literal(value: Any) -> Expression:
    """A value as it is: a text that begins with '$' would be taken for a field."""
    return {"$literal": value}


def local_time(segments: Sequence[Segment]) -> Expression:
    """What clocks showed at an event, as a date that is written as if it were UTC."""
    return {"$add": ["$at", _by_segment(segments, _offset)]}


def bucket_key(timeline: Timeline) -> Expression:
    """The `key` of the bucket that an event is in (buckets.py)."""
    granularity, segments = timeline.granularity, timeline.segments
    if granularity in CLOCK_GRANULARITIES:
        return _by_segment(segments, lambda segment: _clock_key(segment, granularity))
    return _floor(local_time(segments), granularity)


def _clock_key(segment: Segment, granularity: Granularity) -> Expression:
    """The instant at which the minute or hour begins, at the earliest the one of the segment."""
    offset = _offset(segment)
    local = _floor({"$add": ["$at", offset]}, granularity)
    return {"$max": [{"$subtract": [local, offset]}, segment.start]}


def _floor(date: Expression, granularity: Granularity) -> Expression:
    unit = granularity.value.lower()
    return {"$dateTrunc": {"date": date, "unit": unit, "startOfWeek": "monday"}}


def _offset(segment: Segment) -> int:
    """Milliseconds."""
    return segment.offset // _MILLISECOND


def _by_segment(segments: Sequence[Segment], of: Callable[[Segment], Expression]) -> Expression:
    """What `of` gives for the segment that an event is in, found by halves: a century has hundreds."""
    if len(segments) == 1:
        return of(segments[0])
    middle = len(segments) // 2
    earlier, later = segments[:middle], segments[middle:]
    return {
        "$cond": [
            {"$lt": ["$at", later[0].start]},
            _by_segment(earlier, of),
            _by_segment(later, of),
        ]
    }
