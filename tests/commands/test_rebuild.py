"""`footfall rebuild`: what was rolled up wrongly is right again, whatever happens on the way."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pymongo import MongoClient

from app.commands.rebuild import _rebuild
from app.core.clock import SystemClock
from app.core.errors import NotFoundError
from app.core.quarters import QUARTER, quarter_of, to_ms
from app.modules.analytics.rollups.worker import LeaseLostError
from app.repositories.rollups import RollupRepository
from tests.conftest import NOW, LiveServer
from tests.modules.analytics.rollups.making import busy, everything, insert, roll_up

PROGRAM = Path(sys.executable).parent / "footfall"
FIRST = NOW.replace(hour=0) - timedelta(days=16)
DAYS = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=9)]
SPAN = (FIRST - timedelta(days=1), NOW)


@pytest_asyncio.fixture
async def quiet(make_api: Any) -> AsyncIterator[Any]:
    """An application that rolls up only when a test says so, with events that are rolled up."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)
    await insert(busy(DAYS, 150))
    await roll_up(api)
    yield api


async def rebuild(api: Any, start: datetime | None = None, end: datetime | None = None) -> int:
    events, _ = await _rebuild(api.services, "demo", start, end)
    return events


def naive(instant: datetime) -> datetime:
    """As the command line gives it."""
    return instant.replace(tzinfo=None)


async def tamper(api: Any, **match: Any) -> int:
    """Make every rollup's first count wrong, and every quarter lose its events."""
    found = await api.database["rollups"].update_many(match, {"$inc": {"content.counts.0": 7}})
    await api.database["rollups"].update_many(
        {**match, "content.counts.events": {"$exists": True}},
        {"$set": {"content.counts.events": bytes([0, 99])}},
    )
    number: int = found.modified_count
    return number


async def test_what_was_tampered_with_is_right_again(quiet: Any) -> None:
    """Cells of every length and quarters in columns; a rebuild of what is right changes nothing."""
    known = await everything(quiet, *SPAN)
    assert await tamper(quiet, **{"_id": {"$regex": r"\|(SITE|ITEM)\|"}, "content.counts.0": {"$exists": True}})  # fmt: skip
    assert await everything(quiet, *SPAN) != known
    assert await rebuild(quiet) == 150
    assert await everything(quiet, *SPAN) == known

    await quiet.database["quarter_hours"].delete_many({"start": {"$lt": DAYS[1]}})
    await quiet.database["rollups"].delete_many({"start": {"$lt": DAYS[1]}})
    assert await everything(quiet, *SPAN) != known
    assert await rebuild(quiet) == 150
    assert await everything(quiet, *SPAN) == known

    before = [r async for r in quiet.database["rollups"].find().sort("_id", 1)]
    assert await rebuild(quiet) == 150
    assert [r async for r in quiet.database["rollups"].find().sort("_id", 1)] == before
    assert await quiet.database["leases"].count_documents({}) == 0


async def test_a_range_only(quiet: Any) -> None:
    """Days outside of it stay as they are; the ends may lie in the middle of a day."""
    known = await everything(quiet, *SPAN)
    await tamper(quiet, _id={"$regex": r"\|SITE\|"})
    wrong = await everything(quiet, *SPAN)
    inside = (naive(DAYS[1]), naive(DAYS[1] + timedelta(hours=23)))
    events = await rebuild(quiet, *inside)
    assert 0 < events < 150
    partly = await everything(quiet, *SPAN)
    for place, day in enumerate(partly["days"]):
        # Of Kathmandu's days the second one lies half in the range.
        assert day in (known["days"][place], wrong["days"][place]) or place in (2, 3)
    assert partly["totals"] not in (known["totals"], wrong["totals"])
    assert await rebuild(quiet, None, naive(DAYS[1])) + await rebuild(quiet, naive(DAYS[1])) == 150
    assert await everything(quiet, *SPAN) == known
    # Where there is nothing, there is nothing to do.
    assert await rebuild(quiet, naive(NOW), naive(NOW + timedelta(days=2))) == 0
    assert await rebuild(quiet, naive(NOW + timedelta(days=90))) == 0


async def test_sites_without_events_and_sites_that_are_not(quiet: Any) -> None:
    """Nothing to do for the one, an error that says so for the other; no other site is touched."""
    before = await everything(quiet, *SPAN)
    assert (await _rebuild(quiet.services, "other", None, None))[0] == 0
    with pytest.raises(NotFoundError):
        await _rebuild(quiet.services, "nobody", None, None)
    assert await everything(quiet, *SPAN) == before
    assert await quiet.database["rollups"].distinct("site") == ["demo"]


async def test_interrupted_half_way_reports_are_right(
    quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled at any of its writes: what was not reached is as it was, and the lease is given back."""
    known = await everything(quiet, *SPAN)
    replace = RollupRepository.replace
    writes, stop_at = 0, -1

    async def counting(self: RollupRepository, *arguments: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == stop_at:
            raise asyncio.CancelledError
        await replace(self, *arguments)

    monkeypatch.setattr(RollupRepository, "replace", counting)
    await rebuild(quiet)
    number, writes = writes, 0
    for stop_at in (1, 2, 9, number // 2, number - 1):  # noqa: B007 - `counting` reads it
        writes = 0
        with pytest.raises((asyncio.CancelledError, ExceptionGroup)):
            await rebuild(quiet)
        assert await quiet.database["leases"].count_documents({}) == 0
        assert await everything(quiet, *SPAN) == known
    stop_at = -1
    await rebuild(quiet)
    await roll_up(quiet)
    assert await everything(quiet, *SPAN) == known
    # Of the four weeks that are not over.
    assert await quiet.database["marks"].distinct("level") == ["four weeks"]
    assert await quiet.database["marks"].count_documents({}) == 1


async def test_what_is_being_written_is_left_for_later(quiet: Any) -> None:
    """A fresh mark stays, and so do days and weeks that it is in; its events are counted all the same."""
    late = busy(DAYS[:1], 3, seed=9)
    await insert(late)
    known = await everything(quiet, *SPAN)
    await rebuild(quiet)
    assert await everything(quiet, *SPAN) == known
    marked = {m["start"] async for m in quiet.database["marks"].find({"level": "quarter"})}
    assert len(marked) == 3
    await roll_up(quiet)
    assert await everything(quiet, *SPAN) == known


async def test_while_another_process_rolls_up_it_waits(quiet: Any, make_api: Any) -> None:
    """And then says so, without having changed anything."""
    await quiet.services.rollups.release()
    other = await make_api(
        empty=False, rollup_interval=3_600, report_cache_size=0, data_retention_days=0
    )
    await other.services.rollups.hold(timedelta(0))
    with pytest.raises(LeaseLostError):
        await quiet.services.rollups.hold(patience=timedelta(0))
    await other.services.rollups.release()
    assert await rebuild(quiet) == 150


# As a process, beside a server


def command(server: LiveServer, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "FOOTFALL_MONGO_URL": server.mongo_url,
        "FOOTFALL_DATABASE": server.database,
        "COLUMNS": "200",
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [PROGRAM, "rebuild", *arguments], env=environment, stdout=pipe, stderr=pipe, text=True
    )


def clicks(server: LiveServer) -> int:
    query = "{ report(range: {preset: ALL}) { totals { clicks } } }"
    answer = httpx.post(
        f"{server.url}/graphql",
        json={"query": query},
        headers={"Authorization": f"Bearer {server.read_key}"},
        timeout=30,
    ).json()
    found: int = answer["data"]["report"]["totals"]["clicks"]
    return found


def track(server: LiveServer, number: int, at: datetime) -> None:
    query = "mutation ($input: BatchInput!) { trackBatch(input: $input) { accepted } }"
    event = {"type": "CLICK", "itemId": "a", "timestamp": at.isoformat()}
    events = [{**event, "sessionId": os.urandom(8).hex()} for _ in range(number)]
    answer = httpx.post(
        f"{server.url}/graphql",
        json={"query": query, "variables": {"input": {"events": events}}},
        headers={"Authorization": f"Bearer {server.write_key}"},
        timeout=30,
    ).json()
    assert answer["data"]["trackBatch"]["accepted"] == number


def put(server: LiveServer, events: list[dict[str, Any]], *, marked: bool) -> None:
    """Store events without the server, with marks from long ago or as if they had been rolled up."""
    with MongoClient(server.mongo_url) as client:
        database = client[server.database]
        database["events"].insert_many(events)
        for start in {quarter_of(event["at"]) for event in events} if marked else ():
            mark = {"site": "demo", "level": "quarter", "start": start, "marked_at": start}
            mark_id = {"_id": f"demo|quarter|{to_ms(start)}"}
            database["marks"].update_one(mark_id, {"$set": mark}, upsert=True)


def event_at(at: datetime, kind: str) -> dict[str, Any]:
    return {"_id": f"demo:{os.urandom(8).hex()}", "site": "demo", "type": kind, "at": at,
            "received_at": at, "session": "s", "visitor": "v", "item": "a"}  # fmt: skip


def days_ago(number: int) -> datetime:
    """A moment so many days before the machine's now, which is what a server goes by."""
    return SystemClock().now() - timedelta(days=number)


def test_beside_a_running_server(live_server: LiveServer) -> None:
    """While events come in every answer has all of them; what it did is said, and errors are clear."""
    late = days_ago(2)
    put(live_server, [event_at(late - n * QUARTER, "CLICK") for n in range(40)], marked=True)
    known = clicks(live_server)
    running = command(live_server)
    while running.poll() is None:
        track(live_server, 5, late)
        known += 5
        assert clicks(live_server) == known
    output, complaints = running.communicate(timeout=60)
    assert running.returncode == 0, complaints
    assert "Rolled up" in output
    assert clicks(live_server) == known

    unknown = command(live_server, "--site", "nobody")
    output, complaints = unknown.communicate(timeout=60)
    assert unknown.returncode not in (0, 130)
    assert "Traceback" not in complaints
    assert "site" in complaints + output

    backwards = command(live_server, "--from", "2026-06-02", "--to", "2026-06-01")
    output, complaints = backwards.communicate(timeout=60)
    assert backwards.returncode == 2
    assert "--start" in complaints


def test_ctrl_c_ends_it_and_says_so(live_server: LiveServer) -> None:
    """With exit code 130 and the lease free; reports are right, and it can be begun again."""
    track(live_server, 1, days_ago(0))
    known = clicks(live_server)
    first = days_ago(85)
    put(live_server, [event_at(first, "PAGE_VIEW")], marked=False)
    running = command(live_server)
    with MongoClient(live_server.mongo_url) as client:
        quarters = client[live_server.database]["quarter_hours"]
        # Nobody else rolls up what is not marked: when it is there, the command is on its way.
        while not quarters.find_one({"start": quarter_of(first)}):
            assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGINT)
    output, complaints = running.communicate(timeout=60)
    assert running.returncode == 130, output + complaints
    assert "Interrupted" in complaints
    assert "Traceback" not in complaints
    assert clicks(live_server) == known
    again = command(live_server, "--to", str((first + timedelta(days=2)).date()))
    output, complaints = again.communicate(timeout=60)
    assert again.returncode == 0, complaints
    assert "1 events" in output
    assert clicks(live_server) == known
