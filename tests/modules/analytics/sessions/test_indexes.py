"""Reports of sessions use indexes: their cost follows the range, not what else is stored."""

from datetime import timedelta
from typing import Any

from app.modules.analytics.sessions import pipelines
from app.modules.analytics.sessions.query import (
    EVERY_SESSION,
    Breakdown,
    Narrowing,
    Period,
    Periods,
)
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.sessions import SessionRepository
from tests.conftest import NOW
from tests.modules.analytics.asking import event
from tests.modules.analytics.sessions.asking import arrive, metrics, page, roll_up_all
from tests.modules.analytics.test_running import indexes_in

PERIODS = Periods(NOW - timedelta(hours=2), NOW - timedelta(hours=1), NOW)
NUMBER = 300


async def fill(api: Any) -> None:
    """Sessions of many visitors, two each, one every minute for some hours."""
    documents = [
        {
            "_id": f"demo:{n:032x}",
            "site": "demo",
            "session": f"s{n}",
            "visitor": f"v{n % (NUMBER // 2)}",
            "start": NOW - timedelta(minutes=n + 1),
            "last": NOW - timedelta(minutes=n),
            "page_views": 1,
            "events": 1,
            "conversions": 0,
            "bounced": True,
            "by_source": False,
        }
        for n in range(NUMBER)
    ]
    await api.database["sessions"].insert_many(documents)


async def explained(api: Any, stages: list[Any]) -> Any:
    command = {
        "aggregate": "sessions",
        "pipeline": [{"$match": {"site": "demo"}}, *stages],
        "cursor": {},
    }
    return await api.database.command("explain", command, verbosity="executionStats")


async def test_the_sessions_of_a_range_are_found_by_their_start(api: Any) -> None:
    """Every pipeline reads the sessions of its two periods and no others."""
    await fill(api)
    narrowing = Narrowing({"device": "tv"})
    for stages in (
        pipelines.totals(PERIODS, EVERY_SESSION),
        pipelines.totals(PERIODS, narrowing),
        pipelines.seconds(PERIODS, EVERY_SESSION),
        pipelines.within_seconds(PERIODS, EVERY_SESSION, {Period.CURRENT: [1]}),
        pipelines.rows(Breakdown.ENTRY_PAGE, PERIODS, EVERY_SESSION, 10),
        pipelines.these_rows(Breakdown.SOURCE, PERIODS, EVERY_SESSION, [(None,) * 4]),
        pipelines.visitors(PERIODS, EVERY_SESSION),
        pipelines.new_visitors("demo", PERIODS, EVERY_SESSION),
    ):
        explanation = await explained(api, stages)
        assert "by_start" in indexes_in(explanation)
        assert examined(explanation) <= 120


async def test_what_a_visitor_did_before_is_found_by_the_visitor(api: Any) -> None:
    """One look into an index for each visitor, or one step in it where they are very many."""
    await fill(api)
    explanation = await explained(api, pipelines.new_visitors("demo", PERIODS, EVERY_SESSION))
    [lookup] = [stage for stage in explanation["stages"] if "$lookup" in stage]
    assert lookup["indexesUsed"] == ["by_visitor"]
    assert lookup["totalDocsExamined"] <= NUMBER
    assert lookup["collectionScans"] == 0
    began = await explained(api, pipelines.visitors_that_began(PERIODS))
    assert "DISTINCT_SCAN" in str(began)
    assert indexes_in(began) == {"by_visitor"}


async def test_reading_what_has_changed_does_not_walk_all_that_is_stored(api: Any) -> None:
    """Session ids are found by the time of their events, and then their events and sessions by them."""
    hour = timedelta(hours=1)
    await arrive(
        *[event(session=f"s{n}", visitor=f"v{n}", at=NOW - n * hour) for n in range(NUMBER)]
    )
    await roll_up_all(api)
    await arrive(*[event(session=f"s{n}", visitor=f"v{n}", at=NOW - n * hour) for n in (3, 5, 9)])
    await api.database.command("profile", 2)
    try:
        await metrics(api)
        await page(api, visitorId="v7")
        await api.services.registry[SessionRollup].refresh("demo", NOW - hour, NOW)
        await api.services.registry[SessionRollup].refresh_another_rule("demo")
        await SessionRepository().starts("demo")
    finally:
        await api.database.command("profile", 0)
    read = api.database["system.profile"].find({"op": {"$in": ["query", "command"]}})
    used = set()
    async for entry in read:
        for index in entry.get("planSummary", "").split(", IXSCAN"):
            used.add((entry["ns"].partition(".")[2], index.removeprefix("IXSCAN").strip()))
    await api.database["system.profile"].drop()
    assert {index for name, index in used if name == "events"} == {
        "{ site: 1, at: 1 }",
        "{ site: 1, session: 1, at: 1 }",
    }
    assert {index for name, index in used if name == "sessions"} == {
        "{ site: 1, start: -1, _id: -1 }",
        "{ site: 1, session: 1, start: 1 }",
        "{ site: 1, visitor: 1, start: 1 }",
        "{ site: 1, by_source: 1, last: 1 }",
    }


def examined(explanation: Any) -> int:
    """How many documents the first stage of an explained pipeline looked at."""
    first = explanation["stages"][0]["$cursor"] if "stages" in explanation else explanation
    number: int = first["executionStats"]["totalDocsExamined"]
    return number
