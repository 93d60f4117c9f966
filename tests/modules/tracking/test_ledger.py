"""The ledger: why an event was not counted, and how an admin corrects what is."""

import hashlib
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import OTHER_SITE_KEYS

FOUR = f"sha256:{hashlib.sha256(b'demo:4').hexdigest()}"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

DECISIONS = """query ($f: DecisionFilter, $n: Int, $after: String) {
  decisions(filter: $f, limit: $n, after: $after) {
    nextCursor data { eventId verdict reason message standsFor rule ruleVersion itemId } } }"""
EXPLAIN = """query ($id: ID!) {
  explainEvent(eventId: $id) { state summary event decisions { reason standsFor releasedAt } } }"""
RELEASE = "mutation ($id: ID!) { releaseEvent(eventId: $id) { verdict reason } }"
VOID = """mutation ($f: VoidInput!, $why: String!) {
  voidEvents(filter: $f, reason: $why) { voidId voided } }"""
UNDO = "mutation ($id: ID!) { undoVoid(voidId: $id) }"
TOTAL = """{ report(range: {preset: ALL}) { totals { impressions clicks } } }"""


def click(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "CLICK", "itemId": "a", "sessionId": "s", "id": event_id, **fields}


async def explain(api: Any, event_id: str, **kw: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.ask(EXPLAIN, {"id": event_id}, **kw))["explainEvent"]
    return answer


async def clicks(api: Any) -> int:
    total: int = (await api.ask(TOTAL))["report"]["totals"]["clicks"]
    return total


async def test_every_ending_can_be_looked_up(api: Any) -> None:
    """Newest first, with reason, rule and what stands for a duplicate; filters narrow it. What is invalid
    is found by its id, of which there is a hash."""
    await api.track(
        click("1"), click("2"), click("3", userAgent=GOOGLEBOT), {"type": "CLICK", "id": "4"}
    )
    found = (await api.ask(DECISIONS))["decisions"]["data"]
    assert [(d["eventId"], d["verdict"], d["reason"]) for d in found] == [
        (FOUR, "REJECTED", "INVALID"),
        ("3", "REJECTED", "BOT"),
        ("2", "DUPLICATE", "COOLDOWN"),
    ]
    assert (await explain(api, "4"))["decisions"] != []
    assert found[2]["standsFor"] == "1"
    for given, expected in (
        ({"reasons": ["BOT", "INVALID"]}, [FOUR, "3"]),
        ({"verdict": "DUPLICATE"}, ["2"]),
        ({"eventId": "3"}, ["3"]),
        ({"eventId": "4"}, [FOUR]),
        ({"itemId": "a"}, ["3", "2"]),
        ({"since": "2026-06-15T12:00:00Z", "until": "2026-06-15T12:00:00.001Z"}, [FOUR, "3", "2"]),
        ({"until": "2026-06-15T12:00:00Z"}, []),
    ):
        page = (await api.ask(DECISIONS, {"f": given}))["decisions"]["data"]
        assert [decision["eventId"] for decision in page] == expected


async def test_pages_follow_each_other(api: Any) -> None:
    """A cursor leads to what is older, until it is null, and nothing comes twice or is left out."""
    await api.track(click("first"), *[click(str(n)) for n in range(25)])
    seen, cursor = [], None
    for _ in range(3):
        page = (await api.ask(DECISIONS, {"n": 10, "after": cursor}))["decisions"]
        seen += [decision["eventId"] for decision in page["data"]]
        cursor = page["nextCursor"]
    assert cursor is None
    assert seen == [str(n) for n in reversed(range(25))]


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"n": 0}, "limit"),
        ({"n": 501}, "limit"),
        ({"after": "tampered"}, "after"),
        ({"after": "$"}, "after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(api: Any, variables: Any, field: str) -> None:
    """Limits and cursors out of bounds: BAD_USER_INPUT with the field."""
    error = await api.refused(DECISIONS, variables)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


async def test_counts_by_reason_over_time(api: Any) -> None:
    """Hours and days of arrival, each with its reasons."""
    await api.track(click("1"), click("2"), click("3"))
    api.clock.advance(hours=13)
    await api.track(click("4", userAgent=GOOGLEBOT))
    rows = (await api.ask("{ decisionCounts { start verdict reason count } }"))["decisionCounts"]
    assert rows == [
        {
            "start": "2026-06-15T00:00:00.000Z",
            "verdict": "DUPLICATE",
            "reason": "COOLDOWN",
            "count": 2,
        },
        {"start": "2026-06-16T00:00:00.000Z", "verdict": "REJECTED", "reason": "BOT", "count": 1},
    ]
    rows = (await api.ask("{ decisionCounts(period: HOUR) { start } }"))["decisionCounts"]
    assert [row["start"] for row in rows] == [
        "2026-06-15T12:00:00.000Z",
        "2026-06-16T01:00:00.000Z",
    ]


async def test_an_event_is_explained(api: Any) -> None:
    """Counted, a duplicate of another, rejected, never seen: each with a sentence."""
    await api.track(
        click("1", properties={"size": "XL"}), click("2"), click("3", userAgent=GOOGLEBOT)
    )
    counted = await explain(api, "1")
    assert (counted["state"], counted["event"]["properties"]) == ("COUNTED", {"size": "XL"})
    repeat = await explain(api, "2")
    assert (repeat["state"], repeat["decisions"][0]["standsFor"]) == ("NOT_COUNTED", "1")
    assert "COOLDOWN" in repeat["summary"]
    assert (await explain(api, "3"))["decisions"][0]["reason"] == "BOT"
    assert (await explain(api, "nobody"))["state"] == "UNKNOWN"


async def test_a_released_event_counts_once(api: Any) -> None:
    """What was taken for a bot counts from its release on; a second release changes nothing."""
    await api.track(click("1", userAgent=GOOGLEBOT))
    assert await clicks(api) == 0
    released = (await api.ask(RELEASE, {"id": "1"}))["releaseEvent"]
    assert released["verdict"] == "ACCEPTED"
    assert await clicks(api) == 1
    assert (await api.refused(RELEASE, {"id": "1"}))["extensions"]["code"] == "CONFLICT"
    explained = await explain(api, "1")
    assert explained["state"] == "COUNTED"
    assert explained["decisions"][0]["releasedAt"] is not None
    assert await clicks(api) == 1


async def test_a_released_event_is_held_to_the_cooldown(api: Any) -> None:
    """Where another event stands for it meanwhile, releasing it answers DUPLICATE."""
    await api.track(click("1", userAgent=GOOGLEBOT), click("2"))
    released = (await api.ask(RELEASE, {"id": "1"}))["releaseEvent"]
    assert (released["verdict"], released["reason"]) == ("DUPLICATE", "COOLDOWN")
    assert await clicks(api) == 1


async def test_what_is_invalid_cannot_be_released(api: Any) -> None:
    """Nothing is kept of what is invalid, so that there is nothing to release; nor of unknown ids."""
    await api.track({"type": "CLICK", "id": "1"})
    for event_id in ("1", "nobody"):
        error = await api.refused(RELEASE, {"id": event_id})
        assert error["extensions"]["code"] == "NOT_FOUND"


async def test_voided_events_are_not_counted_until_the_void_is_undone(api: Any) -> None:
    """By visitor and time: reports follow at once, both ways; an id sent again is still a duplicate."""
    await api.track(
        click("1", visitorId="bot", sessionId="1"),
        click("2", visitorId="bot", sessionId="2", timestamp="2026-06-14T12:00:00Z"),
        click("3", visitorId="person", sessionId="3"),
    )
    assert await clicks(api) == 3
    chosen = {"visitorId": "bot", "since": "2026-06-15T00:00:00Z"}
    void = (await api.ask(VOID, {"f": chosen, "why": "a bot, found later"}))["voidEvents"]
    assert void["voided"] == 1
    assert await clicks(api) == 2
    explained = await explain(api, "1")
    assert explained["state"] == "VOIDED"
    assert "a bot, found later" in explained["summary"]
    [again] = await api.track(click("1", visitorId="bot", sessionId="1"))
    assert again["reason"] == "REPLAYED"
    assert (await api.ask(UNDO, {"id": void["voidId"]}))["undoVoid"] == 1
    assert await clicks(api) == 3
    assert (await api.refused(UNDO, {"id": void["voidId"]}))["extensions"]["code"] == "NOT_FOUND"


async def test_voiding_by_id_again_withdraws_nothing_more(api: Any) -> None:
    """An event is withdrawn by one void: undoing another does not bring it back."""
    await api.track(click("1"))
    first = (await api.ask(VOID, {"f": {"eventIds": ["1"]}, "why": "x"}))["voidEvents"]
    second = (await api.ask(VOID, {"f": {"eventIds": ["1", "2"]}, "why": "x"}))["voidEvents"]
    assert (first["voided"], second["voided"]) == (1, 0)
    assert (await api.refused(UNDO, {"id": second["voidId"]}))["extensions"]["code"] == "NOT_FOUND"
    assert await clicks(api) == 0


@pytest.mark.parametrize(
    ("chosen", "why", "field"),
    [
        ({}, "x", "filter"),
        ({"since": "2026-06-15T00:00:00Z"}, "x", "filter"),
        ({"eventIds": []}, "x", "filter.eventIds"),
        ({"eventIds": ["x"] * 1001}, "x", "filter.eventIds"),
        ({"itemId": "a"}, " ", "reason"),
        ({"itemId": "a"}, "x" * 501, "reason"),
        ({"itemId": "a"}, "a\x00", "reason"),
    ],
)
async def test_a_void_that_cannot_be_meant_is_refused(
    api: Any, chosen: dict[str, Any], why: str, field: str
) -> None:
    """Everything at once, or without a reason, is not withdrawn."""
    error = await api.refused(VOID, {"f": chosen, "why": why})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


async def test_the_ledger_of_another_site_is_closed(api: Any) -> None:
    """Nothing of it is seen, released, voided or undone; the answers are those for what is not there."""
    await api.track(click("1"), click("2"), click("3", userAgent=GOOGLEBOT))
    void = (await api.ask(VOID, {"f": {"eventIds": ["1"]}, "why": "x"}))["voidEvents"]
    theirs = {"keys": OTHER_SITE_KEYS}
    assert (await api.ask(DECISIONS, **theirs))["decisions"]["data"] == []
    assert (await api.ask("{ decisionCounts { count } }", **theirs))["decisionCounts"] == []
    assert (await explain(api, "1", **theirs))["state"] == "UNKNOWN"
    for operation, variables in ((RELEASE, {"id": "3"}), (UNDO, {"id": void["voidId"]})):
        error = await api.refused(operation, variables, **theirs)
        assert error["extensions"]["code"] == "NOT_FOUND"
    voided = await api.ask(VOID, {"f": {"itemId": "a"}, "why": "x"}, **theirs)
    assert voided["voidEvents"]["voided"] == 0
    assert (await explain(api, "1"))["state"] == "VOIDED"


async def test_only_admins_correct(api: Any) -> None:
    """A read key sees the ledger and cannot change what counts."""
    await api.ask(DECISIONS, scope=Scope.READ)
    error = await api.refused(VOID, {"f": {"itemId": "a"}, "why": "x"}, scope=Scope.READ)
    assert error["extensions"]["code"] == "FORBIDDEN"
