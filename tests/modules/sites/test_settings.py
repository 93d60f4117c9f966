"""The settings of a site: what they may be, and that they count."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import NOW, OTHER_SITE_KEYS

FIELDS = """id name timezone currency allowedOrigins consentRequired respectDoNotTrack trackingLevel
  privateData keepCity requireItemToken sampleOneIn sessionEndsOnNewSource impressionCooldown
  clickCooldown retention { type days } excludedTypes excludedItems excludedSources
  excludedAddresses"""
SITE = f"{{ site {{ {FIELDS} }} }}"
UPDATE = f"""mutation ($input: UpdateSiteInput!) {{ updateSite(input: $input) {{ {FIELDS} }} }}"""

# Every setting, a value for it, and what is answered where that is not the value itself.
GOOD: list[tuple[str, Any, Any]] = [
    ("name", "A shop", None),
    ("timezone", "Asia/Kathmandu", None),
    ("currency", "NPR", None),
    ("allowedOrigins", ["https://shop.example", "http://localhost:3000"], ["http://localhost:3000", "https://shop.example"]),
    ("allowedOrigins", ["HTTPS://Shop.Example:443/", "https://shop.example"], ["https://shop.example"]),
    ("allowedOrigins", ["*"], None),
    ("allowedOrigins", [], None),
    ("consentRequired", True, None),
    ("respectDoNotTrack", True, None),
    ("trackingLevel", "MINIMAL", None),
    ("trackingLevel", "DETAILED", None),
    ("privateData", "KEEP", None),
    ("keepCity", True, None),
    ("requireItemToken", True, None),
    ("sampleOneIn", 1_000, None),
    ("sessionEndsOnNewSource", True, None),
    ("impressionCooldown", 0, None),
    ("impressionCooldown", 86_400, None),
    ("clickCooldown", 0.5, None),
    ("clickCooldown", None, None),
    ("retention", [{"type": "CLICK", "days": 90}, {"type": "VIEW", "days": 1}], None),
    ("retention", [], None),
    ("excludedTypes", ["VIEW", "CLICK", "VIEW"], ["CLICK", "VIEW"]),
    ("excludedItems", ["b", "a"], ["a", "b"]),
    ("excludedSources", ["test"], None),
    ("excludedAddresses", ["192.0.2.0/24", "2001:db8::1"], None),
]  # fmt: skip

BAD: list[tuple[str, Any, str]] = [
    ("name", "", "name"),
    ("name", "   ", "name"),
    ("name", "a\nb", "name"),
    ("name", "x" * 101, "name"),
    ("name", None, "name"),
    ("timezone", "+25:00", "timezone"),
    ("timezone", "Mars/Olympus", "timezone"),
    ("currency", "eur", "currency"),
    ("allowedOrigins", ["https://shop.example/path"], "allowedOrigins"),
    ("allowedOrigins", ["shop.example"], "allowedOrigins"),
    ("allowedOrigins", ["javascript:alert(1)"], "allowedOrigins"),
    ("allowedOrigins", ["https://*.shop.example"], "allowedOrigins"),
    ("allowedOrigins", ["null"], "allowedOrigins"),
    ("allowedOrigins", [""], "allowedOrigins"),
    ("allowedOrigins", [f"https://a{n}.example" for n in range(101)], "allowedOrigins"),
    ("consentRequired", None, "consentRequired"),
    ("trackingLevel", None, "trackingLevel"),
    ("sampleOneIn", 0, "sampleOneIn"),
    ("sampleOneIn", 1_001, "sampleOneIn"),
    ("impressionCooldown", -1, "impressionCooldown"),
    ("impressionCooldown", 86_401, "impressionCooldown"),
    ("clickCooldown", 1e300, "clickCooldown"),
    ("retention", None, "retention"),
    ("retention", [{"type": "CLICK", "days": 0}], "retention[0].days"),
    ("retention", [{"type": "CLICK", "days": 24_801}], "retention[0].days"),
    ("retention", [{"type": "CLICK", "days": 91}], "retention"),
    ("retention", [{"type": "VIEW", "days": 1}] * 2, "retention[1].type"),
    ("excludedItems", ["a"] * 1_001, "excludedItems"),
    ("excludedItems", ["x" * 257], "excludedItems"),
    ("excludedAddresses", ["192.0.2.256"], "excludedAddresses"),
    ("excludedAddresses", ["example.com"], "excludedAddresses"),
]


async def test_every_setting_can_be_changed(api: Any) -> None:
    """The answer and later ones have the new value, and nothing else has changed."""
    site = (await api.ask(SITE))["site"]
    for name, value, answered in GOOD:
        expected = value if answered is None else answered
        changed = (await api.ask(UPDATE, {"input": {name: value}}))["updateSite"]
        site |= {name: expected}
        assert changed == site, name
        assert (await api.ask(SITE))["site"] == site, name
    assert {name for name, _, _ in GOOD} == set(site) - {"id"}


async def test_settings_that_cannot_be_are_refused(api: Any) -> None:
    """Naming the field and repeating no value; nothing is changed, the good ones beside it neither."""
    site = (await api.ask(SITE))["site"]
    for name, value, field in BAD:
        refused = await api.refused(UPDATE, {"input": {"keepCity": True, name: value}})
        assert refused["extensions"] == {
            "code": "BAD_USER_INPUT",
            "field": f"input.{field}",
        }, (name, value)
    assert (await api.ask(SITE))["site"] == site


async def test_settings_are_of_one_site(api: Any) -> None:
    """Another site keeps its own."""
    theirs = (await api.ask(SITE, keys=OTHER_SITE_KEYS))["site"]
    await api.ask(UPDATE, {"input": {"consentRequired": True, "clickCooldown": 60}})
    assert (await api.ask(SITE, keys=OTHER_SITE_KEYS))["site"] == theirs


async def clicks(api: Any, *seconds: float, **kw: Any) -> list[str | None]:
    """Why clicks of one item and session so long after NOW do not count; None where they do."""
    results = await api.track(
        *(
            {
                "type": "CLICK",
                "itemId": "a",
                "sessionId": "s",
                "timestamp": (NOW + timedelta(seconds=s)).isoformat(),
            }
            for s in seconds
        ),
        **kw,
    )
    return [result["reason"] for result in results]


async def test_a_site_may_have_cooldowns_of_its_own(api: Any) -> None:
    """Longer, shorter, none, and the instance's again; impressions and clicks apart."""
    assert await clicks(api, 0, 4, 6) == [None, "COOLDOWN", None]
    await api.ask(UPDATE, {"input": {"clickCooldown": 60}})
    assert await clicks(api, 100, 159, 161) == [None, "COOLDOWN", None]
    assert await clicks(api, 200, 206, keys=OTHER_SITE_KEYS) == [None, None]
    await api.ask(UPDATE, {"input": {"clickCooldown": 0}})
    assert await clicks(api, -300, -300, -299.5) == [None, None, None]
    await api.ask(UPDATE, {"input": {"clickCooldown": None, "impressionCooldown": 3_600}})
    assert await clicks(api, -400, -396, -394) == [None, "COOLDOWN", None]


async def test_what_is_released_is_held_to_the_sites_cooldown(api: Any) -> None:
    """As any other event is."""
    excluded = {"input": {"excludedTypes": ["CLICK"], "clickCooldown": 60}}
    await api.ask(UPDATE, excluded)
    late = {"type": "CLICK", "id": "late", "itemId": "a", "sessionId": "s"}
    [result] = await api.track({**late, "timestamp": (NOW + timedelta(seconds=50)).isoformat()})
    assert result["reason"] == "EXCLUDED"
    await api.ask(UPDATE, {"input": {"excludedTypes": []}})
    assert await clicks(api, 0) == [None]
    release = 'mutation { releaseEvent(eventId: "late") { verdict reason } }'
    released = (await api.ask(release))["releaseEvent"]
    assert released == {"verdict": "DUPLICATE", "reason": "COOLDOWN"}


@pytest.mark.parametrize("scope", [Scope.WRITE, Scope.READ])
async def test_only_admins_change_settings(api: Any, scope: Scope) -> None:
    """FORBIDDEN for the others."""
    refused = await api.refused(UPDATE, {"input": {"keepCity": True}}, scope=scope)
    assert refused["extensions"]["code"] == "FORBIDDEN"
