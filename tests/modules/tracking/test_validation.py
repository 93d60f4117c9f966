"""Validation: every field has a bound, and the reason names it."""

import math
from datetime import timedelta
from typing import Any

import pytest

GOOD = {"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s-0"}

# What is sent beside GOOD, and the field that the message must name.
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"itemId": None}, "itemId"),
    ({"itemId": ""}, "itemId"),
    ({"itemId": "x" * 257}, "itemId"),
    ({"itemId": "a\x00b"}, "itemId"),
    ({"type": "VIEW", "itemId": None}, "itemId"),
    ({"type": "CLICK", "itemId": None}, "itemId"),
    ({"type": "ENGAGEMENT", "itemId": None}, "itemId"),
    ({"type": "BOUNCE", "itemId": None}, "itemId"),
    ({"type": "CUSTOM"}, "name"),
    ({"type": "CUSTOM", "name": "x" * 101}, "name"),
    ({"type": "NO_SUCH_TYPE"}, "type"),
    ({"id": "x" * 129}, "id"),
    ({"id": "a\nb\x07"}, "id"),
    ({"sessionId": "x" * 257}, "sessionId"),
    ({"visitorId": "x" * 257}, "visitorId"),
    ({"userId": "x" * 257}, "userId"),
    ({"source": "x" * 257}, "source"),
    ({"source": 5}, "source"),
    ({"position": 0}, "position"),
    ({"position": -1}, "position"),
    ({"position": 1.5}, "position"),
    ({"position": "first"}, "position"),
    ({"position": 2**31}, "position"),
    ({"pageUrl": "https://shop.example/" + "x" * 2048}, "pageUrl"),
    ({"pageUrl": "javascript:alert(1)"}, "pageUrl"),
    ({"pageUrl": " JavaScript:alert(1)"}, "pageUrl"),
    ({"pageUrl": "https://shop.example:99999/"}, "pageUrl"),
    ({"pageUrl": "https://[::1/"}, "pageUrl"),
    ({"referrer": "data:text/html,x"}, "referrer"),
    ({"pageTitle": "x" * 513}, "pageTitle"),
    ({"userAgent": "x" * 2049}, "userAgent"),
    ({"language": "not a language"}, "language"),
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"timezone": "+25:00"}, "timezone"),
    ({"screenResolution": "wide"}, "screenResolution"),
    ({"viewportSize": "1280*720"}, "viewportSize"),
    ({"campaignId": "x" * 257}, "campaignId"),
    ({"utmSource": "x" * 257}, "utmSource"),
    ({"utmTerm": "a\x00"}, "utmTerm"),
    ({"engagementDuration": -1}, "engagementDuration"),
    ({"engagementDuration": 1_800_001}, "engagementDuration"),
    ({"scrollDepth": -1}, "scrollDepth"),
    ({"scrollDepth": 101}, "scrollDepth"),
    ({"clickPosition": {"x": 1e7, "y": 0}}, "clickPosition.x"),
    ({"clickPosition": {"x": 1}}, "clickPosition"),
    ({"viewportPosition": {"top": 0, "left": -1e9}}, "viewportPosition.left"),
    ({"conversionType": "x" * 101}, "conversionType"),
    ({"conversionValue": "-1"}, "conversionValue"),
    ({"conversionValue": "1e16"}, "conversionValue"),
    ({"conversionValue": "NaN"}, "conversionValue"),
    ({"conversionValue": "Infinity"}, "conversionValue"),
    ({"conversionValue": "twelve"}, "conversionValue"),
    ({"conversionCurrency": "euro"}, "conversionCurrency"),
    ({"conversionCurrency": "ZZZ"}, "conversionCurrency"),
    ({"orderId": "x" * 257}, "orderId"),
    ({"experimentId": "x" * 101}, "experimentId"),
    ({"variant": "x" * 101}, "variant"),
    ({"consentGiven": "yes"}, "consentGiven"),
    ({"properties": "text"}, "properties"),
    ({"properties": [1]}, "properties"),
    ({"properties": {"$where": 1}}, "properties"),
    ({"properties": {"a.b": 1}}, "properties"),
    ({"properties": {"": 1}}, "properties"),
    ({"properties": {"a\x00": 1}}, "properties"),
    ({"properties": {"a": "b\x00"}}, "properties"),
    ({"properties": {"a": 2**63}}, "properties"),
    ({"properties": {"a": "x" * 10_241}}, "properties"),
    ({"properties": {"a": {"b": {"c": {"d": {}}}}}}, "properties"),
    ({"properties": {"a": [{"$set": 1}]}}, "properties"),
    ({"properties": {str(n): n for n in range(101)}}, "properties"),
    ({"timestamp": "yesterday"}, "timestamp"),
    ({"timestamp": 1_700_000_000}, "timestamp"),
    ({"noSuchField": 1}, "noSuchField"),
]


@pytest.mark.parametrize(("change", "field"), INVALID, ids=lambda value: str(value)[:40])
async def test_a_bad_field_is_named_and_its_neighbour_counts(
    api: Any, change: dict[str, Any], field: str
) -> None:
    """INVALID with the field's name and without its value; the event beside it is stored."""
    bad, good = await api.track({**GOOD, **change}, {**GOOD, "itemId": "neighbour"})
    assert (bad["verdict"], bad["reason"]) == ("REJECTED", "INVALID")
    assert field in bad["message"]
    sent = [str(value) for name, value in change.items() if name == field]
    assert not [text for text in sent if len(text) > 5 and text in bad["message"]]
    assert good["verdict"] == "ACCEPTED"
    assert await api.database["events"].count_documents({}) == 1
    [decision] = await api.database["decisions"].find({}).to_list(None)
    assert (decision["verdict"], decision["reason"]) == ("REJECTED", "INVALID")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "any id will do, not only a UUID"},
        {"itemId": "日本語 🎉"},
        {"itemId": 42},
        {"source": ""},
        {"pageUrl": "/lots/1?page=2#top"},
        {"pageUrl": "app://lots/1"},
        {"referrer": "www.example.com"},
        {"referrer": ""},
        {"language": "zh-Hant-TW"},
        {"timezone": "America/Argentina/ComodRivadavia"},
        {"engagementDuration": 1_800_000},
        {"scrollDepth": 0},
        {"conversionValue": "0.1"},
        {"conversionValue": 12},
        {"conversionCurrency": "JPY"},
        {"properties": {}},
        {"properties": {"a": {"b": {"c": [1, 2.5, None, True, "x"]}}}},
        {"pageTitle": "Lines\nand\ttabs"},
    ],
    ids=str,
)
async def test_what_is_within_the_bounds_counts(api: Any, change: dict[str, Any]) -> None:
    """Unusual values that are allowed are stored."""
    [result] = await api.track({**GOOD, **change})
    assert result["verdict"] == "ACCEPTED", result["message"]


@pytest.mark.parametrize("event_type", ["CONVERSION", "PAGE_VIEW"])
async def test_only_item_events_need_an_item(api: Any, event_type: str) -> None:
    """A conversion or a page view may go without an item."""
    [result] = await api.track({"type": event_type})
    assert result["verdict"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(301, "TIMESTAMP"), (300, None), (-90 * 86_400 - 1, "TIMESTAMP"), (-90 * 86_400, None)],
)
async def test_times_outside_tolerance_and_retention(
    api: Any, seconds: int, reason: str | None
) -> None:
    """Beyond 5 minutes ahead and 90 days back: TIMESTAMP; on the very edge: counted."""
    at = api.clock.now() + timedelta(seconds=seconds)
    [result] = await api.track({**GOOD, "timestamp": at.isoformat()})
    assert result["reason"] == reason


async def test_retention_0_takes_any_age(make_api: Any) -> None:
    """With FOOTFALL_DATA_RETENTION_DAYS=0 nothing is too old."""
    api = await make_api(data_retention_days=0)
    [result] = await api.track({**GOOD, "timestamp": "1999-12-31T23:59:59Z"})
    assert result["verdict"] == "ACCEPTED"


async def test_numbers_that_are_not_finite_never_get_in(api: Any) -> None:
    """JSON has no NaN: such a body is refused whole; 1e999 as a literal is INVALID."""
    body = '{"query": "mutation { x }", "variables": {"a": NaN}}'
    response = await api.http.post(
        "/graphql", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code == 400
    answer = await api.post(
        'mutation { trackClick(input: {itemId: "a", clickPosition: {x: 1e999, y: 0}}) '
        "{ verdict reason message } }"
    )
    assert answer["data"]["trackClick"]["reason"] == "INVALID"
    assert not math.isfinite(float("1e999"))
    assert await api.database["events"].count_documents({}) == 0


@pytest.mark.parametrize("count", [0, 1001])
async def test_batches_have_1_to_1000_events(api: Any, count: int) -> None:
    """An empty batch or one too large is refused whole, naming the field."""
    error = await api.refused(
        "mutation ($i: BatchInput!) { trackBatch(input: $i) { accepted } }",
        {"i": {"events": [GOOD] * count}},
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["field"] == "input.events"
    assert await api.database["events"].count_documents({}) == 0


async def test_a_whole_batch_of_unreadable_events_is_answered_one_by_one(api: Any) -> None:
    """Not an object, null, nothing at all: each has its own INVALID, and its id where it has one."""
    results = await api.track(
        *[5, "text", {}, {"id": "mine"}, {"id": "also", "type": "CLICK", "itemId": {}}]
    )
    assert [result["reason"] for result in results] == ["INVALID"] * 5
    assert [result["eventId"] for result in results[3:]] == ["mine", "also"]


async def test_a_single_call_with_an_unreadable_value_is_a_graphql_error(api: Any) -> None:
    """What GraphQL itself cannot read in a single call is BAD_USER_INPUT with the field, not the value."""
    error = await api.refused(
        "mutation ($i: TrackInput!) { trackClick(input: $i) { verdict } }",
        {"i": {"itemId": "a", "position": "SECRET"}},
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "i.position"}
    assert "SECRET" not in error["message"]
