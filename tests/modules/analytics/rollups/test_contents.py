"""A quarter of an hour of more events than a document takes is stored in several."""

from datetime import timedelta
from typing import Any

import bson
import pytest

from app.modules.analytics.rollups import contents
from app.modules.analytics.rollups.columns import unpacked
from app.modules.analytics.rollups.contents import contents_of
from tests.modules.analytics.asking import METRICS
from tests.modules.analytics.rollups.making import (
    busy,
    columns,
    everything,
    insert,
    rebuild,
    roll_up,
    said,
)
from tests.modules.analytics.rollups.test_removal import DAYS, differing, remove

START = DAYS[0]
TOTALS = f"""query ($all: RangeInput) {{ report(range: $all, by: [PAGE]) {{
  totals {{ {METRICS} }} rows {{ dimensions {{ value }} metrics {{ {METRICS} }} }} }} }}"""
SPAN = (START - timedelta(days=1), START + timedelta(days=2))
SPAN_SENT = {"all": {"start": SPAN[0].isoformat(), "end": SPAN[1].isoformat()}}


def in_a_quarter(number: int, seed: int = 1) -> list[dict[str, Any]]:
    """Events of every type that all happen within the same quarter of an hour."""
    events = busy(DAYS[:1], number, seed)
    for place, event in enumerate(events):
        event["at"] = START + timedelta(seconds=place % 900)
    return events


@pytest.mark.parametrize("most", [1, 3_000, 8_000_000])
def test_no_part_is_too_large_and_nothing_is_lost(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the events; one event is a part even if that is too large."""
    monkeypatch.setattr(contents, "MOST_BYTES", most)
    events = columns(in_a_quarter(37))
    stored = contents_of(events)
    assert (len(stored) == 1) == (most == 8_000_000)
    assert all(part["events"] == 1 or len(bson.encode(part)) <= most for part in stored)
    back = [unpacked(part["columns"], part["events"]) for part in stored]
    assert [row for rows in back for row in said(rows)] == said(events)
    assert contents_of(columns([])) == []


async def parts(api: Any, *, kept: bool) -> list[int]:
    """How many events the parts of the quarter have that are kept, or those that are not."""
    match = {"start": START, "site": "demo", "kept": kept}
    return [part["events"] async for part in api.database["quarter_hours"].find(match)]


async def test_a_quarter_of_several_parts_answers_the_same(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it grows, when fewer parts do, when its events are removed, and when it is rebuilt."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)
    monkeypatch.setattr(contents, "MOST_BYTES", 3_000)
    await insert(in_a_quarter(80))
    counted = await everything(api, *SPAN, stored=False)
    await roll_up(api)
    first = await parts(api, kept=False)
    assert len(first) > 1
    assert differing(await everything(api, *SPAN), counted) == []
    await insert(in_a_quarter(40, seed=2))
    counted = await everything(api, *SPAN, stored=False)
    await roll_up(api)
    more = await parts(api, kept=False)
    assert len(more) > len(first)
    assert sum(more) == 120
    assert differing(await everything(api, *SPAN), counted) == []

    monkeypatch.setattr(contents, "MOST_BYTES", 8_000_000)
    await rebuild(api)
    assert await parts(api, kept=False) == [120]
    assert differing(await everything(api, *SPAN), counted) == []
    monkeypatch.setattr(contents, "MOST_BYTES", 3_000)
    await rebuild(api)
    assert len(await parts(api, kept=False)) == len(more)

    assert await remove(api, START + timedelta(minutes=1)) > 0
    some = await parts(api, kept=True)
    assert some
    assert await remove(api, START + timedelta(days=1)) == 120 - sum(some)
    await roll_up(api)
    assert await parts(api, kept=False) == []
    assert sum(await parts(api, kept=True)) == 120
    assert differing(await everything(api, *SPAN), counted) == []
    await rebuild(api)
    assert differing(await everything(api, *SPAN), counted) == []


@pytest.mark.parametrize("stored", [True, False])
async def test_any_number_of_events_may_be_of_one_instant(make_api: Any, stored: bool) -> None:
    """As in an import of what was counted by the day: more than one document takes is rolled up, and
    removed before or after that."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)
    events = busy(DAYS[:1], 3_500)
    for place, event in enumerate(events):
        event |= {"at": START, "page": f"{place % 7}" + "x" * 5_000, "session": f"s{place}"}
    await insert(events)
    counted = (await api.ask(TOTALS, SPAN_SENT))["report"]
    assert counted["totals"]["events"] == 3_500
    if stored:
        await roll_up(api)
        assert sum(await parts(api, kept=False)) == 3_500
        assert (await api.ask(TOTALS, SPAN_SENT))["report"] == counted
    assert await remove(api, START + timedelta(hours=1)) == 3_500
    await roll_up(api)
    assert (await api.ask(TOTALS, SPAN_SENT))["report"] == counted
