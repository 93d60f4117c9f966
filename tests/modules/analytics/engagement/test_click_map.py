"""Click maps: every click in exactly one cell, and those that are in none are said to be."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store

CLICK_MAP = """query ($itemId: ID, $page: String, $range: RangeInput, $columns: Int, $rows: Int,
  $width: Int, $height: Int, $filter: ReportFilter) {
  clickMap(itemId: $itemId, page: $page, range: $range, columns: $columns, rows: $rows, width: $width,
           height: $height, filter: $filter) {
    width height columns rows clicks outside withoutPosition maximum exact
    cells { column row left top clicks } } }"""


async def ask(api: Any, **arguments: Any) -> Any:
    return (await api.ask(CLICK_MAP, {"itemId": "a", **arguments}))["clickMap"]


def click(x: float | None = None, y: float = 0, **fields: Any) -> dict[str, Any]:
    if x is not None:
        fields["click_position"] = {"x": float(x), "y": float(y)}
    return event("CLICK", **{"item": "a", **fields})


def cells(found: Any) -> list[tuple[int, int, int]]:
    return [(cell["column"], cell["row"], cell["clicks"]) for cell in found["cells"]]


async def test_clicks_lie_in_cells_and_those_that_do_not_are_counted_apart(api: Any) -> None:
    """Inside, outside on every side, and without a position; other types and items have no part."""
    await store(
        click(0, 0),
        click(9.999, 0),
        click(10, 0),
        click(99.9, 49.9),
        click(99.9, 49.9),
        click(100, 0),
        click(0, 50),
        click(-0.001, 0),
        click(0, -1_000_000),
        click(),
        click(5, 5, item="b"),
        event("IMPRESSION", item="a", click_position={"x": 1.0, "y": 1.0}),
        click(5, 5, void={"id": "v"}),
        click(5, 5, at=NOW - timedelta(days=31)),
    )
    found = await ask(api, columns=10, rows=5, width=100, height=50)
    assert cells(found) == [(0, 0, 2), (1, 0, 1), (9, 4, 2)]
    assert found["cells"][2] == {"column": 9, "row": 4, "left": 90, "top": 40, "clicks": 2}
    assert (found["clicks"], found["outside"], found["withoutPosition"]) == (5, 4, 1)
    assert (found["maximum"], found["exact"]) == (2, True)


async def test_the_area_is_as_large_as_the_clicks_are_spread(api: Any) -> None:
    """Without sides the furthest click is in the last cell, but one far out does not make the map."""
    await store(
        *[click(x, 2 * x) for x in range(40)], click(60, 0), click(900_000, 0), click(0, 900_000)
    )
    found = await ask(api, columns=4, rows=4)
    # The 95th percentiles are 39 and 76: what is further out than twice that is left out.
    assert (found["width"], found["height"]) == (61, 79)
    assert (found["clicks"], found["outside"]) == (41, 2)
    assert [cell["left"] for cell in found["cells"]] == [0, 46, 0, 16, 16, 16, 31]
    assert [cell["top"] for cell in found["cells"]] == [0, 0, 20, 20, 40, 60, 60]


async def test_no_clicks_make_an_empty_map(api: Any) -> None:
    """The area has at least one pixel a cell, as it has for clicks in one place."""
    empty = await ask(api, columns=None, rows=None, range=None, filter=None)
    assert empty == {
        "width": 20, "height": 20, "columns": 20, "rows": 20, "clicks": 0, "outside": 0,
        "withoutPosition": 0, "maximum": 0, "cells": [], "exact": True,
    }  # fmt: skip
    await store(click(0, 0))
    found = await ask(api, columns=3)
    assert (found["width"], found["height"], cells(found)) == (3, 20, [(0, 0, 1)])


async def test_one_side_may_be_given(api: Any) -> None:
    """The other one is as far as was clicked."""
    await store(click(10, 10), click(50, 30))
    found = await ask(api, width=20, columns=2, rows=2)
    assert (found["width"], found["height"], found["outside"]) == (20, 31, 1)


async def test_clicks_of_a_page_and_of_an_item_on_a_page(api: Any) -> None:
    """The page is compared as it is; with both arguments both must hold; the filter too."""
    await store(
        click(1, 1, page="/p", device="tv"),
        click(1, 1, page="/p", item="b"),
        click(1, 1, page="/q"),
        click(1, 1, page="$p"),
    )
    assert (await ask(api, itemId=None, page="/p"))["clicks"] == 2
    assert (await ask(api, page="/p"))["clicks"] == 1
    assert (await ask(api, itemId=None, page="$p"))["clicks"] == 1
    tv = {"where": [{"dimension": "DEVICE", "values": ["tv"]}]}
    assert (await ask(api, itemId=None, page="/p", filter=tv))["clicks"] == 1
    assert (await ask(api, filter={"itemId": "b"}))["clicks"] == 0


async def test_a_sample_is_scaled_up(api: Any) -> None:
    """A click that stands for ten counts ten times."""
    await store(click(1, 1), click(2, 2, weight=10), click(weight=10), click(-1, 1, weight=10))
    found = await ask(api, columns=1, rows=1, width=10, height=10)
    assert (found["clicks"], found["outside"], found["withoutPosition"]) == (11, 10, 10)
    assert found["exact"] is False


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"itemId": None}, "itemId"),
        ({"itemId": ""}, "itemId"),
        ({"itemId": "x" * 257}, "itemId"),
        ({"page": ""}, "page"),
        ({"page": "\x00"}, "page"),
        ({"columns": 0}, "columns"),
        ({"columns": 101}, "columns"),
        ({"rows": -1}, "rows"),
        ({"rows": 2**31 - 1}, "rows"),
        ({"width": 19}, "width"),
        ({"width": 1_000_001}, "width"),
        ({"height": 0}, "height"),
        ({"filter": {"visitorId": ""}}, "filter.visitorId"),
        ({"range": {"end": "2026-06-01"}}, "range.start"),
    ],
)
async def test_what_cannot_be_drawn_is_refused(
    api: Any, arguments: dict[str, Any], field: str
) -> None:
    """BAD_USER_INPUT with the argument's name."""
    error = await api.refused(CLICK_MAP, {"itemId": "a", **arguments})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


coordinates = st.one_of(
    st.integers(-2, 60).map(float),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(0, 50, allow_nan=False),
    st.sampled_from([-0.0, 0.1, 2.9999999999999996, 1e6]),
)


def pixel_cell(coordinate: float, cells: int, side: int) -> int | None:
    """The cell whose pixels, one by one, hold the coordinate's."""
    for pixel in range(side):
        if pixel <= coordinate < pixel + 1:
            return next(cell for cell in range(cells) if pixel * cells < (cell + 1) * side)
    return None


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    points=st.lists(st.one_of(st.none(), st.tuples(coordinates, coordinates)), max_size=25),
    columns=st.integers(1, 9),
    rows=st.integers(1, 9),
    more=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
async def test_every_click_is_in_the_cell_of_its_pixel(
    api: Any, points: list[Any], columns: int, rows: int, more: tuple[int, int]
) -> None:
    """Cells, clicks outside and clicks without a position are what going through the pixels finds."""
    await api.database["events"].delete_many({})
    await store(*[click() if point is None else click(*point) for point in points])
    width, height = columns + more[0], rows + more[1]
    found = await ask(api, columns=columns, rows=rows, width=width, height=height)
    wanted: dict[tuple[int, int], int] = {}
    outside = 0
    for x, y in (point for point in points if point is not None):
        column, row = pixel_cell(x, columns, width), pixel_cell(y, rows, height)
        if column is None or row is None:
            outside += 1
        else:
            wanted[row, column] = wanted.get((row, column), 0) + 1
    assert cells(found) == [(column, row, wanted[row, column]) for row, column in sorted(wanted)]
    assert (found["clicks"], found["outside"]) == (sum(wanted.values()), outside)
    assert found["withoutPosition"] == points.count(None)
    assert found["maximum"] == max(wanted.values(), default=0)
