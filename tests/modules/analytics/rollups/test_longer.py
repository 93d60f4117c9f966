"""A retention that is made longer brings nothing back, and takes nothing away."""

from datetime import timedelta
from typing import Any

from app import main
from app.core.clock import FixedClock
from tests.conftest import NOW
from tests.modules.analytics.asking import event, store

EVENTS = "{ report(range: {preset: LAST_90_DAYS}) { totals { events uniqueSessions } } }"
DAYS = "{ timeSeries(range: {preset: LAST_90_DAYS}) { metrics { events } } }"
AGES = [timedelta(days=days) for days in (1, 6.99, 7, 7.02, 7.06, 7.07, 7.09, 10, 10.001, 11, 12)]


async def counted(api: Any) -> tuple[dict[str, int], list[int]]:
    """The totals, and the events of every day."""
    totals = (await api.ask(EVENTS))["report"]["totals"]
    days = (await api.ask(DAYS))["timeSeries"]
    return totals, [day["metrics"]["events"] for day in days]


async def roll_up(api: Any) -> None:
    await api.services.rollups.roll_up(0, 0)
    await api.services.rollups.release()


async def rebuild(services: Any) -> None:
    """Compute everything anew, as `footfall rebuild` does."""
    worker = services.rollups
    start, end = await worker.extent("demo")
    await worker.rebuild("demo", start, end, lambda *progress: None)
    await worker.release()


async def test_numbers_of_deleted_events_stay_when_events_are_kept_longer(make_api: Any) -> None:
    """From 7 days to 90 and to ever: a rebuild, and an event that comes late, leave them what they were."""
    api = await make_api(data_retention_days=7)
    await store(*(event(at=NOW - age, session=f"s{n}") for n, age in enumerate(AGES)))
    await roll_up(api)
    before = await counted(api)
    assert before[0] == {"events": len(AGES), "uniqueSessions": len(AGES)}
    # As the database does it.
    old = {"at": {"$lt": NOW - timedelta(days=7, hours=2)}}
    deleted = await api.database["events"].delete_many(old)
    assert deleted.deleted_count == 5
    for days in (90, 0):
        api = await make_api(data_retention_days=days, empty=False)
        assert await counted(api) == before
        await rebuild(api.services)
        assert await counted(api) == before
    late = event(at=NOW - timedelta(days=10), session="late")
    await store(late)
    for _ in range(2):
        totals, _days = await counted(api)
        assert totals == {"events": len(AGES) + 1, "uniqueSessions": len(AGES) + 1}
        await roll_up(api)


async def test_a_command_goes_by_what_the_database_deletes(make_api: Any) -> None:
    """A rebuild with other settings than the server's computes nothing anew whose events may be gone."""
    api = await make_api(data_retention_days=7)
    await store(event(at=NOW - timedelta(days=10)))
    await roll_up(api)
    before = await counted(api)
    await api.database["events"].delete_many({})
    settings = api.settings.model_copy(update={"data_retention_days": 0})
    client = api.app.state.client
    async with main.open_services(settings, FixedClock(NOW), client) as services:
        await rebuild(services)
    assert await counted(api) == before
