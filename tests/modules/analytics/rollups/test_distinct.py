"""Distinct ids: exact while they are few, within the stated error beyond, whatever is added up how."""

import itertools
from typing import Any

import bson
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.modules.analytics.rollups.distinct import (
    EXACT,
    MIXED,
    STANDARD_ERROR,
    Distinct,
    count_stored,
    distinct,
    merged_set,
    stored_set,
)
from tests.examples import examples
from tests.modules.analytics.rollups.making import random_ids

Ids = np.ndarray[Any, np.dtype[np.uint64]]


def stored(ids: Ids) -> dict[str, Any]:
    """A set as the database gives it back."""
    found: dict[str, Any] = bson.decode(bson.encode(stored_set(np.unique(ids))))
    return found


def split(ids: Ids, parts: int, seed: int) -> list[Ids]:
    """Ids in so many parts, each id in one to three of them."""
    chance = np.random.default_rng(seed)
    places = [chance.integers(0, parts, len(ids)) for _ in range(3)]
    return [ids[np.logical_or.reduce([place == part for place in places])] for part in range(parts)]


@settings(deadline=None, max_examples=examples(40))
@given(
    number=st.one_of(
        st.sampled_from([0, 1, MIXED, MIXED + 1, 1_000, EXACT]), st.integers(0, EXACT)
    ),
    parts=st.integers(1, 40),
    live=st.integers(0, 3),
    seed=st.integers(0, 1_000),
)
def test_up_to_a_thousand_and_more_they_are_exact_however_they_are_divided(
    number: int, parts: int, live: int, seed: int
) -> None:
    """Ids that are in several parts count once, stored or live."""
    ids = random_ids(seed, number)
    divided = split(ids, parts + live, seed)
    found = count_stored([stored(part) for part in divided[live:]], divided[:live])
    assert found == Distinct(number, exact=True)


@settings(deadline=None, max_examples=examples(10))
@given(number=st.integers(EXACT, 4_000), seed=st.integers(0, 1_000))
def test_a_set_that_is_asked_for_alone_is_exact(number: int, seed: int) -> None:
    """However many ids it has; with anything else beside it, it is a sketch."""
    ids = random_ids(seed, number + 1)
    assert count_stored([stored(ids)]) == Distinct(number + 1)
    for found in (
        count_stored([stored(ids), stored(ids[:1])]),
        count_stored([stored(ids)], [ids[:1]]),
    ):
        assert not found.exact
        assert abs(found.count / (number + 1) - 1) < 0.03


def test_no_parts_are_no_ids() -> None:
    """Nothing stored, nothing live."""
    assert count_stored([]) == Distinct(0)
    assert count_stored([stored_set(np.empty(0, np.uint64))], [np.empty(0, np.uint64)]).count == 0
    assert distinct([]).tolist() == []
    assert distinct([np.array([3, 1, 3], np.uint64)]).tolist() == [1, 3]
    assert distinct([np.array([3], np.uint64), np.array([2, 3], np.uint64)]).tolist() == [2, 3]


def test_the_bounds_of_what_is_stored() -> None:
    """Ids up to EXACT of them, a sketch beyond MIXED; both in between."""
    for number, ids, sketch in (
        (0, True, False),
        (MIXED, True, False),
        (MIXED + 1, True, True),
        (EXACT, True, True),
        (EXACT + 1, False, True),
    ):
        found = stored_set(np.sort(random_ids(1, number)))
        assert ("ids" in found, "sketch" in found) == (ids, sketch)


@pytest.mark.parametrize("shape", ["one", "days", "mixed"])
@pytest.mark.parametrize(("number", "seeds"), [(5_000, 120), (100_000, 60)])
def test_the_measured_standard_error_is_at_most_what_is_promised(
    number: int, seeds: int, shape: str
) -> None:
    """0.7%, of one sketch, of many that are merged, and with few and with live ids among them."""
    errors = []
    for seed in range(seeds):
        ids = random_ids(seed, number)
        if shape == "one":
            week = merged_set([stored(ids[: number // 2]), stored(ids[number // 2 :])])
            found = count_stored([week])
        elif shape == "days":
            half = number // 2
            found = count_stored([stored(ids[: half + 100]), stored(ids[half - 100 :])])
        else:
            few = [stored(ids[:50]), stored(ids[50:600])]
            found = count_stored([*few, stored(ids[500:-900])], [ids[-1_000:-400], ids[-400:]])
        assert not found.exact
        errors.append(found.count / number - 1)
    assert np.sqrt(np.mean(np.square(errors))) <= 0.007
    assert STANDARD_ERROR <= 0.007
    # And no bias: the mean of so many lies near zero.
    assert abs(np.mean(errors)) <= 3 * 0.007 / np.sqrt(seeds)


@pytest.mark.parametrize("number", [1_500, 5_000, 40_000])
def test_neither_order_nor_repeats_of_parts_change_the_number(number: int) -> None:
    """All orders of four parts, small and large, with live ids too; a part twice is a part once."""
    ids = random_ids(7, number)
    cuts = [0, 40, 600, number // 2, number - 60]
    parts = [stored(ids[a:b]) for a, b in itertools.pairwise(cuts)]
    live = [ids[number - 60 : number - 20], ids[number - 30 :]]
    known = count_stored(parts, live)
    for order in itertools.permutations(parts):
        assert count_stored(order, live[::-1]) == known
    assert count_stored([*parts, *parts], [*live, *live]) == known


@pytest.mark.parametrize("number", [5_000, 40_000])
def test_how_ids_are_grouped_into_parts_does_not_change_the_number(number: int) -> None:
    """Merged from two large parts or from seven that overlap: the registers are the same."""
    ids = random_ids(11, number)
    known = count_stored([stored(ids[: number // 2]), stored(ids[number // 2 :])])
    for parts in (2, 3, 7):
        divided = split(ids, parts, parts)
        assert max(map(len, divided)) > EXACT
        assert count_stored([stored(part) for part in divided]) == known
        loose = count_stored([stored(part) for part in divided[1:]], [divided[0]])
        assert loose == known


@settings(deadline=None, max_examples=examples(20))
@given(
    number=st.integers(0, EXACT), parts=st.integers(1, 9), cut=st.integers(0, 9), seed=st.integers()
)
def test_sets_that_were_merged_before_stay_exact(
    number: int, parts: int, cut: int, seed: int
) -> None:
    """Days merged into a week and added to further days count what all of them have."""
    ids = random_ids(abs(seed), number)
    sets = [stored(part) for part in split(ids, parts, abs(seed))]
    week = bson.decode(bson.encode(merged_set(sets[:cut])))
    assert count_stored([week, *sets[cut:]]) == Distinct(number)
    assert count_stored([week, *sets]) == Distinct(number)


@pytest.mark.parametrize("number", [1_500, 5_000, 40_000])
def test_merging_in_between_does_not_change_the_number(number: int) -> None:
    """Seven days, or a week of the first four and the rest, or weeks of weeks: one number."""
    ids = random_ids(13, number)
    sets = [stored(part) for part in split(ids, 7, 13)]
    known = count_stored(sets)
    assert abs(known.count / number - 1) < 0.02
    for cut in (1, 4, 6, 7):
        week = merged_set(sets[:cut])
        assert count_stored([week, *sets[cut:]]).count == known.count
        assert count_stored([merged_set([week, *sets[cut:]])]).count == known.count
