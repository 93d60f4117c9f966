"""Stored sessions: what a rollup makes of events, again and again, and what it leaves alone."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.config import SECONDS_PER_DAY
from app.modules.analytics.sessions import resolution, rollup
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories import sessions
from app.repositories.sessions import SessionRepository
from app.schemas.session import SESSION_TTL_INDEX
from tests.conftest import NOW
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.sessions.asking import stored

START = NOW - timedelta(hours=3)
ALWAYS = (NOW - timedelta(days=30), NOW + timedelta(days=1))


def at(minutes: float, session: str = "s", **more: Any) -> dict[str, Any]:
    """A page view so long after START."""
    when = START + timedelta(minutes=minutes)
    return event(**{"event_type": "PAGE_VIEW", "session": session, "at": when, **more})


def roller(api: Any) -> SessionRollup:
    found: SessionRollup = api.services.registry[SessionRollup]
    return found


async def seen(api: Any, site: str = "demo") -> list[tuple[str, float, int]]:
    """Session id, start in minutes after START, and events of every stored session."""
    minute = timedelta(minutes=1)
    return [
        (one["session"], (one["start"] - START) / minute, one["events"])
        for one in await stored(api, site)
    ]


async def test_sessions_are_derived_whole_and_doing_it_again_changes_nothing(api: Any) -> None:
    """All of a session id with an event in the range, also what of it lies outside; no other."""
    await store(at(0), at(20), at(60), at(0, "other"))
    quarter = (START + timedelta(minutes=15), START + timedelta(minutes=30))
    assert await roller(api).refresh("demo", *quarter) == 2
    once = await stored(api)
    assert await seen(api) == [("s", 0, 2), ("s", 60, 1)]
    assert await roller(api).refresh("demo", *quarter) == 0
    assert await stored(api) == once
    assert await roller(api).refresh("demo", *ALWAYS) == 1
    assert ("other", 0, 1) in await seen(api)


async def test_late_and_withdrawn_events_change_and_delete_sessions(api: Any) -> None:
    """What joins two sessions leaves one; what is withdrawn divides, shortens or removes them."""
    await store(at(0), at(50))
    await roller(api).refresh("demo", *ALWAYS)
    assert await seen(api) == [("s", 0, 1), ("s", 50, 1)]
    between = at(25)
    await store(between)
    await roller(api).refresh("demo", *ALWAYS)
    assert await seen(api) == [("s", 0, 3)]
    await api.database["events"].update_one(
        {"_id": between["_id"]}, {"$set": {"void": {"id": "x"}}}
    )
    assert await roller(api).refresh("demo", *ALWAYS) == 2
    assert await seen(api) == [("s", 0, 1), ("s", 50, 1)]
    await api.database["events"].update_many({}, {"$set": {"void": {"id": "x"}}})
    assert await roller(api).refresh("demo", *ALWAYS) == 2
    assert await seen(api) == []


async def test_sessions_outlive_events_that_were_deleted_by_their_age(api: Any) -> None:
    """Without any event left in its time a session stays, whatever comes of its id later."""
    await store(at(0), at(10))
    await roller(api).refresh("demo", *ALWAYS)
    await api.database["events"].delete_many({})
    await roller(api).refresh("demo", *ALWAYS)
    assert await seen(api) == [("s", 0, 2)]
    await store(at(90))
    await roller(api).refresh("demo", *ALWAYS)
    assert await seen(api) == [("s", 0, 2), ("s", 90, 1)]
    await store(at(5))
    await roller(api).refresh("demo", *ALWAYS)
    assert await seen(api) == [("s", 5, 1), ("s", 90, 1)]


async def test_nothing_of_an_erased_visitor_stays(api: Any) -> None:
    """Sessions that were theirs alone go; of those that they shared, what is left of others stays."""
    await store(at(0, "old", visitor="gone"), at(0, "shared", visitor="gone"))
    await store(at(10, "shared", visitor="other"), at(0, "mine", visitor="other", user="gone"))
    await roller(api).refresh("demo", *ALWAYS)
    await api.database["events"].delete_many({"visitor": "gone"})
    await roller(api).forget("demo", ["old", "shared"])
    assert await seen(api) == [("mine", 0, 1), ("shared", 10, 1)]
    await api.database["events"].delete_many({"user": "gone"})
    assert await roller(api).forget("demo", ["mine"]) == 1
    assert await seen(api) == [("shared", 10, 1)]


async def test_the_rule_of_the_site_divides_sessions_anew(api: Any) -> None:
    """Switched on and off, what is stored follows; what has no events left stays."""
    await store(at(0, referrer="a.com"), at(5, referrer="b.com"), at(0, "gone"))
    await roller(api).refresh("demo", *ALWAYS)
    await api.database["events"].delete_many({"session": "gone"})
    whole = await stored(api)
    switch = "mutation ($on: Boolean!) { updateSite(input: {sessionEndsOnNewSource: $on}) { sessionEndsOnNewSource } }"
    for on, expected in (
        (True, [("gone", 0, 1), ("s", 0, 1), ("s", 5, 1)]),
        (False, [("gone", 0, 1), ("s", 0, 2)]),
    ):
        answer = await api.ask(switch, {"on": on})
        assert answer["updateSite"]["sessionEndsOnNewSource"] is on
        assert await roller(api).refresh_another_rule("demo")
        assert sorted(await seen(api)) == expected
        assert await roller(api).refresh_another_rule("demo") == 0
    assert await stored(api) == whole


async def test_many_sessions_go_in_portions(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over days, and with more session ids and events than are looked at together."""
    monkeypatch.setattr(rollup, "PORTION", 3)
    monkeypatch.setattr(resolution, "PORTION", 3)
    monkeypatch.setattr(sessions, "BATCH", 4)
    hours = [(n, hour) for n in range(11) for hour in (0, 30, 60)]
    await store(*[at(60 * hour, f"s{n}") for n, hour in hours])
    assert await roller(api).refresh("demo", *ALWAYS) == 33
    assert sorted(await seen(api)) == sorted((f"s{n}", 60 * hour, 1) for n, hour in hours)


async def test_sites_do_not_touch_each_others_sessions(api: Any) -> None:
    """The same session id on two sites is two sessions; refreshing one site leaves the other's."""
    await store(at(0))
    await store(at(0, site="other"), site="other")
    await roller(api).refresh("demo", *ALWAYS)
    assert await seen(api, "other") == []
    await roller(api).refresh("other", *ALWAYS)
    await api.database["events"].delete_many({"site": "demo"})
    await roller(api).forget("demo", ["s"])
    assert (await seen(api), await seen(api, "other")) == ([], [("s", 0, 1)])
    with pytest.raises(ValueError, match="another site"):
        await SessionRepository().replace("other", [{"_id": "demo:x", "site": "demo"}], [])


async def test_sessions_are_kept_as_long_as_events(make_api: Any) -> None:
    """Their lifetime follows the retention of events, from the last activity."""
    for days, seconds in ((90, 90 * SECONDS_PER_DAY + 7_200), (0, None)):
        api = await make_api(data_retention_days=days)
        indexes = await api.database["sessions"].index_information()
        assert indexes.get(SESSION_TTL_INDEX, {}).get("expireAfterSeconds") == seconds


async def test_every_index_begins_with_the_site(api: Any) -> None:
    """But for the one that ends their lives."""
    indexes = await api.database["sessions"].index_information()
    for name, index in indexes.items():
        if name not in ("_id_", SESSION_TTL_INDEX):
            assert index["key"][0][0] == "site", name
