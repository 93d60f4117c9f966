"""What a report is answered from: rollups of whole periods, quarters in columns, events themselves."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.quarters import DAY_MS, QUARTER_MS
from app.modules.analytics.rollups.cells import (
    DAY,
    FOUR_WEEKS,
    FOUR_WEEKS_MS,
    QUARTER,
    WEEK,
    WEEK_MS,
)
from app.modules.analytics.rollups.parts import (
    BLOCK_MINUTES,
    MINUTE_MS,
    block_of_day,
    first_of_day,
    rest_of_day,
)

# Of a longer range the days are not looked at one by one: there cannot be much of most of them.
MOST_DAYS = 10_000
PARTS, BLOCKS = "parts", "blocks"  # of days, among levels
Parts = Mapping[int, Sequence[int]]
NO_PARTS: Parts = {}
# 1970 began on a Thursday; weeks begin on Mondays.
_MONDAY = 4 * DAY_MS


@dataclass(frozen=True, slots=True)
class Unit:
    """A period that a rollup stands for. `start` is that of the rollup, `at` one of its instants."""

    level: str
    start: int
    at: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What of a site is stored: from when to when, and what of it has changed since; milliseconds."""

    start: int
    end: int
    dirty_quarters: frozenset[int]
    dirty_days: frozenset[int]
    dirty_weeks: frozenset[int] = frozenset()
    dirty_four_weeks: frozenset[int] = frozenset()


@dataclass(slots=True)
class Coverage:
    """A range, divided. Spans are from start to end, left out."""

    units: list[Unit] = field(default_factory=list)
    columns: list[tuple[int, int]] = field(default_factory=list)
    live: list[tuple[int, int]] = field(default_factory=list)

    @property
    def quarters_in_columns(self) -> int:
        """How many quarters must be read event by event."""
        return sum(-(-(end - start) // QUARTER_MS) for start, end in self.columns)

    def live_quarters(self) -> Iterator[tuple[int, int]]:
        """The live spans, a quarter of an hour at a time."""
        for start, end in self.live:
            while start < end:
                next_quarter = start // QUARTER_MS * QUARTER_MS + QUARTER_MS
                yield start, min(next_quarter, end)
                start = next_quarter


def week_of(milliseconds: int) -> int:
    """When the week began, on a Monday of UTC."""
    return (milliseconds - _MONDAY) // WEEK_MS * WEEK_MS + _MONDAY


def four_weeks_of(milliseconds: int) -> int:
    """When the four weeks began, whose first began on the first Monday of 1970 or four weeks later, ..."""
    return (milliseconds - _MONDAY) // FOUR_WEEKS_MS * FOUR_WEEKS_MS + _MONDAY


def coverage(
    start: int,
    end: int,
    stored: Stored,
    levels: Collection[str],
    boundaries: Sequence[int],
    parts: Parts = NO_PARTS,
) -> Coverage:
    """Divide a range, with the largest clean rollups of these levels in which no boundary lies.

    `levels` are of FOUR_WEEKS, WEEK, DAY, PARTS or BLOCKS, and QUARTER; `boundaries` are in order.
    `parts` says of days after how many minutes they are divided, or their blocks begin, in order.
    """
    start, end = max(start, stored.start), min(end, stored.end)
    if start >= end:
        return Coverage()
    levels = levels if (end - start) // DAY_MS <= MOST_DAYS else ()
    return _Division(start, end, stored, levels, boundaries, parts).divided()


class _Division:
    """The work of `coverage`, from the first instant on."""

    def __init__(
        self,
        start: int,
        end: int,
        stored: Stored,
        levels: Collection[str],
        boundaries: Sequence[int],
        parts: Parts,
    ) -> None:
        self._start = start
        self._end = end
        self._stored = stored
        self._levels = levels
        self._boundaries = boundaries
        self._parts = parts
        self._dirty = sorted(stored.dirty_quarters)
        self._found = Coverage()

    def divided(self) -> Coverage:
        at = self._start
        while at < self._end:
            at = self._after_rollup(at) or self._after_quarters(at)
        self._found.columns = list(_joined(self._found.columns))
        self._found.live = list(_joined(self._found.live))
        return self._found

    def _after_rollup(self, at: int) -> int | None:
        """Take the largest rollup that begins here; where it ends. None where there is none."""
        if not at % QUARTER_MS:
            for level, start, end in self._rollups_from(at):
                if self._lies_whole(at, end):
                    self._found.units.append(Unit(level, start, at))
                    return end
        return None

    def _rollups_from(self, at: int) -> Iterator[tuple[str, int, int]]:
        """Those that begin here, the largest first: their levels, starts and ends."""
        stored, levels = self._stored, self._levels
        day = at // DAY_MS * DAY_MS
        if FOUR_WEEKS in levels and four_weeks_of(at) == at and self._are_rolled_up(at):
            yield FOUR_WEEKS, at, at + FOUR_WEEKS_MS
        if WEEK in levels and week_of(at) == at and self._is_rolled_up(at):
            yield WEEK, at, at + WEEK_MS
        if day not in stored.dirty_days:
            if DAY in levels and at == day:
                yield DAY, day, day + DAY_MS
            if PARTS in levels:
                yield from self._parts_from(at, day)
            if BLOCKS in levels and (at - day) // MINUTE_MS in self._parts.get(day, ()):
                yield block_of_day((at - day) // MINUTE_MS), day, at + BLOCK_MINUTES * MINUTE_MS
        if QUARTER in levels:
            yield QUARTER, at, at + QUARTER_MS

    def _parts_from(self, at: int, day: int) -> Iterator[tuple[str, int, int]]:
        parts = self._parts.get(day, ())
        if at == day:
            for minutes in reversed(parts):
                yield first_of_day(minutes), day, day + minutes * MINUTE_MS
        elif (at - day) // MINUTE_MS in parts:
            yield rest_of_day((at - day) // MINUTE_MS), day, day + DAY_MS

    def _is_rolled_up(self, week: int) -> bool:
        days = range(week, week + WEEK_MS, DAY_MS)
        return week not in self._stored.dirty_weeks and not self._stored.dirty_days.intersection(
            days
        )

    def _are_rolled_up(self, four_weeks: int) -> bool:
        weeks = range(four_weeks, four_weeks + FOUR_WEEKS_MS, WEEK_MS)
        return four_weeks not in self._stored.dirty_four_weeks and all(
            map(self._is_rolled_up, weeks)
        )

    def _lies_whole(self, start: int, end: int) -> bool:
        """Whether a period is in the range, in one row, and has not changed since."""
        if end > self._end:
            return False
        next_boundary = bisect_right(self._boundaries, start)
        if next_boundary < len(self._boundaries) and self._boundaries[next_boundary] < end:
            return False
        next_dirty = bisect_left(self._dirty, start)
        return next_dirty == len(self._dirty) or self._dirty[next_dirty] >= end

    def _after_quarters(self, at: int) -> int:
        """Take what is to be read event by event from here on; where it ends."""
        quarter = at // QUARTER_MS * QUARTER_MS
        if quarter in self._stored.dirty_quarters:
            end = min(quarter + QUARTER_MS, self._end)
            self._found.live.append((at, end))
            return end
        next_dirty = bisect_left(self._dirty, quarter)
        stops = [self._end, *self._dirty[next_dirty : next_dirty + 1]]
        if {QUARTER, PARTS, BLOCKS}.intersection(self._levels):
            stops.append(quarter + QUARTER_MS)
        elif self._levels:
            stops.append(at // DAY_MS * DAY_MS + DAY_MS)
        end = min(stops)
        self._found.columns.append((quarter, end))
        return end


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in order, those that follow each other as one."""
    begin, stop = None, None
    for first, last in spans:
        if first != stop:
            if begin is not None and stop is not None:
                yield begin, stop
            begin = first
        stop = last
    if begin is not None and stop is not None:
        yield begin, stop
