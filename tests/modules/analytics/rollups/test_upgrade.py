"""A database that an earlier version has filled: events without marks and without rollups."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app import main
from app.core.auth import Scope
from app.modules.analytics.rollups.upgrade import MarkingOfOldEvents
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from app.repositories.sites import SiteRepository
from app.repositories.upgrades import UpgradeRepository
from tests.conftest import KEYS, NOW, OTHER_SITE_KEYS
from tests.modules.analytics.rollups.making import busy, everything, insert, roll_up

EVENTS = "{ report(range: {preset: LAST_90_DAYS}) { totals { events uniqueSessions } } }"
# Within one step and over several ones, with long times between them; two are of one quarter.
AGES = [timedelta(days=days) for days in (0.499, 0.5, 1, 6.9, 7, 7.5, 14, 60, 89)]


async def fill_as_before(api: Any) -> None:
    """Store events as the earlier version did, on two sites, and forget that anything was marked."""
    for site in ("demo", "other"):
        events = [
            {
                "_id": f"{site}:{number}",
                "site": site,
                "type": "CLICK",
                "at": NOW - age,
                "received_at": NOW,
                "session": f"s{number}",
                "visitor": "v",
                "item": "a",
            }
            for number, age in enumerate(AGES[: 5 if site == "other" else None])
        ]
        await api.database["events"].insert_many(events)
    await api.database["upgrades"].delete_many({})


async def counted(api: Any, **kw: Any) -> int:
    totals = (await api.ask(EVENTS, **kw))["report"]["totals"]
    assert totals["uniqueSessions"] == totals["events"]
    events: int = totals["events"]
    return events


async def test_reports_have_what_was_stored_before_there_were_marks(make_api: Any) -> None:
    """After a start every event of every site is counted: before it is rolled up, and after."""
    await fill_as_before(await make_api())
    api = await make_api(empty=False)
    assert await counted(api) == len(AGES)
    assert await counted(api, keys=OTHER_SITE_KEYS) == 5
    await api.services.rollups.roll_up(0, 0)
    assert await api.database["marks"].count_documents({"level": "quarter"}) == 0
    assert await counted(api) == len(AGES)
    assert await counted(api, keys=OTHER_SITE_KEYS) == 5


async def test_it_is_done_once(make_api: Any) -> None:
    """Later starts mark nothing, of a new database as little as of one that was marked."""
    api = await make_api()
    assert await api.database["upgrades"].count_documents({}) == 2
    await fill_as_before(api)
    await make_api(empty=False)
    await api.services.rollups.roll_up(0, 0)
    await make_api(empty=False)
    assert await api.database["marks"].count_documents({"level": "quarter"}) == 0


async def test_several_processes_may_start_at_once(api: Any) -> None:
    """Each of them goes on when everything is marked, and nothing is marked twice over."""
    await fill_as_before(api)

    async def start() -> int:
        await MarkingOfOldEvents(
            UpgradeRepository(), SiteRepository(), EventRepository(), MarkRepository()
        ).run()
        marked: int = await api.database["marks"].count_documents({"site": "demo"})
        return marked

    quarters = len(AGES) - 1
    assert await asyncio.gather(*(start() for _ in range(3))) == [quarters] * 3
    assert await counted(api) == len(AGES)


async def test_nothing_is_answered_before_everything_is_marked(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While marks are written the server is not ready, and asks to be asked later."""
    api = await make_api()
    await fill_as_before(api)
    reached, go_on = asyncio.Event(), asyncio.Event()
    mark = MarkRepository.mark_unmarked

    async def mark_slowly(*arguments: Any) -> None:
        reached.set()
        await go_on.wait()
        await mark(*arguments)

    monkeypatch.setattr(MarkRepository, "mark_unmarked", mark_slowly)
    monkeypatch.setattr(main, "RECONNECT_SECONDS", 0.01)  # so long it waits before it serves
    app = main.create_app(api.settings, api.clock)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        await reached.wait()
        assert (await http.get("/health/ready")).status_code == 503
        body = {"json": {"query": EVENTS}, "headers": {"X-API-Key": KEYS[Scope.READ]}}
        refused = (await http.post("/graphql", **body)).json()
        assert refused["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        go_on.set()
        await app.state.started.wait()
        assert (await http.get("/health/ready")).status_code == 200
        answer = (await http.post("/graphql", **body)).json()
        assert answer["data"]["report"]["totals"]["events"] == len(AGES)


async def test_what_knew_no_four_weeks_and_no_blocks_is_answered_and_gets_them(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weeks and days of an earlier version: reports are right at once, and after rolling up."""
    monkeypatch.setattr("app.modules.analytics.rollups.parts.LARGE", 20)
    first = datetime(2026, 5, 11, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in (-1, 0, 9, 27, 28)]
    span = (days[0], days[-1] + timedelta(hours=23))
    changes = {"report_cache_size": 0, "data_retention_days": 0}
    api = await make_api(**changes)
    await insert(busy(days, 300))
    await roll_up(api)
    await api.services.rollups.release()
    rollups = api.database["rollups"]
    later = {"_id": {"$regex": r"\|(four-weeks|block-[0-9]+)\|"}}
    for name in ("four-weeks", "block-"):
        assert await rollups.count_documents({"_id": {"$regex": rf"\|{name}"}})
    await rollups.delete_many(later)
    await rollups.update_many({}, {"$unset": {"content.blocks": ""}})
    await api.database["marks"].delete_many({"level": "four weeks"})
    await api.database["upgrades"].delete_many({"_id": {"$regex": "four weeks"}})
    api = await make_api(empty=False, **changes)
    exact = await everything(api, *span, stored=False)
    assert await everything(api, *span) == exact
    await roll_up(api)
    assert await everything(api, *span) == exact
    assert await rollups.count_documents({"_id": {"$regex": r"\|four-weeks\|"}})
