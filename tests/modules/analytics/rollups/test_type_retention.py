"""Retention by type: events go, and no number of a report or of a session does."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.rollups.retention import DELETED_AFTER
from app.modules.analytics.rollups.worker import LEASE
from app.repositories.leases import LeaseRepository
from tests.conftest import NOW, OTHER_SITE_KEYS
from tests.modules.analytics.rollups.making import busy, insert, rebuild, roll_up
from tests.modules.analytics.rollups.test_removal import all_answers, answers, differing
from tests.modules.analytics.sessions.asking import METRICS as SESSION_METRICS
from tests.modules.analytics.sessions.asking import SESSIONS

FIRST = NOW.replace(hour=0) - timedelta(days=12)
DAYS = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=4)]
RANGE = {"start": (FIRST - timedelta(days=1)).isoformat(), "end": NOW.isoformat()}
KEEP = """mutation ($retention: [EventRetentionInput!]) {
  updateSite(input: {retention: $retention}) { retention { type days } } }"""
AUDIT = "{ audit { differences accepted } }"


def visits() -> list[dict[str, Any]]:
    """Events of every type in sessions of several minutes, pauses between, and some in no order."""
    events = busy(DAYS, 240)
    for place, event in enumerate(events[:200]):
        event["at"] = DAYS[place % 3] + timedelta(hours=9, seconds=place * 37, milliseconds=place)
    return events


@pytest_asyncio.fixture
async def filled(make_api: Any) -> AsyncIterator[Any]:
    """An application that rolls up only when a test says so, with events that are rolled up."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)
    events = visits()
    await insert(events)
    await insert([{**e, "_id": f"other:{e['_id']}", "site": "other"} for e in events[:9]], "other")
    await roll_up(api)
    await api.services.rollups.release()
    yield api


async def keep(api: Any, **days: int) -> None:
    """Keep events of these types for so many days."""
    retention = [{"type": name, "days": number} for name, number in days.items()]
    await api.ask(KEEP, {"retention": retention})


async def sessions(api: Any) -> Any:
    """What sessions answer."""
    numbers = await api.ask(SESSION_METRICS, {"range": RANGE})
    return numbers, await api.ask(SESSIONS, {"range": RANGE})


async def stored(api: Any, site: str = "demo") -> list[tuple[str, datetime]]:
    """Type and time of what is left."""
    found = await api.database["events"].find({"site": site}).to_list(None)
    return [(event["type"], event["at"]) for event in found]


def due(days: int) -> datetime:
    """Events from then on stay."""
    return quarter_of(NOW - timedelta(days=days) - DELETED_AFTER)


async def test_events_go_by_their_type_and_numbers_stay(filled: Any) -> None:
    """Reports and sessions answer what they did: right after, rolled up again, and rebuilt."""
    known, known_sessions = await all_answers(filled), await sessions(filled)
    before = await stored(filled)
    await keep(filled, IMPRESSION=3, PAGE_VIEW=3, CLICK=9)
    assert await filled.services.type_retention.turn()
    days = {"IMPRESSION": 3, "PAGE_VIEW": 3, "CLICK": 9}
    left = [(t, at) for t, at in before if t not in days or at >= due(days[t])]
    assert len(left) < len(before) - 60
    assert any(event_type == "CLICK" for event_type, _ in left)
    assert sorted(await stored(filled)) == sorted(left)
    assert len(await stored(filled, "other")) == 9
    parts = await filled.database["quarter_hours"].find({"kept": True}).to_list(None)
    assert len({part["start"] for part in parts}) == len(parts)  # one for all types and events
    assert differing(await all_answers(filled), known) == []
    assert differing(await sessions(filled), known_sessions) == []
    await roll_up(filled)
    assert differing(await answers(filled), known[0]) == []
    assert differing(await sessions(filled), known_sessions) == []
    await rebuild(filled)
    assert differing(await all_answers(filled), known) == []
    assert differing(await sessions(filled), known_sessions) == []
    audit = (await filled.ask(AUDIT))["audit"]
    assert audit["differences"] == []
    assert audit["accepted"] > 0


async def test_time_goes_on_and_types_go_one_after_the_other(filled: Any) -> None:
    """Each hour what has become too old since; nothing is counted twice or lost in between."""
    known, known_sessions = await answers(filled), await sessions(filled)
    await keep(filled, VIEW=1, CLICK=4, CONVERSION=9, CUSTOM=9)
    for number in range(4):
        await filled.services.type_retention.turn()
        assert differing(await answers(filled), known) == []
        if number % 2:
            await roll_up(filled)
            await filled.services.rollups.release()
        assert differing(await sessions(filled), known_sessions) == []
        await keep(filled, VIEW=1, CLICK=4 - number, CONVERSION=8 - 2 * number, ENGAGEMENT=1)
    await roll_up(filled)
    await filled.services.rollups.release()
    assert await filled.services.type_retention.turn()
    left = [at for event_type, at in await stored(filled) if event_type == "VIEW"]
    assert not [at for at in left if at < due(1)]
    assert differing(await answers(filled), known) == []
    assert differing(await sessions(filled), known_sessions) == []


async def test_late_events_are_counted_and_change_no_final_session(filled: Any) -> None:
    """One of a type that is kept longer, in the time of a session that has lost events."""
    await keep(filled, IMPRESSION=3)
    assert await filled.services.type_retention.turn()
    [session] = await filled.database["sessions"].find({"is_final": True}).limit(1).to_list(1)
    clicks = "{ overview(range: {preset: ALL}) { current { clicks } } }"
    before, known = (
        (await filled.ask(clicks))["overview"]["current"]["clicks"],
        await sessions(filled),
    )
    late = {**busy([FIRST], 3, seed=7)[2], "at": session["start"], "session": session["session"]}
    assert late["type"] == "CLICK"
    await insert([late])
    await roll_up(filled)
    assert (await filled.ask(clicks))["overview"]["current"]["clicks"] == before + 1
    assert differing(await sessions(filled), known) == []


async def test_what_waits_to_be_rolled_up_waits(filled: Any) -> None:
    """A quarter of an hour with a mark is left for the next turn, the others are not."""
    events = [e for e in visits() if e["type"] == "IMPRESSION" and e["at"] < due(3)]
    marked = quarter_of(events[0]["at"])
    again = {**busy([FIRST], 1, seed=9)[0], "type": "CLICK", "at": marked}
    await insert([again])
    await keep(filled, IMPRESSION=3)
    retention = filled.services.type_retention
    assert not await retention.turn()
    left = [at for event_type, at in await stored(filled) if event_type == "IMPRESSION"]
    assert {quarter_of(at) for at in left if at < due(3)} == {marked}
    await roll_up(filled)
    await filled.services.rollups.release()
    assert await retention.turn()
    left = [at for event_type, at in await stored(filled) if event_type == "IMPRESSION"]
    assert not [at for at in left if at < due(3)]


async def test_a_turn_is_bounded_and_leaves_the_lease(filled: Any) -> None:
    """While others roll up, and when its time is over, nothing is deleted and somebody else may."""
    await keep(filled, IMPRESSION=3)
    before = await stored(filled)
    retention, leases = filled.services.type_retention, LeaseRepository()
    assert await leases.acquire(LEASE, "another", 60)
    assert not await retention.turn()
    await leases.release(LEASE, "another")
    assert not await retention.turn(seconds=0)
    assert await stored(filled) == before
    assert await retention.turn()
    assert await leases.acquire(LEASE, "another", 60)


async def test_what_was_released_late_goes_within_a_day(filled: Any) -> None:
    """It may be older than what was looked through already."""
    retention = filled.services.type_retention
    await keep(filled, IMPRESSION=3)
    assert await retention.turn()
    old = {**busy([FIRST], 1, seed=5)[0], "at": FIRST}
    assert old["type"] == "IMPRESSION"
    await insert([old])
    await roll_up(filled)
    await filled.services.rollups.release()
    assert await retention.turn()
    assert ("IMPRESSION", FIRST) in await stored(filled)
    filled.clock.advance(days=1, hours=1)
    assert await retention.turn()
    assert ("IMPRESSION", FIRST) not in await stored(filled)


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (timedelta(days=3), "ACCEPTED"),
        (timedelta(days=3, milliseconds=1), "REJECTED"),
    ],
)
async def test_events_that_come_too_late_for_their_type_are_not_counted(
    api: Any, age: timedelta, verdict: str
) -> None:
    """TIMESTAMP, for that type and that site alone."""
    await keep(api, CLICK=3)
    at = (NOW - age).isoformat()
    [click, view] = await api.track(
        {"type": "CLICK", "itemId": "a", "timestamp": at},
        {"type": "VIEW", "itemId": "a", "timestamp": at},
    )
    assert click["verdict"] == verdict
    assert click["reason"] == (None if verdict == "ACCEPTED" else "TIMESTAMP")
    assert view["verdict"] == "ACCEPTED"
    [other] = await api.track(
        {"type": "CLICK", "itemId": "a", "timestamp": at}, keys=OTHER_SITE_KEYS
    )
    assert other["verdict"] == "ACCEPTED"


async def test_the_instance_keeps_nothing_longer_for_a_site(make_api: Any) -> None:
    """A longer retention of a type is refused; of one that the instance was given later, the shorter
    counts."""
    api = await make_api(data_retention_days=10)
    refused = await api.refused(KEEP, {"retention": [{"type": "CLICK", "days": 11}]})
    assert refused["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.retention"}
    await keep(api, CLICK=10)
    shorter = await make_api(empty=False, data_retention_days=5)
    at = (NOW - timedelta(days=7)).isoformat()
    [click] = await shorter.track({"type": "CLICK", "itemId": "a", "timestamp": at})
    assert click["reason"] == "TIMESTAMP"


def test_whole_quarters_are_due() -> None:
    """Later than anything that is accepted, and than what of it is still being written."""
    assert due(3) + QUARTER <= NOW - timedelta(days=3) - timedelta(hours=1)
