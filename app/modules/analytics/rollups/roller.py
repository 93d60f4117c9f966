"""Rolling up: quarters of an hour from events, days from quarters. Whatever is computed is replaced whole."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol

from app.core.quarters import DAY_MS, QUARTER, QUARTER_MS, from_ms, quarter_of, to_ms
from app.modules.analytics.rollups.blocks import blocks_of, rollups_of_blocks
from app.modules.analytics.rollups.cells import (
    DAY,
    DIMENSIONS,
    FOUR_WEEKS_MS,
    SITE,
    WEEK,
    WEEK_MS,
    Counting,
    Period,
)
from app.modules.analytics.rollups.cells import FOUR_WEEKS as FOUR_WEEKS_LEVEL
from app.modules.analytics.rollups.cells import QUARTER as QUARTER_LEVEL
from app.modules.analytics.rollups.columns import (
    Columns,
    joined,
    unpacked,
)
from app.modules.analytics.rollups.contents import contents_of
from app.modules.analytics.rollups.coverage import BLOCKS, PARTS, four_weeks_of, week_of
from app.modules.analytics.rollups.merging import Content, merged, merged_rollups
from app.modules.analytics.rollups.parts import (
    MINUTE_MS,
    all_blocks,
    all_levels,
    block_of_day,
    first_of_day,
    parts_of_day,
    rest_of_day,
)
from app.modules.analytics.rollups.retention import Retention
from app.modules.analytics.rollups.stretches import Stretch, Stretches
from app.modules.analytics.rollups.tally import ID_OF_SET
from app.modules.analytics.sessions.at_once import NamedEvents
from app.repositories.changes import ChangeRepository
from app.repositories.events import EventRepository
from app.repositories.marks import DAYS, FOUR_WEEKS, WEEKS, Marked, MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.rollups import RollupRepository

DAY_LENGTH = timedelta(days=1)

CELL = ("amounts", *ID_OF_SET)  # what a cell may have besides counts and its value


class SessionRollups(Protocol):
    """Keeps the sessions' documents."""

    async def refresh(
        self,
        site: str,
        start: datetime,
        end: datetime,
        events: NamedEvents | None,
        withdrawn: Collection[str],
    ) -> int:
        """Derive anew every session that has an event from start to end, end left out.

        `events` are all counted ones of this time, where they have been read, and `withdrawn` the
        session ids of the others.
        """


class Roller:
    """Computes rollups. One process at a time may use it (worker.py)."""

    def __init__(
        self,
        events: EventRepository,
        marks: MarkRepository,
        quarters: QuarterHourRepository,
        rollups: RollupRepository,
        sessions: SessionRollups,
        retention: Retention,
        changes: ChangeRepository,
    ) -> None:
        self._retention = retention
        self._changes = changes
        self._events = events
        self._stretches = Stretches(events)
        self._marks = marks
        self._quarters = quarters
        self._rollups = rollups
        self._sessions = sessions

    async def roll_up_quarters(
        self, site: str, starts: Sequence[datetime], marked: Sequence[Marked]
    ) -> int:
        """Compute quarters of one UTC day anew, and clear these marks; how many events they have.

        Marks must be ripe. A quarter without a mark may be computed at any time: who writes to it
        later marks it first. The day is marked before, so that at no moment its rollup is taken for
        more than it is.
        """
        noted = list(starts)
        starts = await self._with_events(site, sorted(starts))
        await self._marks.mark(site, {day_of(start) for start in starts}, DAYS)
        events = 0
        async with asyncio.TaskGroup() as tasks:
            before: asyncio.Task[None] | None = None
            while starts:
                # The database finds the next events while these are counted and stored.
                stretch = await self._stretches.read(site, starts)
                starts = starts[len(stretch.starts) :]
                events += stretch.counted
                if before is not None:
                    await before
                before = tasks.create_task(self._roll_up_stretch(site, stretch))
        # After they are replaced and before their marks are cleared (caching.py); those that stay as
        # they are too, because an event that was marked in them is not read any more.
        await self._changes.note(site, noted)
        await self._marks.clear(site, marked)
        return events

    async def roll_up_day(self, site: str, marked: Marked) -> None:
        """Compute the rollups of a UTC day anew from its quarters, and clear its mark.

        The week is marked before.
        """
        await self._marks.mark(site, [from_ms(week_of(to_ms(marked.start)))], WEEKS)
        quarters = self._quarters.of_range(site, marked.start, marked.start + DAY_LENGTH)
        columns = [unpacked(quarter["columns"], quarter["events"]) async for quarter in quarters]
        period = Period(site, DAY, to_ms(marked.start))
        counting = await asyncio.to_thread(lambda: Counting(joined(columns)))
        parts = parts_of_day(len(counting.columns))
        blocks = blocks_of(counting, period.start)
        for dimension in DIMENSIONS:
            found = await asyncio.to_thread(_listed, counting, period, dimension)
            if dimension == SITE:
                for cell in found:
                    cell["content"] |= {PARTS: parts, BLOCKS: blocks}
            await self._rollups.replace(site, [period.prefix(dimension)], found)
        await self._roll_up_parts(site, period.start, parts)
        await self._roll_up_blocks(counting, period, blocks)
        await self._marks.clear(site, [marked])

    async def roll_up_week(self, site: str, marked: Marked) -> None:
        """Compute the rollups of a week anew from its days, and clear its mark.

        The four weeks that it is of are marked before.
        """
        week = to_ms(marked.start)
        await self._marks.mark(site, [from_ms(four_weeks_of(week))], FOUR_WEEKS)
        days = [Period(site, DAY, start) for start in range(week, week + WEEK_MS, DAY_MS)]
        await self._merge(Period(site, WEEK, week), days)
        await self._marks.clear(site, [marked])

    async def roll_up_four_weeks(self, site: str, marked: Marked) -> None:
        """Compute the rollups of four weeks anew from those of each, and clear their mark."""
        start = to_ms(marked.start)
        weeks = [Period(site, WEEK, week) for week in range(start, start + FOUR_WEEKS_MS, WEEK_MS)]
        await self._merge(Period(site, FOUR_WEEKS_LEVEL, start), weeks)
        await self._marks.clear(site, [marked])

    async def _merge(self, period: Period, pieces: Sequence[Period]) -> None:
        """Make the rollups of a longer period those of these shorter ones together."""
        for dimension in DIMENSIONS:
            prefixes = [piece.prefix(dimension) for piece in pieces]
            cells = await self._rollups.of_prefixes(period.site, prefixes)
            found = await asyncio.to_thread(_merged, period, dimension, cells)
            await self._rollups.replace(period.site, [period.prefix(dimension)], found)

    async def _roll_up_blocks(
        self, counting: Counting, day: Period, blocks: Collection[int]
    ) -> None:
        """The blocks of all dimensions. Those are gone that the day had and has no more."""
        found = await asyncio.to_thread(_blocks, counting, day, blocks)
        every = [replace(day, level=block_of_day(minutes)) for minutes in all_blocks()]
        ids = [block.table_id(dimension) for block in every for dimension in DIMENSIONS]
        await self._rollups.replace_known(day.site, ids, found)

    async def _roll_up_parts(self, site: str, day: int, parts: Sequence[int]) -> None:
        """The rollups of the whole site for the beginnings and the ends of a day."""
        starts = range(day, day + DAY_MS, QUARTER_MS)
        of_quarters = [Period(site, QUARTER_LEVEL, start) for start in starts]
        cells = await self._rollups.get(
            site, [each.cell_id(SITE, None) for each in of_quarters], ("counts", "value", *CELL)
        )
        content_of = {cell["_id"]: cell["content"] for cell in cells}
        quarters = [content_of.get(each.cell_id(SITE, None)) for each in of_quarters]
        found = await asyncio.to_thread(_parts_of_day, site, day, parts, quarters)
        # Those too that it was divided into when there was more of it.
        ids = [Period(site, level, day).cell_id(SITE, None) for level in all_levels()]
        await self._rollups.replace_known(site, ids, found)

    async def _roll_up_stretch(self, site: str, stretch: Stretch) -> None:
        kept = await self._kept(site, stretch.starts)
        computed = await asyncio.to_thread(_quarters, site, stretch, kept)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._replace(site, computed))
            tasks.create_task(
                self._sessions.refresh(
                    site, stretch.starts[0], stretch.end, stretch.named(), stretch.withdrawn
                )
            )

    async def _replace(self, site: str, computed: Sequence["_Quarter"]) -> None:
        await self._quarters.replace(site, {each.start: each.contents for each in computed})
        await self._rollups.replace_known(
            site,
            [_site_quarter(site, each.start).cell_id(SITE, None) for each in computed],
            [each.cell for each in computed if each.cell is not None],
        )

    async def extent(self, site: str) -> tuple[datetime, datetime] | None:
        """From the first quarter to after the last one that has events, stored or rolled up."""
        bounds = []
        first, last = await self._events.first_at(site), await self._events.last_at(site)
        if first is not None and last is not None:
            bounds.append((quarter_of(first), quarter_of(last) + QUARTER))
        rolled_up = await self._quarters.edges(site)
        if rolled_up is not None:
            bounds.append(rolled_up)
        if not bounds:
            return None
        return min(start for start, _ in bounds), max(end for _, end in bounds)

    async def _with_events(self, site: str, starts: Sequence[datetime]) -> list[datetime]:
        """Those of these quarters whose events are there, or that were never rolled up.

        What was rolled up of events that their age has deleted stays.
        """
        since = self._retention.events_since()
        old = [start for start in starts if start < since]
        rolled_up = await self._quarters.rolled_up(site, old) if old else set()
        return [start for start in starts if start not in rolled_up]

    async def _kept(self, site: str, starts: Sequence[datetime]) -> dict[datetime, list[Columns]]:
        """What these quarters have of events that are deleted."""
        kept: dict[datetime, list[Columns]] = {}
        for start, end in spans(starts):
            async for quarter in self._quarters.of_range(site, start, end, kept=True):
                columns = unpacked(quarter["columns"], quarter["events"])
                kept.setdefault(quarter["start"], []).append(columns)
        return kept


@dataclass(frozen=True, slots=True)
class _Quarter:
    start: datetime
    contents: Sequence[dict[str, Any]]
    cell: dict[str, Any] | None


def _quarters(
    site: str, stretch: Stretch, kept: Mapping[datetime, Sequence[Columns]]
) -> list[_Quarter]:
    return [
        _quarter(site, start, joined(stretch.columns.get(start, ())), kept.get(start, ()))
        for start in stretch.starts
    ]


def _quarter(site: str, start: datetime, columns: Columns, kept: Sequence[Columns]) -> _Quarter:
    """`columns` are of the events that are stored, `kept` of those that are deleted."""
    everything = joined([columns, *kept]) if kept else columns
    cells = list(Counting(everything).rollups(_site_quarter(site, start), SITE))
    return _Quarter(start, contents_of(columns), cells[0] if cells else None)


def _listed(counting: Counting, period: Period, dimension: str) -> list[dict[str, Any]]:
    return list(counting.rollups(period, dimension))


def _blocks(counting: Counting, day: Period, blocks: Collection[int]) -> list[dict[str, Any]]:
    return [
        rollup
        for dimension in DIMENSIONS
        if dimension != SITE
        for rollup in rollups_of_blocks(counting, day, blocks, dimension)
    ]


def _merged(period: Period, dimension: str, cells: Sequence[Content]) -> list[dict[str, Any]]:
    return list(merged_rollups(period, dimension, cells))


def _parts_of_day(
    site: str, day: int, parts: Sequence[int], quarters: Sequence[Content | None]
) -> list[dict[str, Any]]:
    """The rollups of the whole site in parts of the day."""
    places = [minutes * MINUTE_MS // QUARTER_MS for minutes in parts]
    between = [
        [cell for cell in quarters[begin:end] if cell is not None]
        for begin, end in pairwise([0, *places, len(quarters)])
    ]
    found = []
    for level, in_order, pieces in (
        (first_of_day, parts, between[:-1]),
        (rest_of_day, parts[::-1], between[:0:-1]),
    ):
        so_far: list[dict[str, Any]] = []
        for minutes, piece in zip(in_order, pieces, strict=True):
            if so_far or piece:
                so_far = [merged([*so_far, *piece])]
                period = Period(site, level(minutes), day)
                found.append(period.document(period.cell_id(SITE, None), so_far[0]))
    return found


def _site_quarter(site: str, start: datetime) -> Period:
    return Period(site, QUARTER_LEVEL, to_ms(start))


def day_of(instant: datetime) -> datetime:
    """When the UTC day began that the instant is in."""
    return from_ms(to_ms(instant) // DAY_MS * DAY_MS)


def spans(starts: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Quarters that follow each other, as ranges. `starts` are in order."""
    begin = end = None
    for start in starts:
        if start != end:
            if begin is not None and end is not None:
                yield begin, end
            begin = start
        end = start + QUARTER
    if begin is not None and end is not None:
        yield begin, end
