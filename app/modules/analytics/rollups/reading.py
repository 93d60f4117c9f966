"""Reads what a report is answered from, all of one instant."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np

from app.core.quarters import QUARTER, QUARTER_MS, from_ms, quarter_of, to_ms
from app.modules.analytics.pipelines.dimensions import FIELDS
from app.modules.analytics.query import Dimension, ReportQuery
from app.modules.analytics.rollups.cells import DAY, SITE, Period
from app.modules.analytics.rollups.columns import (
    Columns,
    column_stages,
    columns_of,
    joined,
    unpacked,
)
from app.modules.analytics.rollups.coverage import BLOCKS, PARTS, Parts, Stored, Unit, four_weeks_of
from app.modules.analytics.rollups.keying import CALENDAR, Categories
from app.modules.analytics.rollups.parts import divided_days
from app.modules.analytics.rollups.retention import LONG_AGO, Retention
from app.modules.analytics.rollups.tally import ID_OF_SET, Tally
from app.repositories.base import Raw, Snapshot
from app.repositories.events import EventRepository, TooLargeError
from app.repositories.items import ItemRepository
from app.repositories.marks import DAYS, FOUR_WEEKS, QUARTERS, WEEKS, MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.rollups import RollupRepository

Keyed = tuple[Unit, tuple[Any, ...]]  # a unit, and the key of the rows that it is in

# Quarters that are looked at together: two days.
QUARTERS_AT_ONCE = 192


class Stock:
    """The repositories that reports are answered from, and since when events are there."""

    def __init__(
        self,
        events: EventRepository,
        marks: MarkRepository,
        quarters: QuarterHourRepository,
        rollups: RollupRepository,
        items: ItemRepository,
        retention: Retention,
    ) -> None:
        self.events_since = retention.events_since
        self.events = events
        self.marks = marks
        self.quarters = quarters
        self.rollups = rollups
        self.items = items


class Reading:
    """What is stored of one site at one instant."""

    def __init__(
        self, stock: Stock, site: str, snapshot: Snapshot, seconds_left: Callable[[], float]
    ) -> None:
        """`seconds_left` raises when the time of the report is over."""
        self._stock = stock
        self._site = site
        self._snapshot = snapshot
        self._seconds_left = seconds_left
        # How days are divided, as far as it has been read: totals and rows ask for the same ones.
        self._divided: dict[int, dict[str, Any]] = {}

    async def stored(self, start: int, end: int) -> Stored | None:
        """What there is from start to end; None where there is nothing at all."""
        self._seconds_left()
        quarters = self._stock.quarters
        edges = await quarters.edges(self._site, self._snapshot)
        marks = self._stock.marks
        since = from_ms(max(four_weeks_of(start), to_ms(LONG_AGO)))
        found = await marks.by_level(self._site, since, from_ms(end), self._snapshot)
        dirty = [one for one in found[QUARTERS] if to_ms(one) + QUARTER_MS > start]
        bounds = [*(edges or ()), *(dirty[:1]), *(one + QUARTER for one in dirty[-1:])]
        if not bounds:
            return None
        first, last = max(to_ms(min(bounds)), start), min(to_ms(max(bounds)), end)
        levels = (found[DAYS], found[WEEKS], found[FOUR_WEEKS])
        return Stored(first, last, *(frozenset(map(to_ms, starts)) for starts in (dirty, *levels)))

    async def parts(self, instants: Iterable[int], kind: str) -> Parts:
        """How the days are divided inside which these instants are: into PARTS, or into BLOCKS."""
        days = divided_days(instants)
        key_of = {
            Period(self._site, DAY, day).cell_id(SITE, None): (day,)
            for day in days
            if day not in self._divided
        }
        if key_of:
            self._divided |= {day: {} for (day,) in key_of.values()}
            for (day,), content in await self._rollups(key_of, (PARTS, BLOCKS)):
                self._divided[day] = content
        return {day: self._divided[day].get(kind, ()) for day in days}

    async def live(
        self, spans: Sequence[tuple[int, int]], most: int | None = None
    ) -> Columns | None:
        """The events themselves of these spans; None where there are more than so many."""
        if not spans:
            return joined(())
        pipeline: list[dict[str, Any]] = [
            {"$match": _within(spans)},
            *([] if most is None else [{"$limit": most + 1}]),
        ]
        groups = await self._groups(pipeline)
        if most is not None and sum(len(group["at"]) for group in groups) > most:
            return None
        return await asyncio.to_thread(lambda: joined([columns_of(group) for group in groups]))

    async def number(self, spans: Sequence[tuple[int, int]]) -> int:
        """How many events these spans have."""
        return await self._stock.events.number(self._site, _within(spans), self._snapshot)

    async def _groups(self, pipeline: Sequence[Raw]) -> list[Raw]:
        """Events in columns, in documents as large as can be."""
        for stage in column_stages():
            with suppress(TooLargeError):
                return await self._stock.events.aggregate(
                    self._site,
                    [*pipeline, stage],
                    snapshot=self._snapshot,
                    max_seconds=self._seconds_left(),
                )
        raise TooLargeError

    async def are_stored(self, start: datetime, end: datetime) -> bool:
        """Whether all events from start to end are there themselves, none deleted."""
        if start < self._stock.events_since():
            return False
        return not await self._stock.quarters.last_kept(self._site, start, end, self._snapshot)

    async def columns(
        self,
        spans: Sequence[tuple[int, int]],
        names: Collection[str],
        selected: Callable[[Columns], Columns],
        *,
        kept: bool = False,
    ) -> AsyncIterator[Columns]:
        """The selected events of quarters, some at a time; of their columns only these.

        With `kept` only those that are no longer stored themselves.
        """
        waiting: list[Raw] = []
        for start, end in spans:
            found = self._stock.quarters.of_range(
                self._site,
                quarter_of(from_ms(start)),
                from_ms(end),
                names,
                self._snapshot,
                kept=kept,
            )
            async for quarter in found:
                waiting.append(quarter)
                if len(waiting) >= QUARTERS_AT_ONCE:
                    self._seconds_left()
                    yield await asyncio.to_thread(_selected, waiting, selected)
                    waiting = []
        if waiting:
            yield await asyncio.to_thread(_selected, waiting, selected)

    async def cells(
        self,
        dimension: str,
        units: Sequence[Keyed],
        values: Iterable[str | None],
        fields: Collection[str],
    ) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The cells of these values in these units, where there are any, each with its unit's key."""
        key_of = {
            Period(self._site, unit.level, unit.start).cell_id(dimension, value): key
            for value in values
            for unit, key in units
        }
        return await self._rollups(key_of, [*fields, "value"])

    async def tables(
        self, dimension: str, units: Sequence[Keyed], fields: Collection[str]
    ) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The tables of a dimension in these units, where there are any, each with its unit's key."""
        key_of = {
            Period(self._site, unit.level, unit.start).table_id(dimension): key
            for unit, key in units
        }
        return await self._rollups(key_of, fields)

    async def _rollups(
        self, key_of: Mapping[str, tuple[Any, ...]], fields: Collection[str]
    ) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        self._seconds_left()
        found = await self._stock.rollups.get(self._site, list(key_of), fields, self._snapshot)
        return [(key_of[rollup["_id"]], rollup["content"]) for rollup in found]

    async def categories(self) -> Categories:
        """The categories that items have in the catalogue now."""
        return await self._stock.items.categories(self._site, self._snapshot)

    async def are_few(self, query: ReportQuery, most: int) -> bool:
        """Whether the user or the items of a report have at most so many events in its range."""
        time_range, wanted = query.time_range, query.filter
        match: dict[str, Any] = {"at": {"$gte": time_range.start, "$lt": time_range.end}}
        if wanted.items is not None:
            match["item"] = {"$in": list(wanted.items)}
        if wanted.user is not None:
            match["user"] = wanted.user
        return await self._stock.events.are_few(self._site, match, most, self._snapshot)


def _within(spans: Sequence[tuple[int, int]]) -> Raw:
    ranges = [{"at": {"$gte": from_ms(start), "$lt": from_ms(end)}} for start, end in spans]
    return {"$or": ranges} if len(ranges) > 1 else ranges[0]


def _selected(quarters: Iterable[Raw], selected: Callable[[Columns], Columns]) -> Columns:
    return joined(
        [selected(unpacked(quarter["columns"], quarter["events"])) for quarter in quarters]
    )


def column_names(query: ReportQuery, sets: Collection[str], *, counts: bool = True) -> list[str]:
    """The columns that a report reads of its events."""
    wanted = query.filter
    dimensions = {*query.dimensions, *(condition.dimension for condition in wanted.where)}
    if wanted.items is not None or wanted.with_item or Dimension.CATEGORY in dimensions:
        dimensions.add(Dimension.ITEM)
    dimensions -= CALENDAR | {Dimension.CATEGORY}
    names = ["start", "at", "type", "weight", *(FIELDS[dimension] for dimension in dimensions)]
    ids = {ID_OF_SET[name] for name in sets}
    ids.update({"user"} if wanted.user is not None else ())
    ids.update({"visitor"} if wanted.visitor is not None else ())
    if counts:
        names += ["engagement", "scroll_depth", "amounts"]
    return [*names, *sorted(ids)]


def add_cell(tally: Tally, place: int, content: Mapping[str, Any]) -> None:
    """Add a cell to a key."""
    tally.add_counts(np.array([place]), np.array([content["counts"]], np.int64))
    tally.add_amounts(place, content.get("amounts", ()))
    for name in tally.sets:
        tally.add_stored(place, name, content.get(name))
