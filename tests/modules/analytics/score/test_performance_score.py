"""The query `performanceScore`: of an item's or a campaign's events, with everything it is made of."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import NOW, OTHER_SITE_KEYS
from tests.modules.analytics.asking import event, report, store

SCORE = """query ($item: ID, $campaign: ID, $range: RangeInput) {
  performanceScore(itemId: $item, campaignId: $campaign, range: $range) {
    itemId campaignId score label parts { measure value missing weight points }
    sampleSize { events impressions clicks conversions engagedEvents sessions pageViews } } }"""


async def score(api: Any, **arguments: Any) -> Any:
    return (await api.ask(SCORE, arguments))["performanceScore"]


async def some_events() -> None:
    """Of the item i and, the same events, of the campaign c: 4 sessions, of which one bounced."""
    of_both = {"item": "i", "campaign": "c"}
    await store(
        *[event(session=f"{n % 4}", **of_both) for n in range(40)],
        event("CLICK", session="0", **of_both), event("CLICK", session="1", **of_both),
        event("CONVERSION", session="0", **of_both, value="1"),
        event("ENGAGEMENT", session="2", engagement=30_000, **of_both),
        event("ENGAGEMENT", session="2", engagement=10_500, **of_both),
        event("PAGE_VIEW", session="3", **of_both),
        event("PAGE_VIEW", session="0", **of_both),
        # Of something else, or of another time.
        event("CLICK", item="j"), event("CLICK"), event("CLICK", campaign="d", item="j"),
        event("CLICK", at=NOW - timedelta(days=31), **of_both),
        event("CLICK", void={"id": "x"}, **of_both),
    )  # fmt: skip


async def test_an_item_and_a_campaign(api: Any) -> None:
    """Every part with value, weight and points; the points are the score; what it is based on."""
    await some_events()
    found = await score(api, item="i")
    campaign = await score(api, campaign="c")
    assert (found.pop("itemId"), found.pop("campaignId")) == ("i", None)
    assert (campaign.pop("itemId"), campaign.pop("campaignId")) == (None, "c")
    assert found == campaign
    assert found == {
        "score": 15 + 30 + 8.1 + 15,
        "label": "GOOD",
        "parts": [
            {"measure": "CLICK_THROUGH_RATE", "value": 5.0, "missing": False, "weight": 0.3, "points": 15.0},
            {"measure": "CONVERSION_RATE", "value": 50.0, "missing": False, "weight": 0.3, "points": 30.0},
            {"measure": "ENGAGEMENT", "value": 20.25, "missing": False, "weight": 0.2, "points": 8.1},
            {"measure": "BOUNCE_RATE", "value": 25.0, "missing": False, "weight": 0.2, "points": 15.0},
        ],
        "sampleSize": {
            "events": 47, "impressions": 40, "clicks": 2, "conversions": 1, "engagedEvents": 2,
            "sessions": 4, "pageViews": 2,
        },
    }  # fmt: skip
    metrics = (await report(api, filter={"itemId": "i"}))["totals"]
    values = [part["value"] for part in found["parts"]]
    names = ("clickThroughRate", "conversionRate", "bounceRate")
    assert [values[0], values[1], values[3]] == [metrics[name] for name in names]
    assert values[2] * 1_000 == metrics["averageEngagement"]
    everything = await score(api, item="i", range={"preset": "ALL"})
    assert everything["sampleSize"]["clicks"] == 3


async def test_what_nobody_saw_scores_nothing(api: Any) -> None:
    """Without events all values are missing, and none of them gives points: the bounce rate neither."""
    found = await score(api, item="nothing")
    assert (found["score"], found["label"]) == (0.0, "POOR")
    for part in found["parts"]:
        assert (part["value"], part["missing"], part["points"]) == (None, True, 0.0)
    assert set(found["sampleSize"].values()) == {0}


async def test_sessions_without_page_views_have_not_bounced(api: Any) -> None:
    """As in Metrics their bounce rate is 0, which gives its points; the sample shows why."""
    await store(event(item="i"))
    found = await score(api, item="i")
    assert (found["score"], found["label"]) == (20.0, "POOR")
    assert [part["missing"] for part in found["parts"]] == [False, True, True, False]
    assert (found["sampleSize"]["sessions"], found["sampleSize"]["pageViews"]) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "itemId"),
        ({"item": "i", "campaign": "c"}, "itemId"),
        ({"item": None, "campaign": None}, "itemId"),
        ({"item": ""}, "itemId"),
        ({"campaign": ""}, "campaignId"),
        ({"item": "x" * 257}, "itemId"),
        ({"campaign": "x" * 257}, "campaignId"),
        ({"campaign": "\x00"}, "campaignId"),
        ({"item": "i", "range": {"end": "2026-06-01"}}, "range.start"),
    ],
)
async def test_bad_arguments(api: Any, arguments: Any, field: str) -> None:
    """Exactly one of item and campaign, and a usable one."""
    error = await api.refused(SCORE, arguments)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


async def test_only_keys_that_read_see_their_own_site(api: Any) -> None:
    """A write key learns nothing, and another site's key sees an item without events."""
    await some_events()
    error = await api.refused(SCORE, {"item": "i"}, scope=Scope.WRITE)
    assert error["extensions"]["code"] == "FORBIDDEN"
    for arguments in ({"item": "i"}, {"campaign": "c"}):
        other = await api.ask(SCORE, arguments, keys=OTHER_SITE_KEYS, scope=Scope.READ)
        assert other["performanceScore"]["sampleSize"]["events"] == 0
