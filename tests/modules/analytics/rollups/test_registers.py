"""Sketches in bulk: what numpy makes of them is what Apache DataSketches makes of them."""

import numpy as np
import pytest
from datasketches import hll_sketch, hll_union, tgt_hll_type

from app.modules.analytics.rollups.registers import (
    LG_K,
    MOST_COUPONS,
    coupons_of,
    estimate,
    merged_sketch,
    sketch_of,
)
from tests.modules.analytics.rollups.making import random_ids

NONE = np.empty(0, np.uint32)
SIZES = [1, 7, 8, 33, 1_000, MOST_COUPONS, MOST_COUPONS + 1, 10_000, 300_000]


def of_library(ids: list[int]) -> hll_sketch:
    """What the library makes of ids, one by one."""
    sketch = hll_sketch(LG_K, tgt_hll_type.HLL_4)
    for one in ids:
        sketch.update(one)
    return sketch


def in_no_order(sketch: hll_sketch) -> float:
    """The library's estimate of a sketch from its registers alone."""
    union = hll_union(LG_K)
    union.update(sketch)
    union.update(union.get_result(tgt_hll_type.HLL_8))
    return float(union.get_estimate())


@pytest.mark.parametrize("number", SIZES)
def test_the_library_reads_what_is_written(number: int) -> None:
    """The image of a sketch is one of the library's, of the same registers."""
    ids = random_ids(number, number)
    theirs, ours = of_library(ids.tolist()), sketch_of(coupons_of(ids))
    read = hll_sketch.deserialize(ours)
    assert in_no_order(read) == in_no_order(theirs)
    assert len(ours) == len(theirs.serialize_compact())


@pytest.mark.parametrize("number", SIZES)
def test_what_the_library_writes_is_read(number: int) -> None:
    """The same estimate of the library's image and of ours, and beyond a list of coupons the library's."""
    ids = random_ids(number + 1, number)
    theirs = of_library(ids.tolist())
    found = estimate([theirs.serialize_compact()], NONE)
    assert found == estimate([sketch_of(coupons_of(ids))], NONE) == estimate([], coupons_of(ids))
    if number > MOST_COUPONS:
        assert found == in_no_order(theirs)
    assert found == pytest.approx(number, rel=0.02)


@pytest.mark.parametrize(
    "sizes", [(1, 5), (30, 2_000), (2_000, 2_000), (10, 50_000), (9_000, 80_000)]
)
def test_merging_is_adding_all_ids(sizes: tuple[int, ...]) -> None:
    """Of lists and of registers, with ids in both and with loose ones."""
    ids = random_ids(sum(sizes), sum(sizes))
    first, second = ids[: sizes[0]], ids[sizes[0] // 2 :]
    loose = ids[-3:]
    whole = sketch_of(coupons_of(ids))
    images = [sketch_of(coupons_of(part)) for part in (first, second)]
    for order in (images, images[::-1]):
        merged = merged_sketch(order, coupons_of(loose))
        assert estimate([merged], NONE) == estimate([whole], NONE)
        assert estimate(order, coupons_of(loose)) == estimate([whole], NONE)


def test_a_register_that_is_far_above_the_others_is_kept() -> None:
    """Four bits hold 15 values: larger ones stand in the list of exceptions, here and in the library."""
    ids = random_ids(1, 40_000)
    high = np.array([62 << 26 | 5, 40 << 26 | 4, 39 << 26 | 32_767], np.uint32)
    image = sketch_of(np.concatenate([coupons_of(ids), high]))
    assert estimate([image], NONE) == in_no_order(hll_sketch.deserialize(image))
    assert estimate([image], high) == estimate([image], NONE)
    assert estimate([image], NONE) == estimate([], np.concatenate([coupons_of(ids), high]))
