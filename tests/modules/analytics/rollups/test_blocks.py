"""Blocks of large days: what they add to a report is what their events do."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.core.quarters import to_ms
from app.modules.analytics.measures import Part
from app.modules.analytics.pipelines.dimensions import FIELDS
from app.modules.analytics.query import Dimension
from app.modules.analytics.rollups import blocks, parts
from app.modules.analytics.rollups.blocks import add_block, blocks_of, rollups_of_blocks
from app.modules.analytics.rollups.cells import DAY, Counting, Period, hash_of_value
from app.modules.analytics.rollups.columns import Columns
from app.modules.analytics.rollups.parts import MINUTE_MS, block_of_day
from app.modules.analytics.rollups.tally import COUNTS, Tally
from tests.modules.analytics.rollups.making import busy, columns

MORNING = datetime(2026, 6, 1, tzinfo=UTC)
THE_DAY = Period("demo", DAY, to_ms(MORNING))


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> Columns:
    """The events of a day that counts as a large one, in the order of their quarters."""
    monkeypatch.setattr(parts, "LARGE", 100)
    return columns(sorted(busy([MORNING], 400), key=lambda event: event["at"]))


@pytest.mark.parametrize("exact", [1_024, 3])
@pytest.mark.parametrize("dimension", ["ITEM", "PAGE", "DEVICE", "SOURCE"])
def test_blocks_add_what_their_events_do(
    day: Columns, dimension: str, exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, amounts and distinct ids of every value, whether sets are small or large ones."""
    monkeypatch.setattr(blocks, "EXACT", exact)
    counting = Counting(day)
    begin = blocks_of(counting, THE_DAY.start)
    assert begin == (0, 180, 360, 540, 720, 900, 1_080, 1_260)
    found = list(rollups_of_blocks(counting, THE_DAY, begin, dimension))
    assert {one["_id"] for one in found} <= {
        Period("demo", block_of_day(minutes), THE_DAY.start).table_id(dimension)
        for minutes in begin
    }
    coded = day.dimensions[FIELDS[Dimension(dimension)]]
    of_events, of_blocks = Tally(Part), Tally(Part)
    keys = [(None, value) for value in coded.values]
    of_events.add_events(day, of_events.places(keys)[coded.codes])
    place_of = {
        hash_of_value(value): int(place)
        for value, place in zip(coded.values, of_blocks.places(keys), strict=True)
    }
    for one in found:
        add_block(of_blocks, one["content"], place_of)
    assert of_blocks.counts.tolist() == of_events.counts.tolist()
    assert of_blocks.counts[:, COUNTS.index("events")].sum() == len(day)
    exact_ones = of_events.measures("EUR")
    for measured, expected in zip(of_blocks.measures("EUR"), exact_ones, strict=True):
        if exact == 3:  # sets of sketches alone are estimated
            measured.exact = expected.exact
        assert measured == expected


def test_few_values_of_a_block_are_read_and_no_others(day: Columns) -> None:
    """Those that are asked for, of which there may be none in it."""
    counting = Counting(day)
    first = next(rollups_of_blocks(counting, THE_DAY, (0,), "ITEM"))["content"]
    tally = Tally([Part.VISITORS])
    place = tally.place((None, "item1"))
    add_block(tally, first, {hash_of_value("item1"): place, hash_of_value("nobody's"): 5})
    early = day.rows((day.at < THE_DAY.start + 180 * MINUTE_MS).nonzero()[0])
    items = early.dimensions["item"]
    of_item = early.rows((items.codes == list(items.values).index("item1")).nonzero()[0])
    assert tally.counts[place, 0] == len(of_item) > 0
    [measures] = tally.measures("EUR")
    assert measures.visitors == len(np.unique(of_item.ids["visitor"]))


def test_small_days_and_immense_blocks_have_none(
    day: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document has to hold a block."""
    counting = Counting(day)
    in_blocks = np.bincount((day.at - THE_DAY.start) // (180 * MINUTE_MS), minlength=8)
    most: Any = int(np.sort(in_blocks)[4])
    monkeypatch.setattr(blocks, "MOST_EVENTS", most)
    begin = blocks_of(counting, THE_DAY.start)
    assert list(begin) == [180 * n for n in range(8) if in_blocks[n] <= most]
    monkeypatch.setattr(parts, "LARGE", len(day) + 1)
    assert blocks_of(counting, THE_DAY.start) == ()
