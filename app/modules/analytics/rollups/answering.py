"""Answers reports from rollups, and from events where those have changed since: exact and fresh.

What is answered is what the aggregations over all events (pipelines/) answer, at a cost that grows
with the periods and not with the events.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from app.core.quarters import DAY_MS, to_ms
from app.modules.analytics.answers import Answer, Row, filled_series
from app.modules.analytics.measures import Measures, Part, exactly
from app.modules.analytics.planner import Plan
from app.modules.analytics.query import Dimension, Rank, ReportQuery
from app.modules.analytics.rollups.cells import SITE, counts_of_table
from app.modules.analytics.rollups.coverage import (
    MOST_DAYS,
    NO_PARTS,
    PARTS,
    Coverage,
    Stored,
    coverage,
)
from app.modules.analytics.rollups.family import Family, family_of
from app.modules.analytics.rollups.keying import Categories, Keying
from app.modules.analytics.rollups.reading import (
    Keyed,
    Reading,
    add_cell,
    column_names,
    values_of,
)
from app.modules.analytics.rollups.tally import COUNTS, Key, Tally

# Beyond so many quarters, the events of a user or of items are found faster by their indexes.
MANY_QUARTERS = 192
NARROW_EVENTS = 20_000
# More cells than this are not read for one report: reading all of its events is faster then.
MOST_CELLS = 30_000
# More events that are not rolled up yet are not read one by one, where they are all there.
MOST_LIVE_EVENTS = 30_000

_RANKED = {
    Rank.EVENTS: "events",
    Rank.IMPRESSIONS: "impressions",
    Rank.VIEWS: "views",
    Rank.CLICKS: "clicks",
    Rank.CONVERSIONS: "conversions",
}


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
    divided = await reading.parts((start, end, *boundaries)) if PARTS in levels else NO_PARTS
    covered = coverage(start, end, stored, levels, boundaries, divided)
    keys = keying.keys_at([unit.at for unit in covered.units])
    units = list(zip(covered.units, keys, strict=True))
    await _check_breadth(reading, query, covered)
    tally = Tally(parts, weighted=query.sampled)
    await _add_events(tally, reading, query, keying, covered)
    currencies: set[str | None] = set()
    # What amounts there are of rows that are not wanted does not matter, but which currencies does.
    ranks_amounts = query.rank is Rank.REVENUE
    if family is not None and family.is_ranked:
        currencies |= await _add_tables(tally, reading, family, units, ranks_amounts)
    elif family is not None and units:
        await _add_cells(tally, reading, family, units)
    places = await asyncio.to_thread(_in_order, tally, query)
    wanted = places[:limit]
    if family is not None and family.is_ranked:
        fields = tally.sets if ranks_amounts else ("amounts", *tally.sets)
        await _add_details(tally, reading, family, units, wanted, fields)
    measures = await asyncio.to_thread(tally.measures, query.site_currency, wanted)
    of_place = tally.keys
    currencies.update(currency for _, currency in tally.amounts)
    return Counted(
        [(of_place[place], one) for place, one in zip(wanted, measures, strict=True)],
        len(places),
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
    elif await _are_stored(reading, query):
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
    fields = ("counts", "amounts", *tally.sets)
    for key_of_unit, content in await reading.cells(family.dimension, units, values, fields):
        key = key_of_unit if family.place is None else (key_of_unit[0], content["value"])
        add_cell(tally, tally.place(key), content)


async def _add_tables(
    tally: Tally,
    reading: Reading,
    family: Family,
    units: Sequence[Keyed],
    with_amounts: bool,
) -> set[str | None]:
    """Add the counts of all values; the currencies of all their amounts."""
    fields = ["values", "hashes", "counts"]
    if with_amounts:
        fields.append("amounts")
    else:
        fields += ["currencies"] if family.without_none else ["currencies", "other_currencies"]
    found = await reading.tables(family.dimension, units, fields)
    by_key: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for key_of_unit, content in found:
        by_key.setdefault(key_of_unit, []).append(content)
    for key, tables in by_key.items():
        await asyncio.to_thread(_add_tables_of_key, tally, key[0], tables, family)
    return {
        currency
        for _, content in found
        for name in ("currencies", "other_currencies")
        for currency in content.get(name, ())
    }


def _add_tables_of_key(
    tally: Tally, bucket: Any, tables: Sequence[dict[str, Any]], family: Family
) -> None:
    hashes = [np.frombuffer(table["hashes"], "<u8") for table in tables]
    unique, first, inverse = np.unique(
        np.concatenate(hashes), return_index=True, return_inverse=True
    )
    bounds = np.cumsum([0, *(len(one) for one in hashes)])
    table_of = np.searchsorted(bounds, first, "right") - 1
    values: dict[int, list[str | None]] = {
        number: values_of(tables[number]) for number in np.unique(table_of).tolist()
    }
    named = [
        values[table][place - int(bounds[table])]
        for table, place in zip(table_of.tolist(), first.tolist(), strict=True)
    ]
    kept = np.array([not (family.without_none and value is None) for value in named], np.bool_)
    places = np.array(
        [
            tally.place((bucket, value)) if keep else -1
            for value, keep in zip(named, kept.tolist(), strict=True)
        ],
        np.int64,
    )
    counts = _summed(tables, bounds, inverse, len(unique))
    tally.add_counts(places[kept], counts[kept])
    for number, table in enumerate(tables):
        for amounts in table.get("amounts", ()):
            place = int(places[inverse[bounds[number] + amounts["place"]]])
            if place >= 0:
                tally.add_amounts(place, amounts["in"])


def _summed(tables: Sequence[dict[str, Any]], bounds: Any, inverse: Any, size: int) -> Any:
    """A row of COUNTS for every value of all tables."""
    rows = np.concatenate(
        [
            counts_of_table(table, int(bounds[number + 1] - bounds[number]))
            for number, table in enumerate(tables)
        ]
    )
    columns = [
        np.bincount(inverse, rows[:, column], size) if rows[:, column].any() else np.zeros(size)
        for column in range(len(COUNTS))
    ]
    return np.rint(np.stack(columns, 1)).astype(np.int64)


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
        found = await reading.cells(family.dimension, of_bucket.get(bucket, ()), values, fields)
        for _, content in found:
            place = tally.place((bucket, content["value"]))
            tally.add_amounts(place, content.get("amounts", ()))
            for name in tally.sets:
                tally.add_stored(place, name, content.get(name))


def _in_order(tally: Tally, query: ReportQuery) -> list[int]:
    """The places of the keys that have events, in the report's order."""
    ranks = _ranks(tally, query)
    events = tally.counts[:, 0].tolist()
    keys = tally.keys

    def order(place: int) -> tuple[Any, ...]:
        bucket, *values = keys[place]
        by_value = tuple((value is not None, value or "") for value in values)
        return (0 if bucket is None else bucket.timestamp(), -ranks[place], by_value)

    there = [
        place
        for place in range(len(keys))
        if events[place] and (ranks[place] > 0 or not query.only_ranked)
    ]
    return sorted(there, key=order)


def _ranks(tally: Tally, query: ReportQuery) -> list[Any]:
    """What the keys are ordered by, descending."""
    if query.rank is not Rank.REVENUE:
        ranks: list[Any] = tally.counts[:, COUNTS.index(_RANKED[query.rank])].tolist()
        return ranks
    ranks = [Decimal(0)] * len(tally.keys)
    for (place, currency), (value, _) in tally.amounts.items():
        if (currency or query.site_currency) == query.rank_currency:
            with exactly():
                ranks[place] += value
    return ranks
