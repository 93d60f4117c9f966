"""Blocks of large days: what the values of a dimension have in some hours, in one document.

It is a table (cells.py) that has the sets of ids of all its values besides. They make the edges of a
range cheap, and cost little: a document for each block and dimension, and none for each value.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from app.modules.analytics.rollups import parts
from app.modules.analytics.rollups.cells import (
    Counting,
    Period,
    amounts_by,
    coded_values,
    counts_of_table,
    hash_of_value,
    table_content,
)
from app.modules.analytics.rollups.columns import (
    Coded,
    Columns,
    Numbers,
    numbers_from,
    numbers_to,
    once_each,
)
from app.modules.analytics.rollups.distinct import EXACT, stored_set
from app.modules.analytics.rollups.parts import BLOCK_MINUTES, MINUTE_MS, all_blocks, block_of_day
from app.modules.analytics.rollups.sessions_seen import (
    SeenSessions,
    interactions_of,
    page_views_of,
    seen,
    stored_sessions,
)
from app.modules.analytics.rollups.tally import (
    COUNTS,
    ID_OF_SET,
    INTERACTION,
    PAGE_VIEW,
    Tally,
    counts_by,
    rows_of_set,
)

MOST_EVENTS = 200_000  # of a block: with 33 bytes each in sets

Block = Mapping[str, Any]  # the content of a block


def blocks_of(counting: Counting, day: int) -> tuple[int, ...]:
    """After how many minutes the blocks of a day begin, in order; none where there is little of it.

    A block with so many events that it might not fit into a document is left out.
    """
    if len(counting.columns) < parts.LARGE:
        return ()
    events = np.bincount(_of_events(counting.columns, day), minlength=len(all_blocks()))
    return tuple(
        minutes
        for minutes, number in zip(all_blocks(), events.tolist(), strict=True)
        if number <= MOST_EVENTS
    )


def rollups_of_blocks(
    counting: Counting, day: Period, blocks: Collection[int], dimension: str
) -> Iterator[dict[str, Any]]:
    """These blocks of a dimension, none of no events. The events are in the order of their quarters."""
    coded = coded_values(dimension, counting.columns)
    of_events = _of_events(counting.columns, day.start)
    for minutes in blocks:
        number = minutes // BLOCK_MINUTES
        first, last = np.searchsorted(of_events, [number, number + 1]).tolist()
        if first < last:
            period = replace(day, level=block_of_day(minutes))
            content = _content(counting, coded, slice(first, last))
            yield period.document(period.table_id(dimension), content)


def _of_events(columns: Columns, day: int) -> Numbers:
    """The number of the block that each event is in."""
    numbers: Numbers = (columns.at - day) // (BLOCK_MINUTES * MINUTE_MS)
    return numbers


def _content(counting: Counting, coded: Coded, events: slice) -> dict[str, Any]:
    columns = _part(counting.columns, events)
    codes = coded.codes[events]
    counts = counts_by(codes, len(coded.values), columns)
    there = counts[:, 0].nonzero()[0]
    hashes = np.array([hash_of_value(coded.values[code]) for code in there.tolist()], np.uint64)
    there = there[np.argsort(hashes)]
    row_of = np.zeros(len(coded.values), np.int64)
    row_of[there] = np.arange(len(there))
    rows = row_of[codes]
    content = table_content(
        [coded.values[code] for code in there.tolist()], counts[there], amounts_by(rows, columns)
    )
    content["sets"] = {
        name: _sets(name, counting, columns, events, rows, len(there)) for name in ID_OF_SET
    }
    return content


def _part(columns: Columns, events: slice) -> Columns:
    """These events, without their dimensions."""

    def of(numbers: Numbers | None) -> Numbers | None:
        return None if numbers is None else numbers[events]

    return Columns(
        columns.at[events],
        columns.type[events],
        {name: ids[events] for name, ids in columns.ids.items()},
        engagement=of(columns.engagement),
        scroll_depth=of(columns.scroll_depth),
        weight=of(columns.weight),
        amounts=columns.amounts.of(np.arange(events.start, events.stop)),
    )


def _sets(
    name: str, counting: Counting, columns: Columns, events: slice, rows: Numbers, size: int
) -> dict[str, Any]:
    """The sets of all values, one after the other: how large each is, and the ids; large ones apart."""
    all_of = counting.ids(ID_OF_SET[name])
    bits = len(all_of.ids).bit_length()
    wanted = rows_of_set(name, columns)
    # A row and an id are one number, which is quickly sorted and taken apart.
    pairs = (rows[wanted] << bits) | all_of.numbers[events][wanted]
    states = None
    if name == "sessions":
        sessions = seen(
            pairs.astype(np.uint64),
            (columns.type == PAGE_VIEW).astype(np.uint8),
            INTERACTION[columns.type],
        )
        unique, states = sessions.ids.astype(np.int64), sessions.states
    else:
        unique = once_each(pairs)
    row, place = unique >> bits, unique & ((1 << bits) - 1)
    bounds = np.searchsorted(row, np.arange(size + 1))
    sizes = np.diff(bounds)
    large = []
    for each in (sizes > EXACT).nonzero()[0].tolist():
        part = slice(*bounds[each : each + 2].tolist())
        ids, coupons = all_of.at(place[part])
        stored = (
            stored_set(ids, coupons)
            if states is None
            else stored_sessions(SeenSessions(ids, states[part]), coupons)
        )
        large.append({"row": each, "set": stored})
    is_small = sizes[row] <= EXACT
    found: dict[str, Any] = {
        "sizes": numbers_to(np.where(sizes <= EXACT, sizes, 0)),
        "ids": all_of.ids[place[is_small]].astype("<u8").tobytes(),
        "large": large,
    }
    if states is not None:
        found["states"] = states[is_small].tobytes()
    return found


def fields_of_blocks(fields: Collection[str]) -> list[str]:
    """What is read of blocks for these fields of their values' cells."""
    return ["hashes", *(f"sets.{name}" if name in ID_OF_SET else name for name in fields)]


def add_block(tally: Tally, block: Block, place_of: Mapping[int, int]) -> None:
    """Add what was read of a block to the keys of values: `place_of` are places by the values' hashes."""
    hashes = np.frombuffer(block["hashes"], "<u8")
    found = [place_of.get(each, -1) for each in hashes.tolist()]
    rows = (np.array(found) >= 0).nonzero()[0]
    places = np.array(found, np.int64)[rows]
    if "counts" in block:
        tally.add_counts(places, counts_of_table(block, COUNTS, rows))
    for amounts in block.get("amounts", ()):
        if found[amounts["place"]] >= 0:
            tally.add_amounts(found[amounts["place"]], amounts["in"])
    for name in tally.sets:
        stored = block["sets"][name]
        _add_sets(tally, name, stored, rows, places)
        for large in stored["large"]:
            if found[large["row"]] >= 0:
                tally.add_stored(found[large["row"]], name, large["set"])


def _add_sets(
    tally: Tally, name: str, stored: Mapping[str, Any], rows: Numbers, places: Numbers
) -> None:
    sizes = numbers_from(stored["sizes"])
    ends = np.cumsum(sizes)
    spans = list(zip((ends - sizes)[rows].tolist(), ends[rows].tolist(), strict=True))
    if not spans:
        return
    ids = np.frombuffer(stored["ids"], "<u8")
    states = None
    if "states" in stored:
        every = np.frombuffer(stored["states"], np.uint8)
        states = np.concatenate([every[first:last] for first, last in spans])
    tally.add_ids(
        name,
        np.repeat(places, sizes[rows]),
        np.concatenate([ids[first:last] for first, last in spans]),
        None if states is None else (page_views_of(states), interactions_of(states)),
    )
