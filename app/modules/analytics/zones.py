"""Time zones: which UTC offset holds when, from the tzdata package, the same on every machine.

MongoDB's own tables are not asked, because they age with the server. What a pipeline needs of a
zone is a short list of segments, each with one UTC offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from app.core.errors import BadInputError

# Offsets are looked up this far apart and a change is then found in between. No zone has two
# changes within six days (tests/modules/analytics/test_zones.py reads all of them to be sure).
STEP = timedelta(days=3)
# No zone changed its offset before this year.
FIRST_YEAR = 1840
_YEARS_KEPT = 20_000
_SECOND = timedelta(seconds=1)
_MORE_THAN_ANY_OFFSET = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Segment:
    """From `start` to before `end` (UTC instants) local time is UTC plus `offset`."""

    start: datetime
    end: datetime
    offset: timedelta

    def local(self, instant: datetime) -> datetime:
        """What clocks show, without a zone."""
        return (instant + self.offset).replace(tzinfo=None)

    def instant(self, local: datetime) -> datetime:
        """When clocks of this segment would show this."""
        return local.replace(tzinfo=UTC) - self.offset


@cache
def zone_names() -> frozenset[str]:
    """Every IANA name there is."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def zone_named(name: str) -> ZoneInfo:
    """The zone of this IANA name. Raises BadInputError for anything else."""
    if name not in zone_names():
        raise BadInputError('must be an IANA time zone such as "Europe/Zurich"', "timezone")
    return _load(name)


@cache
def _load(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def segments(zone: ZoneInfo, start: datetime, end: datetime) -> list[Segment]:
    """The segments of one offset that cover start to end, in order; at least one."""
    found: list[Segment] = []
    since, offset = start, _offset(zone, start)
    for year in range(max(start.year, FIRST_YEAR), end.year + 1):
        for instant, offset_from_then in _changes(zone, year):
            if start < instant < end:
                found.append(Segment(since, instant, offset))
                since, offset = instant, offset_from_then
    return [*found, Segment(since, end, offset)]


@lru_cache(maxsize=_YEARS_KEPT)
def _changes(zone: ZoneInfo, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    """When the offset changes in a year (UTC), and to what."""
    changes = []
    instant = datetime(year, 1, 1, tzinfo=UTC) - _SECOND
    last = datetime(year + 1, 1, 1, tzinfo=UTC) - _SECOND
    while instant < last:
        then = min(instant + STEP, last)
        offset = _offset(zone, then)
        if offset != _offset(zone, instant):
            changes.append((_change_between(zone, instant, then), offset))
        instant = then
    return tuple(changes)


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second at which the offset of `low` no longer holds; by `high` it does not."""
    before = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    # Before the first change the offset is the same for ever, and near year 1 Python has no local time.
    known = max(instant, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
    offset = known.astimezone(zone).utcoffset()
    return offset if offset is not None else timedelta(0)


def first_instant(parts: Sequence[Segment], local: datetime) -> datetime:
    """The first instant in these segments at which clocks show this or later."""
    for segment in parts:
        instant = max(segment.start, segment.instant(local))
        if instant < segment.end:
            return instant
    raise ValueError("the segments end before clocks show this")


def start_of_day(zone: ZoneInfo, day: date) -> datetime:
    """When the local day begins (UTC): its first instant, of a day that is skipped the next one's."""
    midnight = datetime.combine(day, time())
    around = midnight.replace(tzinfo=UTC)
    parts = segments(zone, around - _MORE_THAN_ANY_OFFSET, around + _MORE_THAN_ANY_OFFSET)
    return first_instant(parts, midnight)
