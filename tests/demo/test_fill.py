"""Filling the site demo: through the same ingest as everything else, again and again."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.commands.demo import roll_up
from app.core.auth import Scope
from app.demo.fill import DemoFill
from app.demo.size import DemoSize
from app.importing.tally import Tally
from app.modules.analytics.rollups.worker import LEASE
from app.repositories.leases import LeaseRepository
from tests.conftest import NOW

PROGRAM = Path(sys.executable).parent / "footfall"
SIZE = DemoSize(days=6, events=3_000)
ALL = {"range": {"preset": "LAST_90_DAYS"}}


async def fill(api: Any, size: DemoSize = SIZE) -> Tally:
    job = DemoFill(api.services, size)
    await job.run()
    return job.tally


async def stored(api: Any) -> int:
    count: int = await api.database["events"].count_documents({"site": "demo"})
    return count


async def filled_at(api: Any) -> Any:
    return (await api.database["sites"].find_one({"_id": "demo"}))["demo_filled_at"]


async def test_the_site_is_filled(api: Any) -> None:
    """Items, events of every type, and what is not counted with its reason; nothing is invalid."""
    tally = await fill(api)
    assert tally.total == pytest.approx(3_000, rel=0.15)
    assert await stored(api) > 2_500
    assert set(tally.duplicates) == {"COOLDOWN", "REPLAYED"}
    assert set(tally.rejected) == {"BOT"}
    items = await api.ask("{ items(limit: 1) { pagination { total } } }", scope=Scope.READ)
    assert items["items"]["pagination"]["total"] == 200
    assert await filled_at(api) == NOW


async def test_reports_of_it_have_numbers(api: Any) -> None:
    """The first things that somebody looks at: totals, popular items with titles, a user."""
    await fill(api)
    data = await api.ask(
        """query ($range: RangeInput) {
             report(range: $range) { totals { events clicks conversions revenue uniqueVisitors } }
             popularItems(range: $range, limit: 3) { itemId impressions item { title } }
             userAnalytics(userId: "user-1", range: $range) { impressions } }""",
        ALL,
        scope=Scope.READ,
    )
    totals = data["report"]["totals"]
    assert totals["events"] == await stored(api)
    assert totals["clicks"] > 0
    assert totals["uniqueVisitors"] > 20
    assert all(popular["item"]["title"] for popular in data["popularItems"])


async def test_filling_again_adds_only_what_is_new(api: Any) -> None:
    """At once nothing; a day later that day's events, and the days before stay as they are."""
    first = await fill(api)
    filled = await stored(api)
    again = await fill(api)
    assert (again.accepted, again.total) == (0, first.total)
    assert await stored(api) == filled
    api.clock.advance(days=1)
    await fill(api)
    new = await api.database["events"].count_documents({"site": "demo", "at": {"$gt": NOW}})
    assert 200 < new < 1_200
    assert await stored(api) == filled + new


async def test_a_fill_that_was_interrupted_is_completed(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was written before, the result is that of a fill that was not interrupted."""
    api = await make_api()
    ingest = api.services.tracking.ingest
    batches = 0

    async def failing(*arguments: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise RuntimeError("interrupted")
        return await ingest(*arguments)

    monkeypatch.setattr(api.services.tracking, "ingest", failing)
    with pytest.raises(RuntimeError, match="interrupted"):
        await fill(api)
    monkeypatch.undo()
    assert await filled_at(api) is None
    assert await stored(api) > 0
    completed = await fill(api)
    assert completed.accepted > 0
    assert completed.duplicates["REPLAYED"] >= 900
    count = await stored(api)
    uninterrupted = await make_api(database=f"{api.settings.database}_2")
    await fill(uninterrupted)
    assert await stored(uninterrupted) == count


async def test_all_events_lie_within_what_is_kept(make_api: Any) -> None:
    """With a short retention fewer days are filled, and none is rejected with TIMESTAMP."""
    api = await make_api(data_retention_days=2)
    tally = await fill(api)
    assert "TIMESTAMP" not in tally.rejected
    first = await api.database["events"].find_one({}, sort=[("at", 1)])
    assert first["at"] > NOW - timedelta(days=2)
    last = await api.database["events"].find_one({}, sort=[("at", -1)])
    assert last["at"] <= NOW


async def test_what_was_filled_in_is_rolled_up(api: Any) -> None:
    """As far as nobody can be writing to it any more; where a server does so already, it is left to it."""
    await fill(api)
    quarters = api.database["quarter_hours"]
    await roll_up(api.services)
    assert await quarters.count_documents({}) == 0
    older = {"$set": {"marked_at": {"$subtract": ["$marked_at", 60_000]}}}
    await api.database["marks"].update_many({}, [older])
    leases = LeaseRepository()
    assert await leases.acquire(LEASE, "a server", 60)
    await roll_up(api.services)
    assert await quarters.count_documents({}) == 0
    await leases.release(LEASE, "a server")
    await roll_up(api.services)
    assert await quarters.count_documents({}) > 100
    assert await api.database["marks"].count_documents({"level": "quarter"}) == 0
    assert await leases.acquire(LEASE, "a server", 60)


def test_the_command_fills_and_adds(mongo_url: str, database_name: str, tmp_path: Path) -> None:
    """`footfall demo` says what became of its events; again, nothing is new but what has happened since."""

    def run() -> dict[str, str]:
        done = subprocess.run(
            [PROGRAM, "demo", "--days", "2", "--events", "300"],
            env=os.environ
            | {"FOOTFALL_MONGO_URL": mongo_url, "FOOTFALL_DATABASE": f"{database_name}_demo"},
            cwd=tmp_path,
            capture_output=True,
            check=True,
            timeout=60,
        )
        lines = [line.strip("│ ").split("│") for line in done.stdout.decode().splitlines()]
        return {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}

    first = run()
    assert int(first["accepted"]) > 150
    again = run()
    assert int(again["accepted"]) <= 10
    assert int(again["duplicate: REPLAYED"]) >= int(first["accepted"])
