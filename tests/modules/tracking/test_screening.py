"""Screening: who is not counted, by whose rule."""

from typing import Any

import pytest

from app.modules.tracking.screening import is_bot
from tests.conftest import OTHER_SITE_KEYS

UPDATE = """mutation ($i: UpdateSiteInput!) { updateSite(input: $i) {
  name timezone currency consentRequired
  excludedTypes excludedItems excludedSources excludedAddresses } }"""
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", True),
        ("facebookexternalhit/1.1", True),
        ("curl/8.5.0", True),
        ("python-requests/2.32.0", True),
        ("Go-http-client/2.0", True),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/130.0.0.0", True),
        (
            "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 PhantomJS/2.1.1 Safari/538.1",
            True,
        ),
        (CHROME, False),
        (SAFARI, False),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", False),
        ("", False),
    ],
)
def test_crawlers_scripts_and_headless_browsers_are_bots(user_agent: str, bot: bool) -> None:
    """By the crawler list and by what headless browsers say of themselves; people's browsers are none."""
    assert is_bot(user_agent) == bot


async def reasons(api: Any, *events: dict[str, Any], **kw: Any) -> list[str | None]:
    return [result["reason"] for result in await api.track(*events, **kw)]


async def test_a_filled_honeypot_is_a_bot(api: Any) -> None:
    """What stands in a field that people cannot see was written by a script; empty means nothing."""
    page = {"type": "PAGE_VIEW"}
    assert await reasons(api, page | {"honeypot": "a@b.c"}, page | {"honeypot": ""}) == [
        "BOT",
        None,
    ]


async def test_consent_where_the_site_requires_it(api: Any) -> None:
    """With consentRequired only consentGiven: true counts; of the others nothing is kept that names anyone."""
    page = {"type": "PAGE_VIEW", "sessionId": "secret-session"}
    assert await reasons(api, page) == [None]
    await api.ask(UPDATE, {"i": {"consentRequired": True}})
    assert await reasons(
        api, page, page | {"consentGiven": False}, page | {"consentGiven": True}
    ) == ["NO_CONSENT", "NO_CONSENT", None]
    decisions = await api.database["decisions"].find({}).to_list(None)
    assert len(decisions) == 2
    assert "secret-session" not in str(decisions)
    assert await reasons(api, page, keys=OTHER_SITE_KEYS) == [None]


async def test_what_the_site_excludes(make_api: Any) -> None:
    """By type, item, source and address, each EXCLUDED with the rule's name; the rest counts."""
    api = await make_api(trusted_proxies="192.0.2.1")
    await api.ask(
        UPDATE,
        {
            "i": {
                "excludedTypes": ["BOUNCE"],
                "excludedItems": ["lot-9"],
                "excludedSources": ["preview"],
                "excludedAddresses": ["198.51.100.0/24", "2001:db8::1"],
            }
        },
    )
    click = {"type": "CLICK", "itemId": "a"}
    assert await reasons(
        api,
        {"type": "BOUNCE", "itemId": "a"},
        click | {"itemId": "lot-9"},
        click | {"source": "preview"},
        click,
    ) == ["EXCLUDED", "EXCLUDED", "EXCLUDED", None]
    for address, reason in (
        ("198.51.100.7", "EXCLUDED"),
        ("2001:db8::1", "EXCLUDED"),
        ("203.0.113.1", None),
    ):
        forwarded = {"X-Forwarded-For": address}
        assert await reasons(api, {"type": "PAGE_VIEW"}, headers=forwarded) == [reason]


@pytest.mark.parametrize(
    ("setting", "together", "apart"),
    [
        ("rate_limit", {}, None),
        ("rate_limit_per_key", {}, None),
        ("rate_limit_per_session", {"sessionId": "s"}, {"sessionId": "t"}),
    ],
)
async def test_rates(make_api: Any, setting: str, together: Any, apart: Any) -> None:
    """By address, by key and by named session: the third of two is RATE_LIMITED, others are not."""
    api = await make_api(**{setting: "2/minute"})
    page = {"type": "PAGE_VIEW", **together}
    assert await reasons(api, page, page, page) == [None, None, "RATE_LIMITED"]
    if apart:
        assert await reasons(api, {"type": "PAGE_VIEW", **apart}) == [None]


async def test_a_rate_limited_event_can_be_released(make_api: Any) -> None:
    """It was valid, so that the ledger keeps what would be counted."""
    api = await make_api(rate_limit="1/minute")
    page = {"type": "PAGE_VIEW"}
    await api.track(page | {"id": "1"}, page | {"id": "2"})
    released = await api.ask('mutation { releaseEvent(eventId: "2") { verdict } }')
    assert released["releaseEvent"]["verdict"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "input.name"),
        ({"name": None}, "input.name"),
        ({"timezone": "Mars/Olympus"}, "input.timezone"),
        ({"timezone": "+25:00"}, "input.timezone"),
        ({"currency": "ZZZ"}, "input.currency"),
        ({"consentRequired": None}, "input.consentRequired"),
        ({"excludedItems": [""]}, "input.excludedItems"),
        ({"excludedSources": ["x"] * 1001}, "input.excludedSources"),
        ({"excludedAddresses": ["office"]}, "input.excludedAddresses"),
        ({"name": "Fine", "excludedAddresses": ["300.1.1.1"]}, "input.excludedAddresses"),
    ],
)
async def test_settings_that_cannot_be_meant_are_refused(
    api: Any, changes: dict[str, Any], field: str
) -> None:
    """BAD_USER_INPUT with the field, and nothing is changed, not even what was right."""
    before = await api.database["sites"].find_one({"_id": "demo"})
    error = await api.refused(UPDATE, {"i": changes})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    assert await api.database["sites"].find_one({"_id": "demo"}) == before


async def test_settings_that_are_left_out_stay(api: Any) -> None:
    """Only what is given changes, for this site only."""
    await api.ask(UPDATE, {"i": {"excludedItems": ["a"], "timezone": "Asia/Kathmandu"}})
    changed = (await api.ask(UPDATE, {"i": {"name": "Shop"}}))["updateSite"]
    assert changed == {
        "name": "Shop",
        "timezone": "Asia/Kathmandu",
        "currency": "EUR",
        "consentRequired": False,
        "excludedTypes": [],
        "excludedItems": ["a"],
        "excludedSources": [],
        "excludedAddresses": [],
    }
    other = await api.ask("{ site { timezone } }", keys=OTHER_SITE_KEYS)
    assert other["site"]["timezone"] == "UTC"
