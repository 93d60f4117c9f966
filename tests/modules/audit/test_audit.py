"""The audit: what adds up, and what it finds where something does not."""

from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.repositories.events import EventRepository
from tests.conftest import OTHER_SITE_KEYS

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
AUDIT = """query ($start: DateTime, $end: DateTime) { audit(start: $start, end: $end) {
  received accepted duplicates rejected clean differences notes
  endings { verdict reason count } checks { name reported recounted agrees } } }"""


def click(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "CLICK", "itemId": "a", "sessionId": event_id, "id": event_id, **fields}


async def audit(api: Any, variables: dict[str, Any] | None = None, **kw: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ask(AUDIT, variables, **kw))["audit"]
    return found


async def test_everything_received_is_accounted_for(api: Any) -> None:
    """received = accepted + duplicate + rejected, after releases, voids and their undoing too."""
    await api.track(
        click("1"),
        click("2", sessionId="1"),
        click("3", userAgent=GOOGLEBOT),
        click("4", userAgent=GOOGLEBOT),
        {"type": "CLICK", "id": "5"},
        click("6", userId="u"),
        {"type": "IMPRESSION", "itemId": "a", "timestamp": "2026-05-01T00:00:00Z"},
    )
    await api.ask('mutation { releaseEvent(eventId: "3") { verdict } }')
    await api.ask('mutation { voidEvents(filter: {eventIds: ["6"]}, reason: "x") { voided } }')
    found = await audit(api)
    assert found["clean"]
    assert found["notes"] == []
    assert (found["received"], found["accepted"]) == (7, 3)
    assert found["endings"] == [
        {"verdict": "DUPLICATE", "reason": "COOLDOWN", "count": 1},
        {"verdict": "REJECTED", "reason": "BOT", "count": 1},
        {"verdict": "REJECTED", "reason": "INVALID", "count": 1},
        {"verdict": "REJECTED", "reason": "VOIDED", "count": 1},
    ]
    assert {c["name"]: c["recounted"] for c in found["checks"]} == {
        "events": 3,
        "impressions": 1,
        "views": 0,
        "clicks": 2,
        "conversions": 0,
        "bounces": 0,
        "pageViews": 0,
        "uniqueVisitors": 2,
        "uniqueUsers": 0,
        "uniqueSessions": 3,
    }


async def test_a_range_counts_what_happened_in_it(api: Any) -> None:
    """Start is included, end is left out."""
    at = "2026-06-15T11:00:00Z"
    await api.track(click("1", timestamp=at), click("2"))
    assert (await audit(api, {"start": at, "end": "2026-06-15T12:00:00Z"}))["received"] == 1
    assert (await audit(api, {"end": at}))["received"] == 0


async def test_a_report_that_answers_something_else_is_found(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports that leave events out differ from the recount, number by number, in words."""
    await api.track(click("1"), click("2"))
    aggregate = EventRepository.aggregate

    async def leaves_one_out(self: Any, site: str, pipeline: Any, **kw: Any) -> Any:
        return await aggregate(self, site, [{"$match": {"session": {"$ne": "2"}}}, *pipeline], **kw)

    monkeypatch.setattr(EventRepository, "aggregate", leaves_one_out)
    found = await audit(api)
    assert not found["clean"]
    assert "clicks: reports answer 1, recounted are 2" in found["differences"]


async def test_events_that_the_cooldown_should_have_kept_apart_are_noted(make_api: Any) -> None:
    """Two counted clicks of one session and item within the cooldown: said, with what may explain it."""
    api = await make_api(click_cooldown=0)
    await api.track(click("1"), click("2", sessionId="1"))
    strict = await make_api(empty=False)
    [note] = (await audit(strict))["notes"]
    assert note.startswith("1 pairs of CLICK")


async def test_a_duplicate_of_nothing_is_noted(api: Any) -> None:
    """A duplicate whose counted event is gone."""
    await api.track(click("1"), click("2", sessionId="1"))
    await api.database["events"].delete_many({})
    [note] = (await audit(api))["notes"]
    assert note.startswith("1 duplicates stand for events that are not stored")


async def test_another_site_has_an_audit_of_its_own(api: Any) -> None:
    """Nothing of one site is in the audit of another."""
    await api.track(click("1"), click("2", sessionId="1"))
    assert (await audit(api, keys=OTHER_SITE_KEYS))["received"] == 0


async def test_a_range_that_is_none_is_refused(api: Any) -> None:
    """Start after end: BAD_USER_INPUT."""
    variables = {"start": "2026-06-15T00:00:00Z", "end": "2026-06-14T00:00:00Z"}
    error = await api.refused(AUDIT, variables)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_the_command_says_what_it_found(
    mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 0 and a table where all is well."""
    monkeypatch.setenv("FOOTFALL_MONGO_URL", mongo_url)
    monkeypatch.setenv("FOOTFALL_DATABASE", f"{database_name}_audit")
    runner = CliRunner()
    made = runner.invoke(cli, ["keys", "create", "read"])
    assert made.exit_code == 0, made.output
    found = runner.invoke(cli, ["audit"])
    assert found.exit_code == 0, found.output
    assert "received" in found.output
    assert "Clean" in found.output
