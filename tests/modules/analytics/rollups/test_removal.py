"""Removing old events: not one number of a report changes, whatever comes before, after or between."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.modules.analytics.pipelines.dimensions import FIELDS
from app.modules.analytics.rollups.removal import KeepingRemoval
from app.modules.tracking.cleanup import CleanupService
from app.repositories.events import EventRepository
from app.repositories.quarter_hours import QuarterHourRepository
from tests.conftest import NOW
from tests.modules.analytics.asking import METRICS as EVERY_METRIC
from tests.modules.analytics.rollups.making import busy, everything, insert, rebuild, roll_up

TODAY = NOW.replace(hour=0)
FIRST = TODAY - timedelta(days=12)
DAYS = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=4)]
SPAN = (FIRST - timedelta(days=1), NOW)
CUT = DAYS[1] + timedelta(hours=11, minutes=7, seconds=5, milliseconds=3)  # in a quarter, in a day
CLEAN = "mutation ($d: Int) { cleanOldEvents(daysToKeep: $d) { events impressions clicks } }"
BY = "\n".join(
    f"{name}: report(range: $all, by: [{name}], limit: 50) {{ rows {{ dimensions {{ value }} "
    f"metrics {{ {EVERY_METRIC} }} }} meta {{ exact rows }} }}"
    for name in (*FIELDS, "CATEGORY", "HOUR_OF_DAY", "WEEKDAY")
)
OTHERS = f"""query ($all: RangeInput) {{ {BY}
  pairs: report(range: $all, by: [SOURCE, DEVICE]) {{ rows {{ metrics {{ {EVERY_METRIC} }} }} }}
  minutes: timeSeries(granularity: MINUTE,
    range: {{start: "2026-06-04T10:50:00Z", end: "2026-06-04T11:20:00Z"}}) {{
    metrics {{ {EVERY_METRIC} }} }}
  popular: popularItems(by: REVENUE, range: $all) {{ itemId impressions clicks uniqueUsers }}
  item: itemAnalytics(itemId: "item1", range: $all) {{ metrics {{ {EVERY_METRIC} }} }}
  user: report(range: $all, filter: {{userId: "u1"}}) {{ totals {{ {EVERY_METRIC} }} }}
  visitor: report(range: $all, filter: {{visitorId: "v1"}}) {{ totals {{ {EVERY_METRIC} }} }} }}"""
EVER = f"{{ overview(range: {{preset: ALL}}) {{ current {{ {EVERY_METRIC} }} }} }}"


@pytest_asyncio.fixture
async def quiet(make_api: Any) -> AsyncIterator[Any]:
    """An application that rolls up only when a test says so."""
    yield await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two answers differ, so that a failure can be read."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [d for key in one for d in differing(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for place, (a, b) in pairs for d in differing(a, b, f"{path}.{place}")]
    return [] if one == other else [f"{path}: {one!r} is not {other!r}"]


async def answers(api: Any) -> Any:
    """What is answered from rollups of every length, and of a range that goes by the events."""
    return await everything(api, *SPAN), await api.ask(EVER)


async def all_answers(api: Any) -> Any:
    """Every metric by every dimension, and what else is answered from rollups."""
    span = {"start": SPAN[0].isoformat(), "end": SPAN[1].isoformat()}
    return await answers(api), await api.ask(OTHERS, {"all": span})


async def remove(api: Any, before: datetime) -> int:
    """Delete the events before an instant, by way of the API's service."""
    cleanup: CleanupService = api.services.registry[CleanupService]
    removed = await cleanup._removal.remove_before("demo", before)
    return removed.events


@pytest.mark.parametrize("rolled_up", [False, True])
async def test_what_reports_answer_stays(quiet: Any, rolled_up: bool) -> None:
    """Before and after rolling up and rebuilding, cut in the middle of a quarter, of a day, and at
    last of everything; removing twice removes nothing more."""
    events = busy(DAYS, 120)
    at = [
        CUT - timedelta(seconds=1),
        CUT - timedelta(milliseconds=1),
        CUT,
        CUT + timedelta(seconds=1),
    ]
    for event, moment in zip(events, at, strict=False):
        event["at"] = moment
    await insert(events)
    await insert([{**e, "_id": f"other:{e['_id']}", "site": "other"} for e in events[:5]], "other")
    known = await all_answers(quiet)
    if rolled_up:
        await roll_up(quiet)
    old = sum(event["at"] < CUT for event in events)
    assert await remove(quiet, CUT) == old
    assert differing(await all_answers(quiet), known) == []
    assert await remove(quiet, CUT) == 0
    await roll_up(quiet)
    assert differing(await answers(quiet), known[0]) == []
    await rebuild(quiet)
    assert differing(await all_answers(quiet), known) == []
    assert await remove(quiet, NOW) == len(events) - old
    assert differing(await answers(quiet), known[0]) == []
    await roll_up(quiet)
    await rebuild(quiet)
    assert differing(await all_answers(quiet), known) == []
    assert await quiet.database["events"].distinct("site") == ["other"]


async def test_the_api_removes_by_age(quiet: Any) -> None:
    """Counted by type, and no report changes."""
    events = busy(DAYS, 120)
    await insert(events)
    known = await answers(quiet)
    removed = (await quiet.ask(CLEAN, {"d": 9}))["cleanOldEvents"]
    gone = [event for event in events if event["at"] < NOW - timedelta(days=9)]
    assert removed == {
        "events": len(gone),
        "impressions": sum(event["type"] == "IMPRESSION" for event in gone),
        "clicks": sum(event["type"] == "CLICK" for event in gone),
    }
    assert differing(await answers(quiet), known) == []


async def test_later_events_of_the_same_quarter_are_added(quiet: Any) -> None:
    """And removed in their turn, several times, with rollups in between or not."""
    events = busy(DAYS[:1], 200)
    for place, event in enumerate(events):
        event["at"] = DAYS[0] + timedelta(seconds=place * 4)
    for number in range(4):
        await insert(events[number::4])
        if number == 3:
            await roll_up(quiet)
        assert (await quiet.database["events"].count_documents({})) == 50
        assert await remove(quiet, DAYS[0] + timedelta(days=1)) == 50
        if number % 2:
            await roll_up(quiet)
    kept = await answers(quiet)
    await rebuild(quiet)
    assert differing(await answers(quiet), kept) == []
    await quiet.database["quarter_hours"].delete_many({})
    await quiet.database["rollups"].delete_many({})
    await insert(events)
    assert differing(await answers(quiet), kept) == []


async def test_withdrawn_events_go_without_being_counted(quiet: Any) -> None:
    """What an admin withdrew is deleted as well, and is in no number afterwards either."""
    events = busy(DAYS, 60)
    await insert(events)
    ids = [event["_id"] for event in events[::3]]
    await quiet.database["events"].update_many({"_id": {"$in": ids}}, {"$set": {"void": {}}})
    known = await answers(quiet)
    assert await remove(quiet, NOW) == 60
    assert differing(await answers(quiet), known) == []
    await rebuild(quiet)
    assert differing(await answers(quiet), known) == []


class DiedError(Exception):
    """What ends a removal on its way."""


@pytest.mark.parametrize("step", ["keep", "delete", "after"])
async def test_a_removal_may_die_on_its_way(
    quiet: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Within a quarter or between two: nothing is lost or counted twice, and it can be done again."""
    events = busy(DAYS, 90)
    await insert(events)
    await roll_up(quiet)
    known = await answers(quiet)
    owner: Any = QuarterHourRepository if step == "keep" else EventRepository
    owner, name = (KeepingRemoval, "_remove") if step == "after" else (owner, step)
    done, times = getattr(owner, name), 0

    async def dying(*arguments: Any) -> Any:
        nonlocal times
        times += 1
        if times == 4 and step != "keep":
            await done(*arguments)
        if times >= 4:
            raise DiedError
        return await done(*arguments)

    monkeypatch.setattr(owner, name, dying)
    with suppress(DiedError):
        await remove(quiet, NOW)
    assert times == 4
    monkeypatch.setattr(owner, name, done)
    remaining = await quiet.database["events"].count_documents({})
    assert 0 < remaining < 90
    assert differing(await answers(quiet), known) == []
    await roll_up(quiet)
    assert differing(await answers(quiet), known) == []
    assert await remove(quiet, NOW) == remaining
    assert differing(await answers(quiet), known) == []
    await rebuild(quiet)
    assert differing(await answers(quiet), known) == []


async def test_a_removal_that_takes_long_is_not_counted_twice(
    quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a quarter is removed its mark may become ripe and be rolled up: what the rollup read then
    is not taken for what is left."""
    await insert(busy(DAYS[:1], 12))
    await roll_up(quiet)
    known = await answers(quiet)
    delete = EventRepository.delete

    async def slowly(*arguments: Any) -> Any:
        deleted = await delete(*arguments)
        # So long does it take that what is marked so far has become ripe.
        await roll_up(quiet)
        return deleted

    monkeypatch.setattr(EventRepository, "delete", slowly)
    await remove(quiet, NOW)
    monkeypatch.setattr(EventRepository, "delete", delete)
    assert differing(await answers(quiet), known) == []
    await roll_up(quiet)
    assert differing(await answers(quiet), known) == []


async def test_events_beyond_their_retention_can_be_removed_as_well(make_api: Any) -> None:
    """Where they were rolled up, and still stored because the database has not deleted them yet."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=5)
    await insert(busy(DAYS, 90))
    await roll_up(api)
    known = await answers(api)
    await api.ask(CLEAN, {"d": None})
    assert differing(await answers(api), known) == []
    await roll_up(api)
    assert differing(await answers(api), known) == []
    await rebuild(api)
    assert differing(await answers(api), known) == []
