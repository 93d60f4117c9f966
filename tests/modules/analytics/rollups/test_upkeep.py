"""What a server does in the background: it rolls up, divides sessions anew, and tells of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest_asyncio

from app import main
from app.core.quarters import quarter_of
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.leases import LeaseRepository
from tests.conftest import NOW
from tests.http.test_metrics import TOKEN, scrape, value
from tests.modules.analytics.asking import event, store

LEASE = "rollups"
RULE = "mutation { updateSite(input: {sessionEndsOnNewSource: true}) { id } }"


async def age_marks(api: Any, seconds: float = 60) -> None:
    """Make all marks so much older."""
    older = {"$set": {"marked_at": {"$subtract": ["$marked_at", seconds * 1000]}}}
    await api.database["marks"].update_many({}, [older])


async def quarters_marked(api: Any) -> int:
    marked: int = await api.database["marks"].count_documents({"level": "quarter"})
    return marked


async def until(holds: Any) -> None:
    """Wait for what happens in the background."""
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - the database has no Event
            await asyncio.sleep(0.01)


async def test_a_server_rolls_up_by_itself_and_gives_the_lease_back(make_api: Any) -> None:
    """Marks go, quarters come; after the server has ended nobody holds the lease."""
    api = await make_api()
    await store(event(at=NOW - timedelta(days=2)), event(at=NOW - timedelta(hours=1)))
    await age_marks(api)
    settings = api.settings.model_copy(update={"rollup_interval": 0.01})

    async def is_rolled_up() -> bool:
        return await quarters_marked(api) == 0

    async with main.open_services(settings, api.clock, api.app.state.client, serving=True):
        await until(is_rolled_up)
    assert await api.database["quarter_hours"].count_documents({}) == 2
    assert await api.database["leases"].count_documents({}) == 0


async def test_a_server_that_ends_at_once_leaves_nothing_behind(make_api: Any) -> None:
    """Before its background work has begun as well as while it holds the lease."""
    api = await make_api()
    async with main.open_services(api.settings, api.clock, api.app.state.client, serving=True):
        pass
    async with main.open_services(
        api.settings, api.clock, api.app.state.client, serving=True
    ) as services:
        await services.rollups.hold(timedelta(0))
        assert await api.database["leases"].count_documents({}) == 1
        await asyncio.sleep(0)  # its tasks begin
    assert await api.database["leases"].count_documents({}) == 0


async def test_a_command_does_not_roll_up(make_api: Any) -> None:
    """It leaves the lease alone, also the one of the server beside it."""
    api = await make_api()
    await api.services.rollups.hold(timedelta(0))
    async with main.open_services(api.settings, api.clock, api.app.state.client):
        await asyncio.sleep(0)
    assert await api.database["leases"].count_documents({}) == 1


@pytest_asyncio.fixture
async def divided(make_api: Any) -> Any:
    """Two sessions with two sources each, stored before the site's rule was changed."""
    api = await make_api()
    for session in ("s", "t"):
        await store(
            event(session=session, at=NOW - timedelta(minutes=9), referrer="a.com"),
            event(session=session, at=NOW - timedelta(minutes=5), referrer="b.com"),
        )
    day = timedelta(days=1)
    await api.services.registry[SessionRollup].refresh("demo", NOW - day, NOW + day)
    await api.ask(RULE)
    return api


async def test_sessions_follow_the_rule_of_their_site(divided: Any) -> None:
    """One turn divides them, the next one finds nothing; the lease is free afterwards."""
    assert await divided.database["sessions"].count_documents({"by_source": False}) == 2
    assert await divided.services.session_rules.turn() == 4
    assert await divided.database["sessions"].count_documents({"by_source": True}) == 4
    assert await divided.services.session_rules.turn() == 0
    assert await divided.database["leases"].count_documents({}) == 0


async def test_sessions_wait_while_another_process_rolls_up(divided: Any) -> None:
    """The other process keeps the lease, and derives sessions without being disturbed."""
    leases = LeaseRepository()
    assert await leases.acquire(LEASE, "another", 60)
    assert await divided.services.session_rules.turn() == 0
    assert not await leases.acquire(LEASE, "a third", 60)
    await leases.release(LEASE, "another")
    assert await divided.services.session_rules.turn() == 4


async def test_a_turn_ends_when_its_time_is_over(divided: Any) -> None:
    """What is left is for the next one, after others had their chance to roll up."""
    assert await divided.services.session_rules.turn(seconds=0) == 0
    assert await divided.database["sessions"].count_documents({"by_source": False}) == 2


async def test_metrics_say_what_waits_and_what_was_done(make_api: Any) -> None:
    """Marks by level, the age of what has waited longest and may be rolled up, events and times."""
    api = await make_api(metrics_token=TOKEN)
    waiting, oldest = "footfall_rollup_marks", "footfall_rollup_oldest_change_seconds"
    at = NOW - timedelta(days=2)
    await store(event(at=at), event(at=at), event(at=at + timedelta(minutes=15)))
    assert quarter_of(at) == at
    before = await scrape(api)
    assert value(before, waiting, level="quarter") == 2
    assert value(before, oldest) == 0  # a moment old: not to be rolled up yet
    await age_marks(api, 600)
    assert 600 <= value(await scrape(api), oldest) < 700
    await api.services.rollups.roll_up(days_after=60)
    after = await scrape(api)
    assert value(after, waiting, level="quarter") == 0
    assert value(after, waiting, level="day") == 1
    assert value(after, oldest) == 0

    def risen(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert risen("footfall_rolled_up_events_total") == 3
    assert risen("footfall_rollup_seconds_count", level="quarter") == 1
    assert risen("footfall_rollup_seconds_count", level="day") == 0
    await api.services.rollups.roll_up(0, 0)
    after = await scrape(api)
    assert value(after, waiting, level="day") == 0
    assert risen("footfall_rollup_seconds_count", level="day") == 1
