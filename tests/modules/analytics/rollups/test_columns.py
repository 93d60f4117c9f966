"""Columns: what is put in comes out again, packed, joined or picked, digit for digit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import numpy as np
import pytest
from bson import Decimal128
from hypothesis import given, settings
from hypothesis import strategies as st

from app.modules.analytics.rollups.columns import (
    FIELD_NAMES,
    TYPES,
    Columns,
    column_stages,
    columns_of,
    hash_of,
    joined,
    numbers_from,
    numbers_to,
    packed,
    unpacked,
)
from app.repositories.events import EventRepository
from tests.examples import examples
from tests.modules.analytics.rollups.making import (
    ODD,
    columns,
    expected,
    insert,
    milliseconds,
    said,
    stored_events,
)

AT = datetime(2026, 6, 1, tzinfo=UTC)
lists_of_events = st.lists(stored_events(), max_size=12)
quick = settings(deadline=None, max_examples=examples(40))


def through_the_database(found: Columns) -> Columns:
    """Packed, as the database would give it back, and unpacked."""
    stored = bson.decode(bson.encode(packed(found)))
    return unpacked(stored, len(found))


@quick
@given(events=lists_of_events)
def test_columns_say_what_the_events_say_also_when_they_were_stored(
    events: list[dict[str, Any]],
) -> None:
    """Every field of every event, values that are not there, odd characters, amounts of 34 digits."""
    assert said(columns(events)) == expected(events)
    assert said(through_the_database(columns(events))) == expected(events)


@quick
@given(parts=st.lists(lists_of_events, max_size=5), stored=st.booleans())
def test_joined_parts_are_all_events_in_order(
    parts: list[list[dict[str, Any]]], stored: bool
) -> None:
    """Also of parts that have no events, other dimensions, or were stored; and again when packed."""
    made = [columns(part) for part in parts]
    together = joined([through_the_database(one) for one in made] if stored else made)
    everything = expected(event for part in parts for event in part)
    assert said(together) == everything
    assert said(through_the_database(together)) == everything


@quick
@given(events=lists_of_events, data=st.data())
def test_rows_are_the_events_at_their_places(events: list[dict[str, Any]], data: Any) -> None:
    """Any places, none too, and picked again; amounts stay with their events, and values are narrowed."""
    places = sorted(data.draw(st.sets(st.integers(0, len(events) - 1)) if events else st.just([])))
    picked = columns(events).rows(np.array(places, np.int64))
    wanted = [events[place] for place in places]
    assert said(picked) == expected(wanted)
    for coded in picked.dimensions.values():
        assert coded.values[0] is None
        assert len(set(coded.values)) == len(coded.values)
        assert set(range(1, len(coded.values))) <= set(coded.codes.tolist())
    half = np.arange(0, len(places), 2, dtype=np.int64)
    assert said(picked.rows(half)) == expected(wanted[::2])
    assert said(through_the_database(picked)) == expected(wanted)


def test_no_events_at_all() -> None:
    """Packed, unpacked, joined, picked and joined with others."""
    nothing = joined(())
    assert len(nothing) == 0
    for empty in (nothing, columns([]), through_the_database(nothing), joined([nothing, nothing])):
        assert said(empty) == []
        assert said(empty.rows(np.empty(0, np.int64))) == []
        event = {"type": "VIEW", "at": AT, "session": "s", "visitor": "v", "item": "a"}
        assert said(joined([empty, columns([event]), empty])) == expected([event])


@pytest.mark.parametrize("name", FIELD_NAMES)
def test_every_dimension_and_what_is_not_read_of_it(name: str) -> None:
    """A value, no value, odd values; a column that was not read is of no value."""
    texts = [7, None] if name == "position" else [*ODD, None]
    events = [
        {"type": "VIEW", "at": AT, "session": "s", "visitor": "v", name: text}
        if text is not None
        else {"type": "VIEW", "at": AT, "session": "s", "visitor": "v"}
        for text in texts
    ]
    assert said(through_the_database(columns(events))) == expected(events)
    stored = packed(columns(events))
    del stored[name]
    del stored["session"]
    partly = unpacked(stored, len(events))
    assert partly.dimensions == {}
    assert not partly.ids["session"].any()


@quick
@given(
    numbers=st.lists(
        st.one_of(
            st.integers(0, 300),
            st.sampled_from([255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**62]),
        ),
        max_size=9,
    )
)
def test_numbers_come_back_from_as_few_bytes_as_they_need(numbers: list[int]) -> None:
    """1, 2, 4 or 8 bytes each, by the largest."""
    stored = numbers_to(np.array(numbers, np.int64))
    assert numbers_from(stored).tolist() == numbers
    largest = max(numbers, default=0)
    width = next(n for n in (1, 2, 4, 8) if largest < 256**n)
    assert len(stored) == 1 + width * len(numbers)


def test_hashes_are_the_same_everywhere_and_never_none() -> None:
    """What is stored today is found tomorrow: one value that was worked out elsewhere."""
    assert hash_of("v") != hash_of("w")
    assert all(hash_of(text) for text in ODD)
    # `printf %s visitor | b2sum -l 64`, read as a little-endian number
    assert hash_of("visitor").to_bytes(8, "little").hex() == "577f4172d5ed0546"
    assert hash_of("\ud800")  # a lone surrogate, which no stored text can be


async def test_the_database_makes_the_columns_that_are_read(api: Any) -> None:
    """Of events of every type, in quarters of an hour and in finer pieces, with every dimension."""
    events = []
    for place, kind in enumerate(TYPES):
        at = AT + timedelta(minutes=7 * place, milliseconds=place)
        event = {"_id": f"demo:{place}", "site": "demo", "type": kind, "at": at, "received_at": at,
                 "session": "s", "visitor": f"v{place}"}  # fmt: skip
        for name in FIELD_NAMES[place % 3 :: 2]:
            event[name] = place if name == "position" else ODD[1 + place % (len(ODD) - 1)]
        if place % 2:
            event |= {"value": Decimal128("9" * 34), "weight": 3, "engagement": place, "user": "u"}
        events.append(event)
    await insert(events)
    for stage, length in zip(column_stages(), (900_000, 15_000, 15_000), strict=True):
        groups = await EventRepository().aggregate("demo", [stage])
        found = [one for each in groups for one in said(columns_of(each))]
        assert sorted(found, key=lambda one: one["at"]) == expected(events)
        for each in groups:
            of = each["_id"]
            start = milliseconds(of["time"] if isinstance(of, dict) else of)
            assert all(start <= at < start + length for at in each["at"])
