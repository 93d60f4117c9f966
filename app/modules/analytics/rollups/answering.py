"""Answers reports from rollups, and from events where those have changed since: exact and fresh.

What is answered is what the aggregations over all events (pipelines/) answer, at a cost that grows
with the periods and not with the events.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.core.quarters import DAY_MS, to_ms
from app.modules.analytics.answers import Answer, Row, filled_series
from app.modules.analytics.measures import Measures, Part
from app.modules.analytics.planner import Plan
from app.modules.analytics.query import Dimension, Rank, ReportQuery
from app.modules.analytics.rollups.blocks import add_block, fields_of_blocks
from app.modules.analytics.rollups.cells import SITE, hash_of_value
from app.modules.analytics.rollups.coverage import (
    BLOCKS,
    MOST_DAYS,
    NO_PARTS,
    PARTS,
    Coverage,
    Stored,
    coverage,
)
from app.modules.analytics.rollups.family import Family, family_of
from app.modules.analytics.rollups.keying import Categories, Keying
from app.modules.analytics.rollups.parts import is_block
from app.modules.analytics.rollups.ranking import add_tables, ranking
from app.modules.analytics.rollups.reading import (
    Keyed,
    Reading,
    add_cell,
    column_names,
)
from app.modules.analytics.rollups.tally import Key, Tally

# Beyond so many quarters, the events of a user or of items are found faster by their indexes.
MANY_QUARTERS = 192
NARROW_EVENTS = 20_000
# More cells than this are not read for one report: reading all of its events is faster then.
MOST_CELLS = 30_000
# More events that are not rolled up yet are counted by the database, with all others of the report, which
# takes it a fraction of the time for each: unless it had to count many times as many.
MOST_LIVE_EVENTS = 30_000
TIMES_AS_MANY = 4


class NotFromRollupsError(Exception):
    """The aggregations over all events answer this report better."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows of a report that are wanted, in order; how many there are; all currencies in it."""

    rows: Sequence[tuple[Key, Measures]]
    number: int
    currencies: frozenset[str]


async def answer(reading: Reading, plan: Plan) -> Answer:
    """The answer of a plan. Raises NotFromRollupsError."""
    query = plan.query
    time_range = query.time_range
    stored = await reading.stored(to_ms(time_range.start), to_ms(time_range.end))
    totals = Measures.none(plan.totals)
    currencies: frozenset[str] = frozenset()
    whole = replace(query, dimensions=(), granularity=None, limit=None, only_ranked=False)
    if plan.totals and stored is not None:
        counted = await _count(reading, stored, whole, plan.totals, None)
        currencies = counted.currencies
        totals = counted.rows[0][1] if counted.rows else totals
    answered = Answer(totals)
    if plan.rows:
        counted = Counted((), 0, frozenset())
        if stored is not None:
            counted = await _count(reading, stored, query, plan.rows, plan.row_limit)
        currencies |= counted.currencies
        _add_rows(answered, plan, counted)
    answered.currencies |= currencies
    return answered


def _add_rows(answered: Answer, plan: Plan, counted: Counted) -> None:
    query = plan.query
    if query.is_series:
        by_bucket = {key[0]: measures for key, measures in counted.rows}
        rows = filled_series(query, by_bucket, plan.rows)
        answered.rows, answered.number_of_rows = rows[: query.limit], len(rows)
        return
    timeline = query.timeline
    starts = {bucket.key: bucket.start for bucket in timeline.buckets} if timeline else {}
    answered.rows = [
        Row(tuple(values), starts.get(bucket), measures)
        for (bucket, *values), measures in counted.rows
    ]
    answered.number_of_rows = counted.number


async def _count(
    reading: Reading,
    stored: Stored,
    query: ReportQuery,
    parts: Collection[Part],
    limit: int | None,
) -> Counted:
    """Count the rows of a query, those without events left out."""
    family = family_of(query)
    if family is None or query.time_range.start >= query.time_range.end:
        return await _count_with(reading, stored, query, parts, limit, None)
    try:
        return await _count_with(reading, stored, query, parts, limit, family)
    except _TooManyCellsError:
        return await _count_with(reading, stored, query, parts, limit, None)


class _TooManyCellsError(Exception):
    pass


async def _count_with(
    reading: Reading,
    stored: Stored,
    query: ReportQuery,
    parts: Collection[Part],
    limit: int | None,
    family: Family | None,
) -> Counted:
    keying = Keying(query, await _categories(reading, stored, query))
    start = max(to_ms(query.time_range.start), stored.start)
    end = min(to_ms(query.time_range.end), stored.end)
    by_day = family is not None and end - start <= MOST_DAYS * DAY_MS
    levels = family.levels if family is not None and by_day else ()
    boundaries = keying.boundaries(start, end) if levels else ()
    divided = NO_PARTS
    for kind in {PARTS, BLOCKS}.intersection(levels):
        divided = await reading.parts((start, end, *boundaries), kind)
    covered = coverage(start, end, stored, levels, boundaries, divided)
    keys = keying.keys_at([unit.at for unit in covered.units])
    units = list(zip(covered.units, keys, strict=True))
    await _check_breadth(reading, query, covered)
    tally = Tally(parts, weighted=query.sampled)
    await _add_events(tally, reading, query, keying, covered)
    currencies: set[str | None] = set()
    if family is not None and family.is_ranked:
        tables = await _tables(reading, family, units, query.rank is Rank.REVENUE)
        currencies |= _currencies(tables)
        rows = await asyncio.to_thread(
            add_tables, tally, query, limit, tables, without_none=family.without_none
        )
        fields = tally.sets if query.rank is Rank.REVENUE else ("amounts", *tally.sets)
        await _add_details(tally, reading, family, units, rows.places, fields)
    else:
        if family is not None and units:
            await _add_cells(tally, reading, family, units)
        rows = await asyncio.to_thread(ranking, tally, query, limit)
    measures = await asyncio.to_thread(tally.measures, query.site_currency, rows.places)
    of_place = tally.keys
    currencies.update(currency for _, currency in tally.amounts)
    return Counted(
        [(of_place[place], one) for place, one in zip(rows.places, measures, strict=True)],
        rows.number,
        frozenset(currency or query.site_currency for currency in currencies),
    )


async def _check_breadth(reading: Reading, query: ReportQuery, covered: Coverage) -> None:
    """Raises NotFromRollupsError where an index finds the few events of the report faster."""
    wanted = query.filter
    if wanted.user is None and wanted.items is None:
        return
    if (
        covered.quarters_in_columns > MANY_QUARTERS
        and await reading.are_few(query, NARROW_EVENTS)
        and await _are_stored(reading, query)
    ):
        raise NotFromRollupsError


async def _are_mostly_live(reading: Reading, query: ReportQuery, covered: Coverage) -> bool:
    """Whether a good part of the events of a report are not rolled up yet, however long its range is."""
    live = await reading.number(covered.live)
    return await reading.are_few(query, TIMES_AS_MANY * live)


async def _are_stored(reading: Reading, query: ReportQuery) -> bool:
    """Whether all events of the report are there themselves."""
    return await reading.are_stored(query.time_range.start, query.time_range.end)


async def _categories(reading: Reading, stored: Stored, query: ReportQuery) -> Categories:
    conditions = (condition.dimension for condition in query.filter.where)
    if Dimension.CATEGORY not in (*query.dimensions, *conditions):
        return {}
    return await reading.categories()


async def _add_events(
    tally: Tally, reading: Reading, query: ReportQuery, keying: Keying, covered: Coverage
) -> None:
    names = column_names(query, tally.sets)
    live = await reading.live(covered.live, MOST_LIVE_EVENTS)
    if live is not None:
        await asyncio.to_thread(keying.add_to, tally, live)
    elif await _are_mostly_live(reading, query, covered) and await _are_stored(reading, query):
        raise NotFromRollupsError
    else:
        for quarter in covered.live_quarters():
            events = await reading.live([quarter])
            if events is not None:
                await asyncio.to_thread(keying.add_to, tally, events)
    for spans, kept in ((covered.live, True), (covered.columns, False)):
        async for columns in reading.columns(spans, names, keying.selected, kept=kept):
            await asyncio.to_thread(keying.add_selected, tally, columns)


async def _add_cells(
    tally: Tally, reading: Reading, family: Family, units: Sequence[Keyed]
) -> None:
    values = (None,) if family.dimension == SITE else family.values or ()
    if len(values) * len(units) > MOST_CELLS:
        raise _TooManyCellsError
    whole, blocks = _divided(units)

    def place(key_of_unit: Key, value: str | None) -> int:
        return tally.place(key_of_unit if family.place is None else (key_of_unit[0], value))

    fields = ("counts", "amounts", *tally.sets)
    for key, content in await reading.cells(family.dimension, whole, values, fields):
        add_cell(tally, place(key, content["value"]), content)
    for key, content in await reading.tables(family.dimension, blocks, fields_of_blocks(fields)):
        place_of = {hash_of_value(value): place(key, value) for value in values}
        await asyncio.to_thread(add_block, tally, content, place_of)


def _divided(units: Sequence[Keyed]) -> tuple[list[Keyed], list[Keyed]]:
    """The units that have a cell for each value, and those that are blocks."""
    blocks = [one for one in units if is_block(one[0].level)]
    return [one for one in units if not is_block(one[0].level)], blocks


async def _tables(
    reading: Reading, family: Family, units: Sequence[Keyed], with_amounts: bool
) -> dict[Any, list[dict[str, Any]]]:
    """The counts of all values, by the buckets' keys."""
    # What amounts there are of rows that are not wanted does not matter, but which currencies does.
    fields = ["values", "hashes", "counts", "currencies"]
    fields += ["amounts"] if with_amounts else []
    fields += [] if family.without_none else ["other_currencies"]
    by_bucket: dict[Any, list[dict[str, Any]]] = {}
    for key, content in await reading.tables(family.dimension, units, fields):
        by_bucket.setdefault(key[0], []).append(content)
    return by_bucket


def _currencies(tables: Mapping[Any, Sequence[dict[str, Any]]]) -> set[str | None]:
    return {
        currency
        for of_bucket in tables.values()
        for table in of_bucket
        for name in ("currencies", "other_currencies")
        for currency in table.get(name, ())
    }


async def _add_details(
    tally: Tally,
    reading: Reading,
    family: Family,
    units: Sequence[Keyed],
    places: Sequence[int],
    fields: Sequence[str],
) -> None:
    """Add what tables do not have of these keys: the sets of ids, and amounts."""
    if not fields:
        return
    keys = tally.keys
    wanted: dict[Any, list[str | None]] = {}
    for place in places:
        bucket, value = keys[place]
        wanted.setdefault(bucket, []).append(value)
    of_bucket: dict[Any, list[Keyed]] = {}
    for unit, key in units:
        of_bucket.setdefault(key[0], []).append((unit, key))
    number = sum(len(values) * len(of_bucket.get(b, ())) for b, values in wanted.items())
    if number > MOST_CELLS:
        raise _TooManyCellsError
    for bucket, values in wanted.items():
        whole, blocks = _divided(of_bucket.get(bucket, ()))
        of_blocks = await reading.tables(family.dimension, blocks, fields_of_blocks(fields))
        place_of = {hash_of_value(value): tally.place((bucket, value)) for value in values}
        for _, content in of_blocks:
            await asyncio.to_thread(add_block, tally, content, place_of)
        for _, content in await reading.cells(family.dimension, whole, values, fields):
            place = tally.place((bucket, content["value"]))
            tally.add_amounts(place, content.get("amounts", ()))
            for name in tally.sets:
                tally.add_stored(place, name, content.get(name))
