"""The worker: what may be rolled up when, by whom, and that reports are right whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.rollups import worker
from app.modules.analytics.rollups.worker import LeaseLostError
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.leases import LeaseRepository
from app.repositories.marks import MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.rollups import RollupRepository
from tests.conftest import NOW
from tests.modules.analytics.rollups.making import busy, everything, insert, roll_up

# Whole weeks that are over, and half of today.
TODAY = NOW.replace(hour=0)
MONDAY = TODAY - timedelta(days=14)
DAYS = [MONDAY + timedelta(days=n) for n in (0, 1, 6, 7, 13)]
SPAN = (MONDAY - timedelta(days=2), NOW + timedelta(minutes=5))
UNITS = ("marks", "quarter_hours", "rollups")


@pytest_asyncio.fixture
async def quiet(make_api: Any) -> AsyncIterator[Any]:
    """An application that rolls up only when a test says so."""
    yield await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)


async def both(api: Any) -> tuple[Any, Any]:
    """Answers from rollups, and from the events alone."""
    return await everything(api, *SPAN), await everything(api, *SPAN, stored=False)


async def is_right(api: Any) -> bool:
    from_rollups, from_events = await both(api)
    return bool(from_rollups == from_events)


async def left(api: Any, level: str | None = None) -> int:
    """How many marks there are."""
    match = {} if level is None else {"level": level}
    number: int = await api.database["marks"].count_documents(match)
    return number


async def test_everything_over_is_rolled_up_and_answers_stay(quiet: Any) -> None:
    """Days and weeks that are past leave no marks; today's day, week and four weeks keep theirs."""
    await insert(busy([*DAYS, TODAY - timedelta(hours=12)], 300))
    before = await both(quiet)
    assert before[0] == before[1]
    assert await roll_up(quiet) > 0
    assert (await both(quiet)) == before
    assert await left(quiet, "quarter") == 0
    assert await left(quiet) <= 3
    assert await quiet.database["rollups"].count_documents({"_id": {"$regex": r"\|week\|"}})
    assert await roll_up(quiet) == 0
    today = [NOW - timedelta(minutes=n) for n in range(20)]
    late = busy([TODAY], 20, seed=2)
    await insert([{**event, "at": at} for event, at in zip(late, today, strict=True)])
    assert await is_right(quiet)
    await roll_up(quiet)
    assert await is_right(quiet)
    assert await left(quiet, "quarter") == 0
    assert [mark["start"] async for mark in quiet.database["marks"].find({"level": "day"})] == [
        TODAY
    ]


async def test_a_day_that_gets_smaller_leaves_no_parts_or_blocks_behind(
    quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was divided wherever some zone's days begin, and is then divided every three hours."""
    parts = {"_id": {"$regex": r"\|(first|rest)-"}}
    blocks = {"_id": {"$regex": r"\|block-"}}
    monkeypatch.setattr("app.modules.analytics.rollups.parts.LARGE", 100)
    await insert(busy([MONDAY], 300))
    await roll_up(quiet)
    assert await is_right(quiet)
    of_large_day = await quiet.database["rollups"].count_documents(parts)
    assert await quiet.database["rollups"].count_documents(blocks)
    late = busy([MONDAY], 20, seed=2)
    monkeypatch.setattr("app.modules.analytics.rollups.parts.LARGE", 1_000)
    await insert(late)
    await roll_up(quiet)
    assert await is_right(quiet)
    assert not await quiet.database["rollups"].count_documents(blocks)
    found = await quiet.database["rollups"].distinct("_id", parts)
    assert len(found) == 14 < of_large_day
    assert all(int(name.split("|")[2].partition("-")[2]) % 180 == 0 for name in found)


async def test_four_weeks_that_are_over_are_answered_as_one(quiet: Any) -> None:
    """They are what their weeks are, and what changes in them later is in them in the end."""
    first = datetime(2026, 5, 11, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in (-1, 0, 9, 27, 28)]
    span = (days[0], days[-1] + timedelta(hours=23))
    await insert(busy(days, 300))
    for late in (busy(days[2:3], 40, seed=2), []):
        await roll_up(quiet)
        exact = await everything(quiet, *span, stored=False)
        assert await everything(quiet, *span) == exact
        await insert(late)
        assert await everything(quiet, *span) == await everything(quiet, *span, stored=False)
    await quiet.database["rollups"].delete_many({"_id": {"$regex": r"\|four-weeks\|"}})
    assert await everything(quiet, *span) != exact


async def test_what_was_just_marked_is_left_alone(quiet: Any) -> None:
    """Somebody may still be writing what it stands for. By the database's clock, not the app's."""
    await insert(busy(DAYS[:1], 30))
    quarters = await left(quiet)
    assert await quiet.services.rollups.roll_up() == 0
    assert await left(quiet) == quarters
    old = {"$set": {"marked_at": {"$subtract": ["$marked_at", 20_000]}}}
    await quiet.database["marks"].update_many({}, [old])
    assert await quiet.services.rollups.roll_up() == quarters
    # The day was marked just now: its quarters are as good until it has been quiet for a while.
    assert await left(quiet, "quarter") == 0
    assert await left(quiet, "day") == 1
    assert await is_right(quiet)


async def test_only_the_sites_that_are_named(quiet: Any) -> None:
    """Another site's marks stay, and rolling up one site changes nothing of another's."""
    mine = busy(DAYS[:2], 40)
    await insert(mine)
    await insert([{**e, "_id": f"other:{e['_id']}", "site": "other"} for e in mine], "other")
    await quiet.services.rollups.roll_up(0, 0, 0, sites=["other"])
    for name in ("quarter_hours", "rollups"):
        assert await quiet.database[name].distinct("site") == ["other"]
    assert await quiet.database["marks"].distinct("site", {"level": "quarter"}) == ["demo"]
    assert await is_right(quiet)


async def test_a_mark_that_is_renewed_while_it_is_rolled_up_stays(
    quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that arrives after its quarter was read is counted, now and after the next roll-up."""
    events = busy(DAYS[:1], 60)
    await insert(events[1:])
    replace = QuarterHourRepository.replace
    old = {"$set": {"marked_at": {"$subtract": ["$marked_at", 60_000]}}}
    await quiet.database["marks"].update_many({}, [old])
    arriving = [events[0]]

    async def late(self: QuarterHourRepository, *arguments: Any) -> None:
        if arriving:
            await insert([arriving.pop()])
        await replace(self, *arguments)

    monkeypatch.setattr(QuarterHourRepository, "replace", late)
    await quiet.services.rollups.roll_up(30, 0, 0)
    [mark] = [mark async for mark in quiet.database["marks"].find({"level": "quarter"})]
    assert mark["start"] == quarter_of(events[0]["at"])
    assert await is_right(quiet)
    await roll_up(quiet)
    assert await left(quiet, "quarter") == 0
    assert await is_right(quiet)


class DiedError(Exception):
    """What a step raises instead of, or after, doing its work."""


STEPS = [
    (MarkRepository, "mark"),
    (QuarterHourRepository, "replace"),
    (RollupRepository, "replace"),
    (SessionRollup, "refresh"),
    (MarkRepository, "clear"),
]


class Dying:
    """Counts the steps of rolling up, and ends it at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken = 0
        self.dies_at: float | None = None
        for owner, name in STEPS:
            monkeypatch.setattr(owner, name, self._step(getattr(owner, name)))

    def _step(self, done: Callable[..., Any]) -> Callable[..., Any]:
        async def step(*arguments: Any, **named: Any) -> Any:
            place, self.taken = self.taken, self.taken + 1
            if place == self.dies_at:
                raise DiedError
            result = await done(*arguments, **named)
            if self.dies_at is not None and place + 0.5 == self.dies_at:
                raise DiedError
            return result

        return step


async def test_a_rollup_may_die_at_any_step(quiet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each of them answers are right at once, and the next run repairs the rest."""
    await insert(busy(DAYS, 150))
    await roll_up(quiet)
    late = iter(busy(DAYS[1:2], 400, seed=3))
    dying = Dying(monkeypatch)
    await insert([next(late)])
    dying.taken = 0
    await roll_up(quiet)
    steps = dying.taken
    assert steps > 40
    # All steps of quarters, the first and last of a day's and a week's, and some in between.
    for number in (*range(8), *range(8, steps - 6, 29), *range(steps - 6, steps)):
        for where in (number, number + 0.5):
            dying.dies_at = None
            await insert([next(late), next(late)])
            dying.taken, dying.dies_at = 0, where
            with suppress(DiedError, ExceptionGroup):
                await roll_up(quiet)
            assert dying.taken > number
            dying.dies_at = None
            assert await is_right(quiet), f"after dying at step {where} of {steps}"
    await roll_up(quiet)
    assert await left(quiet) == await left(quiet, "four weeks") == 1  # that is not over
    assert await is_right(quiet)


async def test_one_of_two_workers_holds_the_lease(quiet: Any, make_api: Any) -> None:
    """The other is told, waits as long as it has patience, and takes over when the lease is over."""
    await insert(busy(DAYS[:1], 30))
    one = quiet.services.rollups
    other_api = await make_api(
        empty=False, rollup_interval=3_600, report_cache_size=0, data_retention_days=0
    )
    other = other_api.services.rollups
    await one.hold(timedelta(0))
    for attempt in (
        other.roll_up(0, 0, 0),
        other.rebuild("demo", *SPAN, lambda *_: None),
        other.hold(timedelta(0)),
    ):
        with pytest.raises(LeaseLostError):
            await attempt
    assert await quiet.database["quarter_hours"].count_documents({}) == 0

    over = {"$set": {"until": {"$subtract": ["$$NOW", 1]}}}
    await quiet.database["leases"].update_many({}, [over])
    assert await other.roll_up(0, 0, 0) > 0
    with pytest.raises(LeaseLostError):
        await one.roll_up(0, 0, 0)
    await one.release()  # of what it does not hold any more
    with pytest.raises(LeaseLostError):
        await one.roll_up(0, 0, 0)
    await other.release()
    assert await one.roll_up(0, 0, 0) >= 0
    assert await is_right(quiet)


async def test_who_loses_the_lease_on_the_way_stops(
    quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the next day is begun; what it leaves is marked still."""
    await insert(busy(DAYS, 100))
    acquire, times = LeaseRepository.acquire, 0

    async def taken_away(self: LeaseRepository, *arguments: Any) -> bool:
        nonlocal times
        times += 1
        return times < 4 and await acquire(self, *arguments)

    monkeypatch.setattr(LeaseRepository, "acquire", taken_away)
    with pytest.raises(LeaseLostError):
        await roll_up(quiet)
    assert await left(quiet, "quarter") > 0
    assert await quiet.database["quarter_hours"].count_documents({}) > 0
    assert await is_right(quiet)


async def test_it_goes_on_after_whatever_goes_wrong(
    quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors and leases of others end a run, not the worker; cancelling does."""
    outcomes: list[Any] = [LeaseLostError(), DiedError(), 0, asyncio.CancelledError()]
    tried = []

    async def roll_up_once() -> int:
        outcome = outcomes[len(tried)]
        tried.append(outcome)
        if isinstance(outcome, BaseException):
            raise outcome
        return int(outcome)

    monkeypatch.setattr(quiet.services.rollups, "roll_up", roll_up_once)
    monkeypatch.setattr(worker.logger, "disabled", True)
    with pytest.raises(asyncio.CancelledError):
        await quiet.services.rollups.run(0)
    assert tried == outcomes


VOID = (
    """mutation ($f: VoidInput!) { voidEvents(filter: $f, reason: "a test") { voidId voided } }"""
)
UNDO = "mutation ($id: ID!) { undoVoid(voidId: $id) }"
RELEASE = "mutation ($id: ID!) { releaseEvent(eventId: $id) { verdict } }"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


async def test_what_is_corrected_or_late_is_in_the_next_report(quiet: Any) -> None:
    """Tracked, withdrawn, counted again, released: at once, and after rolling up again."""

    def click(name: str, minutes: float, **fields: Any) -> dict[str, Any]:
        at = DAYS[0] + timedelta(minutes=minutes)
        return {"type": "CLICK", "itemId": "a", "sessionId": name, "id": name,
                "timestamp": at.isoformat(), **fields}  # fmt: skip

    async def check(clicks: int) -> None:
        for _ in range(2):
            from_rollups, from_events = await both(quiet)
            assert from_rollups == from_events
            assert from_rollups["totals"]["totals"]["clicks"] == clicks
            await roll_up(quiet)
        assert await left(quiet, "quarter") == 0

    await quiet.track(click("1", 1), click("2", 2), click("3", 700))
    await check(3)
    await quiet.track(click("late", 3), click("bot", 4, userAgent=GOOGLEBOT))
    await check(4)
    voided = (await quiet.ask(VOID, {"f": {"eventIds": ["1", "3"]}}))["voidEvents"]
    assert voided["voided"] == 2
    await check(2)
    assert (await quiet.ask(UNDO, {"id": voided["voidId"]}))["undoVoid"] == 2
    await check(4)
    released = (await quiet.ask(RELEASE, {"id": "bot"}))["releaseEvent"]
    assert released["verdict"] == "ACCEPTED"
    await check(5)
    await quiet.ask(VOID, {"f": {"itemId": "a"}})
    await check(0)


async def test_marks_beside_each_other_are_one_span(quiet: Any) -> None:
    """A quarter without events any more loses its rollup; its neighbours keep theirs."""
    events = [{**event, "at": DAYS[0] + n * QUARTER} for n, event in enumerate(busy(DAYS[:1], 5))]
    await insert(events)
    await roll_up(quiet)
    await quiet.database["events"].delete_one({"_id": events[2]["_id"]})
    await MarkRepository().mark("demo", [events[2]["at"]])
    await roll_up(quiet)
    kept = [q["start"] async for q in quiet.database["quarter_hours"].find().sort("start", 1)]
    assert kept == [event["at"] for event in events if event is not events[2]]
    assert await is_right(quiet)
