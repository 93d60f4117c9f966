"""The numbers of the last minutes: against a plain recount, and to subscribers."""

import asyncio
import json
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.clock import FixedClock
from app.core.errors import LimitExceededError, UnavailableError
from app.core.scalars import format_instant
from app.modules.analytics.realtime.numbers import Window
from app.modules.analytics.realtime.pipeline import last_minutes
from app.modules.analytics.realtime.service import RealtimeService
from app.repositories.events import EventRepository
from tests.conftest import NOW, OTHER_SITE_KEYS
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.test_running import explained, indexes_in
from tests.sockets import connected, until

NUMBERS = """asOf activeVisitors activeSessions events eventsPerMinute { start events }
  byType { type events } topItems { itemId item { title } events impressions clicks }
  topPages { page events pageViews }"""
QUERY = f"query ($minutes: Int, $limit: Int) {{ realtime(minutes: $minutes, limit: $limit) {{ {NUMBERS} }} }}"
SUBSCRIPTION = f"""subscription ($minutes: Int, $everySeconds: Int, $limit: Int) {{
  realtime(minutes: $minutes, everySeconds: $everySeconds, limit: $limit) {{ {NUMBERS} }} }}"""
TYPES = ("IMPRESSION", "CLICK", "PAGE_VIEW", "CUSTOM")


def most(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))


def oracle(events: list[dict[str, Any]], now: datetime, minutes: int, limit: int) -> dict[str, Any]:
    """The same numbers from a list of events, one by one."""
    counted = [each for each in events if "void" not in each]
    times = [min(each["at"], now) for each in counted]
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes - 1)
    active = [e for e, at in zip(counted, times, strict=True) if at >= now - timedelta(minutes=5)]
    recent = [(e, at) for e, at in zip(counted, times, strict=True) if at >= start]
    by_type: Counter[str] = Counter()
    per_minute: Counter[datetime] = Counter()
    items: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    of_type: Counter[tuple[str, str]] = Counter()
    for each, at in recent:
        weight = each.get("weight", 1)
        by_type[each["type"]] += weight
        per_minute[at.replace(second=0, microsecond=0)] += weight
        for counter, field in ((items, "item"), (pages, "page")):
            if field in each:
                counter[each[field]] += weight
                of_type[each[field], each["type"]] += weight
    heaviest: dict[tuple[str, str], int] = {}
    for each in active:
        for field in ("visitor", "session"):
            key = (field, each[field])
            heaviest[key] = max(heaviest.get(key, 0), each.get("weight", 1))
    return {
        "asOf": format_instant(now),
        "activeVisitors": sum(w for (field, _), w in heaviest.items() if field == "visitor"),
        "activeSessions": sum(w for (field, _), w in heaviest.items() if field == "session"),
        "events": by_type.total(),
        "eventsPerMinute": [
            {"start": format_instant(at), "events": per_minute[at]}
            for at in (start + timedelta(minutes=place) for place in range(minutes))
        ],
        "byType": [{"type": name, "events": number} for name, number in most(by_type)],
        "topItems": [
            {
                "itemId": item,
                "item": None,
                "events": number,
                "impressions": of_type[item, "IMPRESSION"],
                "clicks": of_type[item, "CLICK"],
            }
            for item, number in most(items)[:limit]
        ],
        "topPages": [
            {"page": page, "events": number, "pageViews": of_type[page, "PAGE_VIEW"]}
            for page, number in most(pages)[:limit]
        ],
    }


def anything(chance: random.Random, now: datetime) -> dict[str, Any]:
    """An event somewhere around the edges of what is covered."""
    edges = [now, now - timedelta(minutes=5), now.replace(second=0, microsecond=0)]
    at = chance.choice(
        [
            now - timedelta(seconds=chance.uniform(-300, 4_000)),
            chance.choice(edges) + timedelta(milliseconds=chance.choice([-1, 0, 1])),
            now - timedelta(minutes=chance.randrange(62)),
        ]
    )
    fields: dict[str, Any] = {
        "at": min(at, now + timedelta(seconds=300)).replace(
            microsecond=at.microsecond // 1000 * 1000
        ),
        "visitor": f"v{chance.randrange(40)}",
        "session": f"s{chance.randrange(60)}",
    }
    if chance.random() < 0.7:
        fields["item"] = chance.choice(["", "$at", *(f"lot-{n}" for n in range(15))])
    if chance.random() < 0.5:
        fields["page"] = f"https://shop.example/{chance.randrange(12)}"
    if chance.random() < 0.1:
        fields["weight"] = chance.randrange(2, 10)
    if chance.random() < 0.1:
        fields["void"] = {"id": "v", "at": now, "why": "x"}
    return event(chance.choice(TYPES), **fields)


@pytest.mark.parametrize("seconds", [0, 31.5, 59.999])
async def test_the_numbers_are_those_of_a_recount(make_api: Any, seconds: float) -> None:
    """For any events, at any second of the clock's minute, for any number of minutes and any limit."""
    now = NOW + timedelta(seconds=seconds)
    api = await make_api(clock=FixedClock(now))
    chance = random.Random(seconds)
    events = [anything(chance, now) for _ in range(900)]
    await store(*events)
    await store(*[event(site="other", at=now, item="theirs") for _ in range(9)], site="other")
    for minutes, limit in ((1, 3), (2, 1), (5, 10), (7, 50), (60, 50)):
        answer = await api.ask(QUERY, {"minutes": minutes, "limit": limit})
        assert answer["realtime"] == oracle(events, now, minutes, limit), minutes
    defaults = await api.ask(QUERY, {"minutes": None, "limit": None})
    assert defaults["realtime"] == oracle(events, now, 5, 10)


async def test_without_events_there_are_zeros(api: Any) -> None:
    """Every minute is there."""
    assert (await api.ask(QUERY, {"minutes": 3}))["realtime"] == oracle([], NOW, 3, 10)


async def test_an_accepted_event_is_in_it_at_once(api: Any) -> None:
    """Also one whose clock is ahead: it counts as if it happened now."""
    ahead = format_instant(NOW + timedelta(seconds=200))
    await api.ask('mutation { createItem(input: {id: "lot-1", title: "Vase"}) { id } }')
    await api.track({"type": "CLICK", "itemId": "lot-1", "timestamp": ahead, "sessionId": "s"})
    found = (await api.ask(QUERY))["realtime"]
    assert (found["activeVisitors"], found["activeSessions"], found["events"]) == (1, 1, 1)
    assert found["eventsPerMinute"][-1] == {"start": format_instant(NOW), "events": 1}
    [top] = found["topItems"]
    assert (top["itemId"], top["item"], top["clicks"]) == ("lot-1", {"title": "Vase"}, 1)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 61}, "minutes"),
        ({"limit": 0}, "limit"),
        ({"limit": 51}, "limit"),
        ({"everySeconds": 0}, "everySeconds"),
        ({"everySeconds": 61}, "everySeconds"),
    ],
)
async def test_bad_arguments_are_refused(api: Any, arguments: dict[str, int], field: str) -> None:
    """BAD_USER_INPUT that names the argument, in the query and in the subscription."""
    if field != "everySeconds":
        error = await api.refused(QUERY, arguments)
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    async with connected(api) as socket:
        error = await socket.error(socket.start(SUBSCRIPTION, **arguments))
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


async def test_only_the_events_of_the_time_are_read(api: Any) -> None:
    """The index by time, never all events."""
    await store(*[event(at=NOW - timedelta(minutes=n)) for n in range(200)])
    stages = last_minutes(Window(NOW, 5, timedelta(seconds=300)))
    explanation = await explained(api, stages)
    assert indexes_in(explanation) == {"by_time"}
    assert "COLLSCAN" not in json.dumps(explanation, default=str)


async def test_too_many_events_are_an_error_that_says_what_to_do(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LIMIT_EXCEEDED, which names minutes."""

    async def too_long(*arguments: Any, **named: Any) -> Any:
        raise LimitExceededError("The report takes too long.")

    monkeypatch.setattr(EventRepository, "aggregate", too_long)
    error = await api.refused(QUERY)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "field": "minutes"}


@pytest.fixture
def quick(api: Any, monkeypatch: pytest.MonkeyPatch) -> RealtimeService:
    """The application's service, for which a second is much shorter."""
    service = RealtimeService(EventRepository(), api.settings, api.clock, second=0.02)
    monkeypatch.setitem(api.services.registry, RealtimeService, service)
    return service


async def test_subscribers_are_told_when_a_number_changes(api: Any, quick: RealtimeService) -> None:
    """At once, then whenever something is different, and not when nothing is."""
    async with connected(api) as socket:
        operation = socket.start(SUBSCRIPTION, everySeconds=1)
        assert (await socket.data(operation))["events"] == 0
        for number in range(1, 4):
            await api.track({"type": "PAGE_VIEW", "sessionId": f"s{number}"})
            found = await socket.data(operation)
            assert (found["events"], found["activeSessions"]) == (number, number)
        counts = quick._counts
        before = counts["demo", 5][0]
        await until(lambda: counts["demo", 5][0] >= before + 5)
        assert socket.waiting(operation) == 0
        api.clock.advance(minutes=1)
        found = await socket.data(operation)
        assert [minute["events"] for minute in found["eventsPerMinute"]] == [0, 0, 0, 3, 0]


async def test_it_is_counted_once_however_many_listen(
    api: Any, quick: RealtimeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each site and number of minutes; limits are cut from the same numbers."""
    asked, counted = [], []
    may_count = asyncio.Event()
    plain_shared, plain_count = quick._shared, quick._count

    async def shared(site: str, minutes: int) -> Any:
        asked.append(site)
        return await plain_shared(site, minutes)

    async def count(site: str, minutes: int) -> Any:
        counted.append((site, minutes))
        await may_count.wait()
        return await plain_count(site, minutes)

    monkeypatch.setattr(quick, "_shared", shared)
    monkeypatch.setattr(quick, "_count", count)
    await api.track(*[{"type": "CLICK", "itemId": item, "sessionId": "s"} for item in "abc"])
    async with (
        connected(api) as one,
        connected(api) as two,
        connected(api, keys=OTHER_SITE_KEYS) as theirs,
    ):
        started = [
            (socket, socket.start(SUBSCRIPTION, limit=limit))
            for socket in (one, two)
            for limit in (1, 2, 3)
        ]
        of_others, of_more = theirs.start(SUBSCRIPTION), two.start(SUBSCRIPTION, minutes=7)
        await until(lambda: len(asked) == 8)
        assert sorted(counted) == [("demo", 5), ("demo", 7), ("other", 5)]
        may_count.set()
        tops = [len((await s.data(operation))["topItems"]) for s, operation in started]
        assert tops == [1, 2, 3, 1, 2, 3]
        assert (await two.data(of_more))["events"] == 3
        assert (await theirs.data(of_others))["events"] == 0
    # And what was counted is not kept for ever.
    await until(lambda: all(task.done() for _, task in quick._counts.values()))
    assert len(quick._counts) <= 3


async def test_subscribers_outlive_a_failover(
    api: Any, quick: RealtimeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the database is away nothing comes; afterwards it goes on by itself."""
    away, asked = [True], []
    plain = quick.numbers

    async def count(site: str, minutes: int) -> Any:
        asked.append(site)
        if away[0]:
            raise UnavailableError
        return await plain(site, minutes)

    monkeypatch.setattr(quick, "numbers", count)
    async with connected(api) as socket:
        operation = socket.start(SUBSCRIPTION, everySeconds=1)
        await until(lambda: len(asked) >= 3)
        assert socket.waiting(operation) == 0
        away[0] = False
        assert (await socket.data(operation))["events"] == 0


async def test_a_count_that_takes_too_long_ends_the_subscription(
    api: Any, quick: RealtimeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is the query's."""

    async def count(site: str, minutes: int) -> Any:
        raise LimitExceededError("Too many.", "minutes")

    monkeypatch.setattr(quick, "numbers", count)
    async with connected(api) as socket:
        error = await socket.error(socket.start(SUBSCRIPTION))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_reader_that_does_not_read_gets_the_latest_numbers(
    api: Any, quick: RealtimeService
) -> None:
    """Nothing is kept for it: what it was not there for is left out, not sent late."""
    async with connected(api) as slow, connected(api) as fast:
        slow_numbers = slow.start(SUBSCRIPTION, everySeconds=1)
        fast_numbers = fast.start(SUBSCRIPTION, everySeconds=1)
        await slow.data(slow_numbers)
        await fast.data(fast_numbers)
        slow.hold()
        for number in range(1, 11):
            await api.track({"type": "PAGE_VIEW", "sessionId": f"s{number}"})
            assert (await fast.data(fast_numbers))["events"] == number
        slow.release()
        seen = []
        while not seen or seen[-1] < 10:
            seen.append((await slow.data(slow_numbers))["events"])
        assert len(seen) <= 3
