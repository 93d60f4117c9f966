"""What is rolled up outlives the events: neither their age nor a rebuild takes it away."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.clock import FixedClock
from app.core.quarters import quarter_of
from app.modules.analytics.rollups.retention import DELETED_AFTER, MARGIN, Retention
from app.repositories.marks import MarkRepository
from app.schemas.event import TTL_INDEX
from app.schemas.quarter_hour import ROLLUP_TTL_INDEX
from tests.conftest import NOW
from tests.modules.analytics.rollups.making import busy, everything, insert, rebuild, roll_up

KEPT_DAYS = 30
DAY = NOW.replace(hour=0) - timedelta(days=10)
SPAN = (DAY - timedelta(days=2), DAY + timedelta(days=4))


async def expire(api: Any) -> int:
    """Delete what the database would have deleted by now."""
    since = api.clock.now() - timedelta(days=KEPT_DAYS) - DELETED_AFTER
    deleted = await api.database["events"].delete_many({"at": {"$lt": since}})
    number: int = deleted.deleted_count
    return number


async def test_numbers_stay_when_the_events_have_gone_by_their_age(make_api: Any) -> None:
    """While they go hour by hour, and after: marked anew, rolled up again or rebuilt."""
    clock = FixedClock(NOW)
    api = await make_api(
        rollup_interval=3_600, report_cache_size=0, data_retention_days=KEPT_DAYS, clock=clock
    )
    events = busy([DAY, DAY + timedelta(days=1)], 200)
    await insert(events)
    known = await everything(api, *SPAN)
    await roll_up(api)
    clock.advance(days=KEPT_DAYS - 10 - 1)
    gone = []
    for _ in range(7):
        clock.advance(hours=9, minutes=20)
        gone.append(await expire(api))
        assert await everything(api, *SPAN) == known
        await rebuild(api)
        assert await everything(api, *SPAN) == known
    assert gone[0] == 0
    assert sum(gone) == 200
    assert len([number for number in gone if number]) > 3
    # Something marks them long after.
    await MarkRepository().mark("demo", {quarter_of(event["at"]) for event in events})
    await roll_up(api)
    assert await everything(api, *SPAN) == known
    await rebuild(api)
    assert await everything(api, *SPAN) == known


async def test_the_last_events_of_a_quarter_are_rolled_up_before_it_is_too_old(
    make_api: Any,
) -> None:
    """An event is accepted up to the retention; what is computed of it then has all of its quarter."""
    clock = FixedClock(NOW)
    api = await make_api(
        rollup_interval=3_600, report_cache_size=0, data_retention_days=KEPT_DAYS, clock=clock
    )
    early = [{**event, "at": DAY} for event in busy([DAY], 3)]
    await insert(early)
    await roll_up(api)
    clock.advance(days=KEPT_DAYS - 10, hours=-11, minutes=-50)
    assert clock.now() == DAY + timedelta(days=KEPT_DAYS, minutes=10)
    at = (DAY + timedelta(minutes=11)).isoformat()
    [result] = await api.track({"type": "CLICK", "itemId": "late", "timestamp": at})
    assert result["verdict"] == "ACCEPTED"
    assert await expire(api) == 0
    known = await everything(api, *SPAN)
    assert known["totals"]["totals"]["events"] == 4
    await roll_up(api)
    assert await everything(api, *SPAN) == known
    clock.advance(hours=2)
    assert await expire(api) == 3
    await rebuild(api)
    assert await everything(api, *SPAN) == known
    clock.advance(hours=2)
    assert await expire(api) == 1
    await rebuild(api)
    assert await everything(api, *SPAN) == known


async def test_old_events_that_were_never_rolled_up_are(make_api: Any) -> None:
    """Imported from long ago, where they are still stored: their first rollup is computed."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=5)
    await insert(busy([DAY], 50))
    known = await everything(api, *SPAN, stored=False)
    assert await everything(api, *SPAN) == known
    await roll_up(api)
    assert await api.database["marks"].count_documents({"level": "quarter"}) == 0
    assert await everything(api, *SPAN) == known


@pytest.mark.parametrize(("events", "rollups"), [(30, 0), (30, 400), (0, 0)])
async def test_the_database_deletes_rollups_after_events(
    make_api: Any, events: int, rollups: int
) -> None:
    """By its indexes: events after the time in which they are rolled up, rollups later or never."""
    api = await make_api(data_retention_days=events, rollup_retention_days=rollups)

    async def lifetime(collection: str, index: str) -> int | None:
        indexes = await api.database[collection].index_information()
        found: int | None = indexes.get(index, {}).get("expireAfterSeconds")
        return found

    of_events = await lifetime("events", TTL_INDEX)
    if events:
        assert of_events is not None
        assert of_events >= (timedelta(days=events) + 2 * MARGIN).total_seconds()
    else:
        assert of_events is None
    for collection in ("quarter_hours", "rollups"):
        of_rollups = await lifetime(collection, ROLLUP_TTL_INDEX)
        assert (of_rollups is None) is (rollups == 0)
        if of_rollups is not None and of_events is not None:
            assert of_rollups >= of_events + 7 * 86_400


def test_events_are_there_until_some_time_before_they_are_deleted() -> None:
    """The margin lies between, and without a retention they are there for ever."""
    clock = FixedClock(NOW)
    since = Retention(30 * 86_400, clock).events_since()
    assert since == NOW - timedelta(days=30) + MARGIN
    clock.advance(hours=5)
    assert Retention(30 * 86_400, clock).events_since() == since + timedelta(hours=5)
    assert Retention(None, clock).events_since() == datetime(1, 1, 1, tzinfo=UTC)
