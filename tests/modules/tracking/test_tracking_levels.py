"""What is kept of a visitor: by the site's tracking level, by what the visitor wants, and where they are."""

from typing import Any

import pytest

from app.core.site_rules import TrackingLevel
from app.modules.tracking.levels import KEPT_FROM
from tests.modules.tracking.test_tracking import EVERYTHING

LEVEL = "mutation ($level: TrackingLevel) { updateSite(input: {trackingLevel: $level}) { id } }"
RESPECT = "mutation { updateSite(input: {respectDoNotTrack: true}) { id } }"
ONLY_WHO_AGREED = "mutation { updateSite(input: {consentRequired: true}) { id } }"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
LEVELS = list(TrackingLevel)


@pytest.mark.parametrize("level", LEVELS)
async def test_a_level_keeps_its_fields_and_no_others(api: Any, level: TrackingLevel) -> None:
    """Of an event with everything, accepted or rejected; what every level keeps is the same."""
    await api.ask(LEVEL, {"level": level})
    other = {"id": "bot", "userAgent": BOT, "orderId": "2"}
    await api.track(
        {"type": "CONVERSION", **EVERYTHING}, {"type": "CONVERSION", **EVERYTHING, **other}
    )
    accepted = await api.database["events"].find_one({})
    rejected = (await api.database["decisions"].find_one({}))["document"]
    for stored in (accepted, rejected):
        found = set(KEPT_FROM) & set(stored)
        may_be = {
            name
            for name, lowest in KEPT_FROM.items()
            if LEVELS.index(lowest) <= LEVELS.index(level)
        }
        assert found <= may_be
        assert may_be - found <= {"region", "city", "device", "browser", "os"}  # not known here
        assert {"item", "visitor", "session", "user", "page", "order", "consent_version"} <= set(
            stored
        )
    assert ("device" in accepted) == (level is not TrackingLevel.MINIMAL)


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
async def test_who_does_not_want_to_be_tracked_is_not(api: Any, header: str) -> None:
    """With respectDoNotTrack nothing is kept but that there was an event, whatever else is wrong with it
    and whatever was agreed to; without the setting, or with another value, the header says nothing."""
    event = {
        "type": "PAGE_VIEW",
        "visitorId": "who",
        "sessionId": "s",
        "userId": "u",
        "itemId": "i",
    }
    refusing = {header: "1"}
    [result] = await api.track(event, headers=refusing)
    assert result["verdict"] == "ACCEPTED"
    await api.ask(RESPECT)
    [result] = await api.track(event, headers={header: "0"})
    assert result["verdict"] == "ACCEPTED"
    await api.database["events"].delete_many({})
    results = await api.track(
        event | {"consentGiven": True},
        event | {"userAgent": BOT},
        event | {"timestamp": "2020-01-01T00:00:00Z"},
        headers=refusing,
    )
    assert [(one["verdict"], one["reason"]) for one in results] == [("REJECTED", "NO_CONSENT")] * 3
    assert await api.database["events"].count_documents({}) == 0
    allowed = {"_id", "site", "event", "type", "verdict", "reason", "message", "rule", "rule_version",
               "received_at"}  # fmt: skip
    async for decision in api.database["decisions"].find({}):
        assert set(decision) <= allowed


async def test_without_consent_nothing_is_kept_for_any_other_reason(api: Any) -> None:
    """A bot, or an event that is too old, would leave a document in the ledger: not without consent."""
    await api.ask(ONLY_WHO_AGREED)
    event = {"type": "PAGE_VIEW", "visitorId": "visitor-1", "sessionId": "s"}
    await api.track(
        event | {"userAgent": BOT}, event | {"timestamp": "2020-01-01T00:00:00Z"}, event
    )
    found = await api.database["decisions"].find({}).to_list(None)
    assert [one["reason"] for one in found] == ["NO_CONSENT"] * 3
    assert "visitor-1" not in str(found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scrollDepth": 500},
        {"position": "first"},
        {"id": "x" * 200},
        {"itemId": ""},
        {"timestamp": "2020-01-01T00:00:00Z"},
    ],
    ids=["value", "unreadable", "id", "missing", "old"],
)
async def test_consent_comes_before_anything_else_that_is_wrong(
    api: Any, wrong: dict[str, Any]
) -> None:
    """What cannot be used is NO_CONSENT where the visitor did not agree, and told as what it is where they
    did; of neither is anything kept that names them."""
    await api.ask(ONLY_WHO_AGREED)
    event = {"type": "CLICK", "itemId": "a", "visitorId": "visitor-1", "id": "their-event", **wrong}
    agreed, refused = await api.track(event | {"consentGiven": True}, event)
    assert agreed["reason"] in ("INVALID", "TIMESTAMP")
    assert refused["reason"] == "NO_CONSENT"
    assert refused["eventId"] == ("their-event" if "id" not in wrong else refused["eventId"])
    assert "x" * 200 not in refused["eventId"]
    found = await api.database["decisions"].find({"reason": "NO_CONSENT"}).to_list(None)
    assert len(found) == 1
    assert "visitor-1" not in str(found)
    assert "their-event" not in str(found)


@pytest.mark.parametrize(
    "purposes",
    [["a"] * 21, [""], ["x" * 65], ["line\nbreak"]],
    ids=["many", "empty", "long", "odd"],
)
async def test_purposes_are_bounded(api: Any, purposes: list[str]) -> None:
    """More than 20, or other than 1 to 64 printable characters, is INVALID and names the field."""
    [result] = await api.track({"type": "PAGE_VIEW", "consentPurposes": purposes})
    assert result["reason"] == "INVALID"
    assert result["message"].startswith("consentPurposes: ")
