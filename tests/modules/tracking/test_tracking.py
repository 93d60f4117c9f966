"""Tracking through the API, on a real mongod: what is stored, and what callers are told."""

import asyncio
from typing import Any

import pytest

from app.core.auth import Scope
from app.modules.tracking.preparation import Preparation

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
MUTATIONS = {
    "trackImpression": "IMPRESSION",
    "trackView": "VIEW",
    "trackClick": "CLICK",
    "trackConversion": "CONVERSION",
    "trackEngagement": "ENGAGEMENT",
    "trackPageView": "PAGE_VIEW",
}

EVERYTHING = {
    "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "itemId": "lot-1",
    "sessionId": "session",
    "visitorId": "visitor",
    "userId": "user",
    "timestamp": "2026-06-15T11:59:00.123Z",
    "source": "search",
    "position": 3,
    "pageUrl": "https://shop.example/lots?q=secret&utm_source=news&utm_medium=mail#top",
    "pageTitle": "Lots",
    "referrer": "https://www.google.com/search?q=secret",
    "userAgent": FIREFOX,
    "language": "de-CH",
    "timezone": "Europe/Zurich",
    "screenResolution": "1920x1080",
    "viewportSize": "1280x720",
    "campaignId": "spring",
    "utmSource": "override",
    "engagementDuration": 1500,
    "scrollDepth": 80,
    "clickPosition": {"x": 1.5, "y": 2},
    "viewportPosition": {"top": 10, "left": 20},
    "conversionType": "purchase",
    "conversionValue": "19.90",
    "conversionCurrency": "CHF",
    "orderId": "order-1",
    "experimentId": "colour",
    "variant": "B",
    "consentGiven": True,
    "dataProcessingConsent": False,
    "consentVersion": "2026-03",
    "consentPurposes": ["analytics"],
    "properties": {"size": "XL"},
}


async def events(api: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.database["events"].find({}).sort("_id").to_list(None)
    return found


@pytest.mark.parametrize(("mutation", "event_type"), MUTATIONS.items())
async def test_every_tracking_mutation_stores_its_type(
    api: Any, mutation: str, event_type: str
) -> None:
    """Each mutation answers ACCEPTED with an event id, and one event of its type is stored."""
    data = await api.ask(
        f'mutation {{ {mutation}(input: {{itemId: "a"}}) {{ verdict eventId reason message }} }}',
        scope=Scope.WRITE,
    )
    result = data[mutation]
    assert (result["verdict"], result["reason"], result["message"]) == ("ACCEPTED", None, None)
    [event] = await events(api)
    assert (event["type"], event["_id"]) == (event_type, f"demo:{result['eventId']}")


async def test_track_event_takes_any_type(api: Any) -> None:
    """trackEvent with CUSTOM stores the name."""
    await api.ask('mutation { trackEvent(input: {type: CUSTOM, name: "add_to_cart"}) { verdict } }')
    [event] = await events(api)
    assert (event["type"], event["name"]) == ("CUSTOM", "add_to_cart")


async def test_every_field_is_stored_as_it_should_be(api: Any) -> None:
    """Fields arrive under their names; addresses, query strings and user agents do not."""
    await api.ask("mutation { updateSite(input: {trackingLevel: DETAILED}) { id } }")
    await api.track({"type": "CONVERSION", **EVERYTHING})
    [event] = await events(api)
    assert str(event.pop("value")) == "19.90"
    assert event.pop("at").isoformat() == "2026-06-15T11:59:00.123000+00:00"
    assert event.pop("received_at") == api.clock.now()
    assert event == {
        "_id": "demo:7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "site": "demo",
        "type": "CONVERSION",
        "item": "lot-1",
        "session": "session",
        "visitor": "visitor",
        "user": "user",
        "source": "search",
        "position": 3,
        "page": "https://shop.example/lots",
        "page_title": "Lots",
        "referrer": "google.com",
        "device": "desktop",
        "browser": "Firefox",
        "os": "Linux",
        "language": "de-CH",
        "timezone": "Europe/Zurich",
        "screen": "1920x1080",
        "viewport": "1280x720",
        "campaign": "spring",
        "utm_source": "override",
        "utm_medium": "mail",
        "engagement": 1500,
        "scroll_depth": 80,
        "click_position": {"x": 1.5, "y": 2.0},
        "viewport_position": {"top": 10.0, "left": 20.0},
        "conversion_type": "purchase",
        "currency": "CHF",
        "order": "order-1",
        "experiment": "colour",
        "variant": "B",
        "consent": True,
        "processing_consent": False,
        "consent_version": "2026-03",
        "consent_purposes": ["analytics"],
        "properties": {"size": "XL"},
    }


async def test_results_answer_events_in_their_order(api: Any) -> None:
    """A batch of every kind of ending: results[i] is of events[i], and the counts add up."""
    data = await api.ask(
        """mutation ($i: BatchInput!) { trackBatch(input: $i) {
             accepted duplicates rejected results { verdict reason eventId } } }""",
        {
            "i": {
                "batchId": "b-1",
                "events": [
                    {"type": "CLICK", "itemId": "a", "sessionId": "s", "id": "1"},
                    {"type": "CLICK", "itemId": "a", "sessionId": "s", "id": "2"},
                    {"type": "CLICK", "itemId": "b", "sessionId": "s", "id": "1"},
                    {"type": "CLICK", "id": "4"},
                    {"type": "CLICK", "itemId": "c", "userAgent": GOOGLEBOT, "id": "5"},
                    {"type": "CLICK", "itemId": "c", "sessionId": "s", "id": "6"},
                ],
            }
        },
    )
    batch = data["trackBatch"]
    assert (batch["accepted"], batch["duplicates"], batch["rejected"]) == (2, 2, 2)
    assert [(r["eventId"], r["reason"]) for r in batch["results"]] == [
        ("1", None),
        ("2", "COOLDOWN"),
        ("1", "REPLAYED"),
        ("4", "INVALID"),
        ("5", "BOT"),
        ("6", None),
    ]
    assert [event["batch"] for event in await events(api)] == ["b-1", "b-1"]


async def test_a_replayed_id_changes_nothing(api: Any) -> None:
    """The same id later, with other content: DUPLICATE, REPLAYED; the stored event is untouched."""
    first = {"type": "CONVERSION", "id": "e-1", "conversionValue": "5"}
    await api.track(first)
    before = await events(api)
    api.clock.advance(hours=2)
    [again] = await api.track({**first, "conversionValue": "500"})
    assert (again["verdict"], again["reason"], again["eventId"]) == ("DUPLICATE", "REPLAYED", "e-1")
    assert await events(api) == before


async def test_the_same_id_on_another_site_is_another_event(api: Any) -> None:
    """Ids are of a site: two sites never collide."""
    from tests.conftest import OTHER_SITE_KEYS

    event = {"type": "PAGE_VIEW", "id": "e-1"}
    [ours] = await api.track(event)
    [theirs] = await api.track(event, keys=OTHER_SITE_KEYS)
    assert (ours["verdict"], theirs["verdict"]) == ("ACCEPTED", "ACCEPTED")


async def test_an_order_counts_once(api: Any) -> None:
    """A second conversion of the same order is a DUPLICATE, in one batch and later; clicks may share it."""
    order = {"type": "CONVERSION", "orderId": "o-1", "conversionValue": "10"}
    first, second = await api.track(order | {"id": "counted"}, order)
    [third] = await api.track(order)
    [click] = await api.track({"type": "CLICK", "itemId": "a", "orderId": "o-1"})
    assert [r["verdict"] for r in (first, second, third, click)] == [
        "ACCEPTED",
        "DUPLICATE",
        "DUPLICATE",
        "ACCEPTED",
    ]
    assert second["reason"] == "REPLAYED"
    assert "orderId" in second["message"]
    assert await api.database["decisions"].distinct("stands_for") == ["counted"]


async def test_an_amount_without_currency_is_of_the_sites(api: Any) -> None:
    """The site's currency is stored with the amount, so that changing it later changes no history."""
    await api.database["sites"].update_one({"_id": "demo"}, {"$set": {"currency": "JPY"}})
    await api.track({"type": "CONVERSION", "conversionValue": "100"})
    [event] = await events(api)
    assert event["currency"] == "JPY"


async def test_bots_are_rejected(api: Any) -> None:
    """A crawler's user agent, given by the caller or sent by a browser, is BOT."""
    [given] = await api.track({"type": "PAGE_VIEW", "userAgent": GOOGLEBOT})
    [sent] = await api.track(
        {"type": "PAGE_VIEW"}, headers={"User-Agent": GOOGLEBOT, "Origin": "https://shop.example"}
    )
    assert (given["reason"], sent["reason"]) == ("BOT", "BOT")
    assert await events(api) == []


async def test_a_backends_own_client_is_no_bot(api: Any) -> None:
    """Without Origin or Sec-Fetch-* the User-Agent header is the backend's, and says nothing."""
    [result] = await api.track(
        {"type": "PAGE_VIEW"}, headers={"User-Agent": "python-requests/2.32"}
    )
    assert result["verdict"] == "ACCEPTED"
    [event] = await events(api)
    assert "browser" not in event


async def test_a_browsers_user_agent_is_read(api: Any) -> None:
    """With Sec-Fetch-* the User-Agent header is the visitor's."""
    await api.track(
        {"type": "PAGE_VIEW"}, headers={"User-Agent": FIREFOX, "Sec-Fetch-Mode": "cors"}
    )
    [event] = await events(api)
    assert (event["browser"], event["os"], event["device"]) == ("Firefox", "Linux", "desktop")


async def test_one_address_may_send_so_many(make_api: Any) -> None:
    """Beyond FOOTFALL_RATE_LIMIT events are RATE_LIMITED; other addresses and later minutes are not."""
    api = await make_api(rate_limit="3/minute", trusted_proxies="192.0.2.0/24")
    event = {"type": "PAGE_VIEW"}
    results = await api.track(*[event] * 5, headers={"X-Forwarded-For": "198.51.100.7"})
    assert [r["reason"] for r in results] == [None, None, None, "RATE_LIMITED", "RATE_LIMITED"]
    [other] = await api.track(event, headers={"X-Forwarded-For": "198.51.100.8"})
    assert other["verdict"] == "ACCEPTED"


async def test_what_is_not_counted_is_in_the_ledger(api: Any) -> None:
    """Every DUPLICATE and REJECTED event leaves a record with reason, rule and what stands for it."""
    await api.track(
        {"type": "CLICK", "itemId": "a", "sessionId": "s", "id": "1"},
        {"type": "CLICK", "itemId": "a", "sessionId": "s", "id": "2"},
        {"type": "CLICK", "itemId": "a", "userAgent": GOOGLEBOT, "id": "3"},
    )
    decisions = await api.database["decisions"].find({}).sort("event").to_list(None)
    assert [(d["event"], d["verdict"], d["reason"], d["rule"]) for d in decisions] == [
        ("2", "DUPLICATE", "COOLDOWN", "cooldown"),
        ("3", "REJECTED", "BOT", "bot"),
    ]
    assert decisions[0]["stands_for"] == "1"
    assert all(decision["rule_version"] == 1 for decision in decisions)


async def test_clean_old_events(api: Any) -> None:
    """What is older goes, what is younger or of another site stays, and the answer counts it."""
    from tests.conftest import OTHER_SITE_KEYS

    old, new = "2026-06-01T00:00:00Z", "2026-06-14T00:00:00Z"
    await api.track(
        {"type": "IMPRESSION", "itemId": "a", "timestamp": old},
        {"type": "IMPRESSION", "itemId": "b", "timestamp": old},
        {"type": "CLICK", "itemId": "a", "timestamp": old},
        {"type": "PAGE_VIEW", "timestamp": old},
        {"type": "CLICK", "itemId": "a", "timestamp": new},
    )
    await api.track({"type": "CLICK", "itemId": "a", "timestamp": old}, keys=OTHER_SITE_KEYS)
    mutation = "mutation ($d: Int) { cleanOldEvents(daysToKeep: $d) { events impressions clicks } }"
    data = await api.ask(mutation, {"d": 7})
    assert data["cleanOldEvents"] == {"events": 4, "impressions": 2, "clicks": 1}
    assert await api.database["events"].count_documents({}) == 2
    data = await api.ask(mutation, {"d": None})
    assert data["cleanOldEvents"]["events"] == 0
    assert (await api.refused(mutation, {"d": -1}))["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await api.refused(mutation, {"d": 7}, scope=Scope.WRITE))["extensions"][
        "code"
    ] == "FORBIDDEN"


async def test_a_batch_that_takes_long_lets_others_go_on(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the events of a batch that is slow to prepare, other requests have their turn."""
    order: list[str] = []
    prepare = Preparation.prepare

    def noted(self: Preparation, *arguments: Any) -> Any:
        order.append("event")
        return prepare(self, *arguments)

    async def others() -> None:
        while order.count("event") < 5:
            order.append("other")
            await asyncio.sleep(0)

    monkeypatch.setattr(Preparation, "prepare", noted)
    monkeypatch.setattr("app.modules.tracking.service.LONGEST_TURN_SECONDS", 0)
    await asyncio.gather(api.track(*[{"type": "PAGE_VIEW"}] * 5), others())
    between = order[order.index("event") : len(order) - order[::-1].index("event")]
    assert between.count("other") >= 4
