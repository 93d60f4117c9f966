"""Headers that say that a request comes from somewhere else: only a trusted proxy is believed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Api, api_maker

SPOOFED: list[dict[str, str]] = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-For": "203.0.113.9, 198.51.100.1, 10.0.0.1"},
    {"X-Forwarded-For": ", ".join(["203.0.113.9"] * 400)},
    {"X-Forwarded-For": "nobody"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Real-IP": "203.0.113.9"},
    {"Forwarded": 'for="[2001:db8::9]";proto=https;host=evil.example'},
    {"True-Client-IP": "203.0.113.9"},
    {"CF-Connecting-IP": "203.0.113.9"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Host": "evil.example"},
]
IMPRESSION = {"type": "IMPRESSION", "itemId": "lot-1"}


@pytest_asyncio.fixture(scope="module")
async def api(mongo_url: str, database_name: str) -> AsyncIterator[Any]:
    """One application, whose requests come from 192.0.2.1; no proxy is trusted."""
    async with api_maker(mongo_url, database_name) as make:
        made = await make()
        await made.track(IMPRESSION)
        yield made


@pytest.mark.parametrize("headers", SPOOFED, ids=str)
async def test_nobody_becomes_another_visitor(api: Api, headers: dict[str, str]) -> None:
    """The same impression again is within the cooldown, wherever it says that it comes from."""
    [result] = await api.track(IMPRESSION, headers=headers)
    assert (result["verdict"], result["reason"]) == ("DUPLICATE", "COOLDOWN")
    assert await api.database["events"].count_documents({}) == 1


@pytest.mark.parametrize("headers", SPOOFED, ids=str)
async def test_nobody_gets_around_an_exclusion(make_api: Any, headers: dict[str, str]) -> None:
    """What a site excludes by its address stays excluded."""
    api = await make_api()
    await api.ask('mutation { updateSite(input: {excludedAddresses: ["192.0.2.0/24"]}) { id } }')
    [result] = await api.track(IMPRESSION, headers=headers)
    assert result["reason"] == "EXCLUDED"


@pytest.mark.parametrize(
    ("forwarded", "counted"),
    [
        ("192.0.2.77", 0),
        ("203.0.113.9", 1),
        ("192.0.2.77, 203.0.113.9", 1),  # the visitor's own proxy may say anything
        ("203.0.113.9, 192.0.2.77", 0),
        ("nobody", 1),
    ],
)
async def test_a_trusted_proxy_is_believed_for_the_last_address(
    make_api: Any, forwarded: str, counted: int
) -> None:
    """The one that it has seen itself, and none that the client wrote before it."""
    api = await make_api(trusted_proxies="192.0.2.1")
    await api.ask('mutation { updateSite(input: {excludedAddresses: ["192.0.2.77"]}) { id } }')
    await api.track(IMPRESSION, headers={"X-Forwarded-For": forwarded})
    assert await api.database["events"].count_documents({}) == counted
