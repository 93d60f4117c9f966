"""The cooldown: exact in time, in every order, across restarts and crashes."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from app.repositories import session_items
from app.repositories.session_items import ClaimRequest, SessionItemRepository, claim_key
from tests.conftest import NOW


def impression(seconds: float, **fields: Any) -> dict[str, Any]:
    """An impression of one item in one session, so many seconds after noon."""
    at = NOW - timedelta(minutes=5) + timedelta(seconds=seconds)
    return {
        "type": "IMPRESSION",
        "itemId": "lot-1",
        "sessionId": "s",
        "timestamp": at.isoformat(),
        **fields,
    }


def verdicts(results: list[dict[str, Any]]) -> list[str]:
    return [result["verdict"] for result in results]


@pytest.mark.parametrize(
    ("event_type", "apart", "counts"),
    [
        ("IMPRESSION", 29.9, 1),
        ("IMPRESSION", 29.999, 1),
        ("IMPRESSION", 30.0, 2),
        ("VIEW", 29.9, 1),
        ("VIEW", 30.0, 2),
        ("CLICK", 4.9, 1),
        ("CLICK", 5.0, 2),
        ("CONVERSION", 0, 2),
        ("ENGAGEMENT", 0, 2),
        ("BOUNCE", 0, 2),
        ("PAGE_VIEW", 0, 2),
    ],
)
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "late one first"])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two calls"])
async def test_the_edge_of_the_cooldown(
    api: Any, event_type: str, apart: float, counts: int, order: int, together: bool
) -> None:
    """Less than the cooldown apart counts once, exactly the cooldown apart twice, in either order."""
    pair = [impression(0, type=event_type), impression(apart, type=event_type)][::order]
    if together:
        await api.track(*pair)
    else:
        await api.track(pair[0])
        api.clock.advance(minutes=1)  # the in-memory cache's time is not the event's time
        await api.track(pair[1])
    assert await api.database["events"].count_documents({}) == counts


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_what_is_accepted_counts_and_what_is_not_does_not(
    api: Any, order: tuple[int]
) -> None:
    """Each event is compared with the accepted ones: after 0 s, 20 s is a repeat and 40 s is not."""
    times = [0, 20, 40]
    accepted: list[int] = []
    for place in order:
        [result] = await api.track(impression(times[place]))
        expected = all(abs(times[place] - other) >= 30 for other in accepted)
        assert (result["verdict"] == "ACCEPTED") == expected
        if expected:
            accepted.append(times[place])


async def test_other_sessions_items_types_and_sites_do_not_collide(api: Any) -> None:
    """The cooldown is of one site, type, session and item."""
    from tests.conftest import OTHER_SITE_KEYS

    results = await api.track(
        impression(0),
        impression(0, sessionId="t"),
        impression(0, itemId="lot-2"),
        impression(0, type="VIEW"),
        impression(0, type="CLICK"),
    )
    results += await api.track(impression(0), keys=OTHER_SITE_KEYS)
    assert verdicts(results) == ["ACCEPTED"] * 6


async def test_ids_with_separators_do_not_collide(api: Any) -> None:
    """Where one id ends and the next begins is part of the key."""
    results = await api.track(
        impression(0, sessionId="a:b", itemId="c"), impression(0, sessionId="a", itemId="b:c")
    )
    assert verdicts(results) == ["ACCEPTED", "ACCEPTED"]


async def test_the_setting_decides_and_0_turns_it_off(make_api: Any) -> None:
    """FOOTFALL_IMPRESSION_COOLDOWN and FOOTFALL_CLICK_COOLDOWN are what is applied."""
    api = await make_api(impression_cooldown=10, click_cooldown=0)
    assert verdicts(await api.track(impression(0), impression(9.9), impression(10))) == [
        "ACCEPTED",
        "DUPLICATE",
        "ACCEPTED",
    ]
    click = impression(0, type="CLICK")
    assert verdicts(await api.track(click, click)) == ["ACCEPTED", "ACCEPTED"]


async def test_a_restart_remembers(make_api: Any) -> None:
    """The truth is in the database: a new process turns the repeat away."""
    await (await make_api()).track(impression(0))
    restarted = await make_api(empty=False)
    [result] = await restarted.track(impression(10))
    assert result["reason"] == "COOLDOWN"


async def test_late_events_are_held_to_the_same_cooldown(api: Any) -> None:
    """Days later, when the claim has expired, the stored event still stands for its repeats."""
    await api.track(impression(0))
    api.clock.advance(days=3)
    await api.database["session_items"].delete_many({})  # what the TTL index does in time
    near, far, near_the_second = await api.track(impression(20), impression(40), impression(69))
    assert [near["verdict"], far["verdict"], near_the_second["verdict"]] == [
        "DUPLICATE",
        "ACCEPTED",
        "DUPLICATE",
    ]


async def test_a_claim_without_its_event_does_not_swallow_the_next(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that died between claim and write: once its lease is over, the next one counts."""
    monkeypatch.setattr(session_items, "CLAIM_LEASE", timedelta(-1))
    key = claim_key("demo", "IMPRESSION", "s", "lot-1")
    at = NOW - timedelta(minutes=5)
    await SessionItemRepository().claim("demo", [ClaimRequest(key, "lost", at, 30)], NOW)
    [result] = await api.track(impression(5))
    assert result["verdict"] == "ACCEPTED"
    [repeat] = await api.track(impression(6))
    assert repeat["reason"] == "COOLDOWN"


async def test_the_same_event_sent_again_after_a_crash_counts(api: Any) -> None:
    """A claim of the event's own id is its own, at once."""
    key = claim_key("demo", "IMPRESSION", "s", "lot-1")
    at = NOW - timedelta(minutes=5)
    await SessionItemRepository().claim("demo", [ClaimRequest(key, "mine", at, 30)], NOW)
    [result] = await api.track(impression(0, id="mine"))
    assert result["verdict"] == "ACCEPTED"


async def test_a_replay_holds_no_claim_of_its_own(api: Any) -> None:
    """An id sent again for another item changes nothing: the other item's next impression counts."""
    await api.track(impression(0, id="e-1"))
    [replay] = await api.track(impression(0, id="e-1", itemId="lot-2"))
    [fresh] = await api.track(impression(5, itemId="lot-2"))
    assert (replay["reason"], fresh["verdict"]) == ("REPLAYED", "ACCEPTED")


async def test_the_cache_answers_the_common_repeat_without_the_database(api: Any) -> None:
    """A repeat within the cooldown costs no claim: the session-item index is not written."""
    await api.track(impression(0))
    before = await api.database["session_items"].find({}).to_list(None)
    await api.database["session_items"].delete_many({})
    [repeat] = await api.track(impression(1))
    assert repeat["reason"] == "COOLDOWN"
    assert len(before) == 1
    assert await api.database["session_items"].count_documents({}) == 0


async def test_an_id_is_replayed_only_where_it_is_stored(api: Any) -> None:
    """In one batch, too: an id whose first event was a repeat may still stand for another one."""
    results = await api.track(
        impression(0, id="stored"),
        impression(1, id="twice"),
        impression(1, id="twice", itemId="lot-2"),
        impression(2, id="twice", itemId="lot-3"),
        impression(2, itemId="lot-2"),
        *[impression(0, id="stored")] * 5,
    )
    assert [result["reason"] for result in results] == [
        None,
        "COOLDOWN",
        None,
        "REPLAYED",
        "COOLDOWN",
        *["REPLAYED"] * 5,
    ]
    decisions = await api.database["decisions"].find({}).to_list(None)
    stored = await api.database["events"].distinct("_id")
    assert {f"demo:{decision['stands_for']}" for decision in decisions} <= set(stored)
