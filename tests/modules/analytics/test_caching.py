"""Answers of finished periods are kept, and are at every moment what would be computed anew."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest_asyncio
from prometheus_client import REGISTRY

from app.core.clock import FixedClock
from app.core.quarters import quarter_of
from app.modules.analytics.measures import Part
from app.modules.analytics.planner import Wanted, plan
from app.modules.analytics.query import ReportQuery
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.service import AnalyticsService
from app.modules.analytics.zones import zone_named
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from tests.conftest import NOW
from tests.modules.analytics.asking import event, report, store, utc

DAY = {"start": "2026-06-10T00:00:00Z", "end": "2026-06-11T00:00:00Z"}
INSIDE = utc("2026-06-10T08:00:00")
OUTSIDE = utc("2026-06-11T08:00:00")
OF_A_DAY = {"range": DAY, "by": ["SOURCE"]}


def found(outcome: str) -> float:
    """How many reports of finished periods were a hit or a miss so far."""
    return REGISTRY.get_sample_value("footfall_report_cache_total", {"outcome": outcome}) or 0


@asynccontextmanager
async def counting(hits: int, misses: int) -> AsyncIterator[None]:
    """What is asked inside is so many hits and misses."""
    before = found("hit"), found("miss")
    yield
    assert (found("hit") - before[0], found("miss") - before[1]) == (hits, misses)


async def roll_up(api: Any) -> None:
    """Roll up everything that is marked, and let another process do it next."""
    await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()


async def withdraw(found: dict[str, Any]) -> None:
    """Void a stored event."""
    await MarkRepository().mark("demo", {quarter_of(found["at"])})
    collection = EventRepository().collection
    await collection.update_one({"_id": found["_id"]}, {"$set": {"void": {}}})


async def applications(make_api: Any) -> list[Any]:
    """Two processes' worth, and one that keeps nothing; all of one database and one clock."""
    clock = FixedClock(NOW)
    return [
        await make_api(clock=clock),
        await make_api(empty=False, clock=clock),
        await make_api(empty=False, clock=clock, report_cache_size=0),
    ]


@pytest_asyncio.fixture
async def rolled(api: Any) -> Any:
    """An application with two days that are rolled up."""
    await store(event(at=INSIDE, source="search"), event("CLICK", at=OUTSIDE))
    await roll_up(api)
    return api


async def test_the_second_ask_is_answered_from_memory(rolled: Any) -> None:
    """A hit reads neither events nor anything that was rolled up of them: the database says so."""
    first = await report(rolled, **OF_A_DAY)
    await rolled.database.command("profile", 2)
    try:
        async with counting(hits=1, misses=0):
            second = await report(rolled, **OF_A_DAY)
        asked = await rolled.database["system.profile"].distinct("ns")
    finally:
        await rolled.database.command("profile", 0)
        await rolled.database["system.profile"].drop()
    read = {name.partition(".")[2] for name in asked}
    assert "marks" in read
    assert not read & {"events", "quarter_hours", "rollups", "items"}
    assert second == first
    assert first["totals"]["events"] == 1


async def test_a_change_inside_makes_a_miss_and_one_outside_does_not(rolled: Any) -> None:
    """While it is marked, and once when it is rolled up; what is elsewhere has no say."""
    await report(rolled, **OF_A_DAY)
    await store(event(at=OUTSIDE), event(at=utc("2026-06-11T00:00:00")))
    async with counting(hits=1, misses=0):
        await report(rolled, **OF_A_DAY)
    await roll_up(rolled)
    async with counting(hits=1, misses=0):
        await report(rolled, **OF_A_DAY)
    await store(event(at=INSIDE), site="demo")
    async with counting(hits=0, misses=2):
        assert (await report(rolled, **OF_A_DAY))["totals"]["events"] == 2
        assert (await report(rolled, **OF_A_DAY))["totals"]["events"] == 2
    await roll_up(rolled)
    async with counting(hits=1, misses=1):
        assert (await report(rolled, **OF_A_DAY))["totals"]["events"] == 2
        assert (await report(rolled, **OF_A_DAY))["totals"]["events"] == 2


async def test_the_quarter_that_a_range_begins_or_ends_in_is_inside(rolled: Any) -> None:
    """A range need not begin with a quarter of an hour for its first and last one to count."""
    part = {"range": {"start": "2026-06-10T08:07:00Z", "end": "2026-06-10T09:08:00Z"}}
    for instant in ("2026-06-10T08:14:00", "2026-06-10T09:01:00"):
        await report(rolled, **part)
        await store(event(at=utc(instant)))
        await roll_up(rolled)
        async with counting(hits=0, misses=1):
            await report(rolled, **part)


async def test_another_site_has_answers_of_its_own(rolled: Any) -> None:
    """Neither is another's answer given, nor does another's change make a miss."""
    await report(rolled, **OF_A_DAY)
    await store(event(at=INSIDE, site="other"), site="other")
    await roll_up(rolled)
    async with counting(hits=1, misses=0):
        await report(rolled, **OF_A_DAY)
    query = ReportQuery(TimeRange(INSIDE, OUTSIDE), zone_named("UTC"), "EUR")
    async with rolled.services.registry[AnalyticsService]._runner.run("demo") as run:
        await run.answer(plan(query, Wanted(totals=frozenset({Part.COUNTS}))))
    async with (
        counting(hits=0, misses=1),
        rolled.services.registry[AnalyticsService]._runner.run("other") as run,
    ):
        await run.answer(plan(query, Wanted(totals=frozenset({Part.COUNTS}))))


async def test_all_that_matters_is_in_the_key(rolled: Any) -> None:
    """Whatever is asked otherwise is computed, and then each answer is its own."""
    asked: list[dict[str, Any]] = [
        {},
        {"by": ["SOURCE"]},
        {"by": ["DEVICE"]},
        {"by": ["SOURCE"], "limit": 1},
        {"by": ["HOUR_OF_DAY"]},
        {"by": ["HOUR_OF_DAY"], "timezone": "Asia/Kathmandu"},
        {"granularity": "HOUR"},
        {"granularity": "DAY"},
        {"filter": {"itemId": "a"}},
        {"filter": {"where": [{"dimension": "SOURCE", "values": ["search"]}]}},
        {"range": {**DAY, "end": "2026-06-10T12:00:00Z"}},
    ]
    async with counting(hits=0, misses=len(asked)):
        first = [await report(rolled, **{"range": DAY, **one}) for one in asked]
    async with counting(hits=len(asked), misses=0):
        second = [await report(rolled, **{"range": DAY, **one}) for one in asked]
    assert second == first
    assert len({str(answer) for answer in first}) > 6


async def test_parts_and_currency_are_in_the_key(rolled: Any) -> None:
    """More fields are counted when they are asked for; a site's new currency holds at once."""
    await store(event("CONVERSION", at=INSIDE, value="1.50", currency="CHF"))
    await store(event("CONVERSION", at=INSIDE, value="2", currency="USD"))
    await roll_up(rolled)
    ask = "query ($r: RangeInput) { report(range: $r) { totals { %s } } }"
    for fields in ("events", "uniqueVisitors", "uniqueUsers", "currency revenue"):
        await rolled.ask(ask % fields, {"r": DAY})
    answer = await rolled.ask(ask % "uniqueVisitors uniqueUsers uniqueSessions", {"r": DAY})
    assert answer["report"]["totals"] == {
        "uniqueVisitors": 1,
        "uniqueUsers": 0,
        "uniqueSessions": 1,
    }
    await rolled.ask('mutation { updateSite(input: {currency: "CHF"}) { currency } }')
    answer = await rolled.ask(ask % "currency revenue", {"r": DAY})
    assert answer["report"]["totals"] == {"currency": "CHF", "revenue": "1.50"}


async def test_what_is_not_over_or_depends_on_the_catalogue_is_not_kept(rolled: Any) -> None:
    """The current quarter of an hour, and the categories of items, change without a mark."""
    start = (NOW - timedelta(hours=5)).isoformat()
    asked = [
        {"range": {"start": start, "end": (NOW + timedelta(milliseconds=1)).isoformat()}},
        {"range": {"preset": "LAST_7_DAYS"}},
        {"range": DAY, "by": ["CATEGORY"]},
        {"range": DAY, "filter": {"where": [{"dimension": "CATEGORY", "values": ["x"]}]}},
    ]
    async with counting(hits=0, misses=0):
        for one in [*asked, *asked]:
            await report(rolled, **one)
    async with counting(hits=1, misses=1):
        for _ in range(2):
            await report(rolled, range={"start": start, "end": NOW.isoformat()})


async def test_it_is_kept_for_so_long(rolled: Any) -> None:
    """To the second, by the clock of the application."""
    await report(rolled, **OF_A_DAY)
    rolled.clock.advance(seconds=599)
    async with counting(hits=1, misses=0):
        await report(rolled, **OF_A_DAY)
    rolled.clock.advance(seconds=2)
    rolled.services.cache.sweep()
    assert len(rolled.services.cache) == 0
    async with counting(hits=0, misses=1):
        await report(rolled, **OF_A_DAY)


async def test_no_more_rows_are_kept_than_there_is_place_for(make_api: Any) -> None:
    """The oldest go; what is larger than the whole cache is not kept at all."""
    api = await make_api(report_cache_size=60)
    await store(event(at=INSIDE))
    await roll_up(api)
    for hour in range(1, 12):  # 25 rows each, and one for whether there is a sample
        end = utc(f"2026-06-11T{hour:02}:00:00").isoformat()
        await report(api, range={**DAY, "end": end}, granularity="HOUR", limit=24)
        assert api.services.cache.rows <= 60
    assert len(api.services.cache) >= 2
    async with counting(hits=0, misses=2):
        for _ in range(2):
            await report(api, range=DAY, granularity="MINUTE")
    assert api.services.cache.rows <= 60


async def test_it_can_be_turned_off(make_api: Any) -> None:
    """By no rows, by no seconds."""
    for setting in ({"report_cache_size": 0}, {"report_cache_seconds": 0}):
        api = await make_api(empty=False, **setting)
        async with counting(hits=0, misses=0):
            for _ in range(2):
                await report(api, **OF_A_DAY)
        assert len(api.services.cache) == 0


async def test_nothing_goes_for_its_age_while_it_is_kept(make_api: Any) -> None:
    """A range that begins before what is rolled up stays for sure is computed each time."""
    api = await make_api(data_retention_days=3, rollup_retention_days=5)
    await roll_up(api)
    recent = {**DAY, "start": "2026-06-10T12:00:00Z"}
    async with counting(hits=1, misses=1):
        for one in (DAY, DAY, recent, recent):
            await report(api, range=one)


async def test_who_changes_an_answer_changes_only_their_own(rolled: Any) -> None:
    """What is handed out may be sorted and cut without another's noticing."""
    query = ReportQuery(TimeRange(INSIDE, OUTSIDE), zone_named("UTC"), "EUR")
    everything = plan(query, Wanted(frozenset(Part), frozenset(Part), number_of_rows=True))
    runner = rolled.services.registry[AnalyticsService]._runner
    for _ in range(3):
        async with runner.run("demo") as run:
            answer = await run.answer(everything)
        assert (len(answer.rows), answer.currencies) == (1, set())
        answer.rows.clear()
        answer.currencies.add("XYZ")


async def test_an_answer_of_a_later_instant_is_not_mixed_in(rolled: Any) -> None:
    """Who began to read before a change is not told of it by one who came after."""
    services = rolled.services
    query = ReportQuery(TimeRange(INSIDE, OUTSIDE), zone_named("UTC"), "EUR")
    totals = plan(query, Wanted(totals=frozenset({Part.COUNTS})))
    runner = services.registry[AnalyticsService]._runner
    async with runner.run("demo") as early:
        await services.cache.marks.is_dirty("demo", INSIDE, OUTSIDE, early._snapshot)
        await store(event(at=INSIDE))
        for _ in range(2):  # while it is marked, and when it is rolled up
            async with runner.run("demo") as late:
                assert (await late.answer(totals)).totals.events == 2
            assert (await early.answer(totals)).totals.events == 1
            await roll_up(rolled)
    async with runner.run("demo") as later:
        assert (await later.answer(totals)).totals.events == 2


async def test_the_database_s_logical_clock_orders_notes(rolled: Any) -> None:
    """A note is later than any that was seen before, within the same second as well."""
    changes = rolled.services.cache.changes
    seen = []
    for _ in range(5):
        await changes.note("demo", [INSIDE, OUTSIDE])
        async with changes.snapshot() as snapshot:
            seen.append(await changes.last("demo", snapshot))
            assert not await changes.any_since("demo", seen[-1], INSIDE, OUTSIDE, snapshot)
            assert all(
                [
                    await changes.any_since("demo", one, INSIDE, OUTSIDE, snapshot)
                    for one in seen[:-1]
                ]
            )
    assert seen == sorted(set(seen))


STEPS = (
    "_marks.mark",
    "_quarters.replace",
    "_rollups.replace_known",
    "_changes.note",
    "_marks.clear",
)


async def test_no_step_of_a_roll_up_lets_a_stale_answer_through(make_api: Any) -> None:
    """Two processes ask before and after every write of a roll-up: each answer is what an application
    that keeps nothing says, and what was kept in between is not stale later."""
    rolling, asking, plain = await applications(make_api)
    roller = rolling.services.rollups._roller
    seen = []

    async def compare() -> None:
        wanted = await report(plain, **OF_A_DAY)
        for api in (rolling, asking):
            assert await report(api, **OF_A_DAY) == wanted
        seen.append(wanted["totals"]["events"])

    def between(original: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapped(*arguments: Any, **named: Any) -> Any:
            await compare()
            result = await original(*arguments, **named)
            await compare()
            return result

        return wrapped

    for name in STEPS:
        repository, method = name.split(".")
        owner = getattr(roller, repository)
        setattr(owner, method, between(getattr(owner, method)))
    for number in range(3):
        await store(event(at=INSIDE + timedelta(minutes=5 * number)))
        await roll_up(rolling)
        await compare()
    assert seen[0] == 1
    assert seen[-1] == 3
