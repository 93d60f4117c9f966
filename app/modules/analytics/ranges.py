"""The time that a report covers: presets, and what start and end may be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.core.errors import BadInputError
from app.modules.analytics.zones import start_of_day

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2201, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class RangePreset(StrEnum):
    """A range by its name."""

    LAST_24_HOURS = "LAST_24_HOURS"
    LAST_7_DAYS = "LAST_7_DAYS"
    LAST_30_DAYS = "LAST_30_DAYS"
    LAST_90_DAYS = "LAST_90_DAYS"
    TODAY = "TODAY"
    YESTERDAY = "YESTERDAY"
    THIS_MONTH = "THIS_MONTH"
    LAST_MONTH = "LAST_MONTH"
    ALL = "ALL"


DEFAULT_PRESET = RangePreset.LAST_30_DAYS

_ROLLING = {
    RangePreset.LAST_24_HOURS: timedelta(hours=24),
    RangePreset.LAST_7_DAYS: timedelta(days=7),
    RangePreset.LAST_30_DAYS: timedelta(days=30),
    RangePreset.LAST_90_DAYS: timedelta(days=90),
}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start`, included, to `end`, left out; UTC instants.

    A range up to now ends a little after now, because accepted events may lie that far ahead. Its
    buckets that begin after `filled_until` are shown only when they have events; None: all are.
    """

    start: datetime
    end: datetime
    filled_until: datetime | None = None

    def before(self) -> "TimeRange":
        """The range of the same length that ends where this one begins."""
        return TimeRange(self.start - (self.end - self.start), self.start)


@dataclass(frozen=True, slots=True)
class RangeRequest:
    """What was asked for: a preset, or start (and end). Raises BadInputError for anything else."""

    preset: RangePreset | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        explicit = self.start is not None or self.end is not None
        if self.preset is not None and explicit:
            raise BadInputError("must be a preset, or start and end, not both", "range")
        if self.start is None and self.end is not None:
            raise BadInputError("is needed where end is given", "range.start")

    @property
    def needs_edges(self) -> bool:
        """Whether it depends on the site's first and last event."""
        return self.preset is RangePreset.ALL


@dataclass(frozen=True, slots=True)
class Edges:
    """When the site's first and last event happened; None where there are none."""

    first: datetime | None = None
    last: datetime | None = None

    @classmethod
    def of(cls, instants: Iterable[datetime | None]) -> "Edges":
        """The first and the last of these instants, of which None is none."""
        known = [instant for instant in instants if instant is not None]
        return cls(min(known), max(known)) if known else cls()


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a report is asked for: now, how far ahead of it events may lie, the time zone."""

    now: datetime
    tolerance: timedelta
    zone: ZoneInfo

    @property
    def end(self) -> datetime:
        """Where ranges up to now end, so that every accepted event is in them."""
        return self.now + self.tolerance + MILLISECOND


def resolve(request: RangeRequest, moment: Moment, edges: Edges) -> TimeRange:
    """The range that was asked for. Raises BadInputError for one that is empty or out of bounds."""
    if request.start is not None:
        return _explicit(request.start, request.end, moment)
    preset = request.preset or DEFAULT_PRESET
    if preset in _ROLLING:
        return TimeRange(moment.now - _ROLLING[preset], moment.end, filled_until=moment.now)
    if preset is RangePreset.ALL:
        return _everything(edges, moment.now)
    return _calendar_period(preset, moment)


def _explicit(start: datetime, end: datetime | None, moment: Moment) -> TimeRange:
    until = end if end is not None else moment.end
    if start >= until:
        raise BadInputError("must have its start before its end", "range")
    if start < EARLIEST or until > LATEST:
        raise BadInputError("must lie within the years 1900 to 2200", "range")
    return TimeRange(start, until, filled_until=None if end is not None else moment.now)


def _everything(edges: Edges, now: datetime) -> TimeRange:
    if edges.first is None or edges.last is None:
        return TimeRange(now, now)
    return TimeRange(edges.first, max(edges.last + MILLISECOND, now))


def _calendar_period(preset: RangePreset, moment: Moment) -> TimeRange:
    """A day or a month by the zone's calendar, whole, even where part of it is still to come."""
    zone = moment.zone
    today = moment.now.astimezone(zone).date()
    if preset is RangePreset.TODAY:
        return TimeRange(start_of_day(zone, today), start_of_day(zone, today + timedelta(days=1)))
    if preset is RangePreset.YESTERDAY:
        end = start_of_day(zone, today)
        # The day before may not exist: Samoa skipped one when it moved across the date line.
        yesterday = (end - MILLISECOND).astimezone(zone).date()
        return TimeRange(start_of_day(zone, yesterday), end)
    this_month = today.replace(day=1)
    if preset is RangePreset.THIS_MONTH:
        next_month = (this_month + timedelta(days=31)).replace(day=1)
        return TimeRange(start_of_day(zone, this_month), start_of_day(zone, next_month))
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    return TimeRange(start_of_day(zone, last_month), start_of_day(zone, this_month))
