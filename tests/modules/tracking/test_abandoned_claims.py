"""Claims whose events are not there: still being written, or never to come."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.modules.tracking.events import Candidate
from app.repositories import session_items
from app.repositories.session_items import (
    ClaimRequest,
    Holder,
    SessionItemRepository,
    claim_key,
)
from tests.conftest import NOW

KEY = claim_key("demo", "IMPRESSION", "s", "lot-1")
NOON = NOW - timedelta(minutes=5)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def candidate(event_id: str, seconds: float) -> Candidate:
    document = {"site": "demo", "type": "IMPRESSION", "session": "s", "item": "lot-1"}
    made = Candidate(event_id, {**document, "at": at(seconds)}, id_is_callers=True)
    made.claim_key, made.cooldown = KEY, 30
    return made


async def claim(event_id: str, seconds: float, made: datetime = NOW) -> None:
    """What a process that died, or that is about to write, leaves in the index."""
    await SessionItemRepository().claim(
        "demo", [ClaimRequest(KEY, event_id, at(seconds), 30)], made
    )


@pytest.mark.parametrize("days", [-3, 3])
async def test_a_maker_whose_clock_is_off_keeps_its_claim(api: Any, days: int) -> None:
    """Another process has just claimed, and says that it was days ago, or will be: it is waited for."""
    await claim("theirs", 0, NOW + timedelta(days=days))
    mine = candidate("mine", 5)
    assert await api.services.deduplication.claim("demo", [mine]) == []
    assert mine.outcome is None


@pytest.mark.parametrize("days", [-3, 3])
async def test_the_dead_are_not_waited_for_whatever_their_clock_said(
    api: Any, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """A claim that stays without its event is taken over, also one that was made in the future."""
    await claim("theirs", 0, NOW + timedelta(days=days))
    mine = candidate("mine", 5)
    for lease in (timedelta(hours=1), timedelta(-1)):
        monkeypatch.setattr(session_items, "CLAIM_LEASE", lease)
        assert await api.services.deduplication.claim("demo", [mine]) == []
    assert await api.services.deduplication.claim("demo", [mine]) == [mine]


async def test_a_claim_that_was_made_anew_is_not_dropped(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event has been sent again meanwhile: who missed the first claim must leave this one alone."""
    monkeypatch.setattr(session_items, "CLAIM_LEASE", timedelta(-1))
    await claim("theirs", 0)
    missed = Holder("theirs", at(0), NOW)
    await claim("theirs", 0, NOW + timedelta(seconds=12))
    await SessionItemRepository().miss("demo", [(KEY, missed)])
    [holder] = await SessionItemRepository().claim(
        "demo", [ClaimRequest(KEY, "mine", at(5), 30)], NOW
    )
    assert holder is not None
    assert holder.event == "theirs"


async def test_nobody_is_turned_away_for_a_neighbour_that_lost_itself(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old claim of an event in the same group, which now happened at another time and is a repeat
    there, stands for nothing."""
    monkeypatch.setattr(session_items, "CLAIM_LEASE", timedelta(-1))
    common = {"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s"}
    await claim("moved", 0)
    await api.track({**common, "timestamp": at(45).isoformat()})
    moved, other = await api.track(
        {**common, "id": "moved", "timestamp": at(31).isoformat()},
        {**common, "id": "other", "timestamp": at(10).isoformat()},
    )
    assert (moved["reason"], other["verdict"]) == ("COOLDOWN", "ACCEPTED")


async def test_a_claim_for_another_time_than_the_event_has_turns_nobody_away(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that is stored with an hour earlier was sent again and claims for now: its claim stands
    for nothing, is waited for, and dropped where whoever sent it again has died."""
    sent = {"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s", "id": "theirs"}
    [result] = await api.track({**sent, "timestamp": at(-3600).isoformat()})
    assert result["verdict"] == "ACCEPTED"
    await api.database["session_items"].delete_many({})
    await claim("theirs", 0)
    mine = candidate("mine", 5)
    assert await api.services.deduplication.claim("demo", [mine]) == []
    assert mine.outcome is None
    monkeypatch.setattr(session_items, "CLAIM_LEASE", timedelta(-1))
    assert await api.services.deduplication.claim("demo", [mine]) == []
    assert await api.services.deduplication.claim("demo", [mine]) == [mine]


async def test_an_event_sent_again_when_its_claim_is_gone_claims_nothing(api: Any) -> None:
    """Sent again with another time, which no claim speaks against: REPLAYED, and the next one counts."""
    sent = {"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s"}
    await api.track({**sent, "id": "first", "timestamp": at(-3600).isoformat()})
    await api.database["session_items"].delete_many({})
    api.services.deduplication._accepted.clear()
    replay, other = await api.track({**sent, "id": "first"}, {**sent, "id": "second"})
    assert (replay["verdict"], replay["reason"]) == ("DUPLICATE", "REPLAYED")
    assert other["verdict"] == "ACCEPTED"
    [stored] = [c async for c in api.database["session_items"].find({"_id": KEY})]
    assert sorted((c["event"], c["at"]) for c in stored["claims"]) == [
        ("first", at(-3600)),
        ("second", NOW),
    ]
