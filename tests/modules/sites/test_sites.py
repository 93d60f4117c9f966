"""Sites and their settings."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from mongomock_motor import AsyncMongoMockClient

from app.core.auth import SITE_SCOPES, Scope
from app.core.clock import FixedClock
from app.core.config import Settings
from app.core.database import prepare
from app.core.errors import BadInputError
from app.modules.sites.service import SiteService
from app.repositories.sites import SiteRepository
from app.schemas import Site
from tests.conftest import KEYS, NOW, OTHER_SITE_KEYS


@pytest_asyncio.fixture
async def sites() -> AsyncIterator[SiteService]:
    """The service on mongomock, with one site."""
    await prepare(AsyncMongoMockClient()["sites"], (Site,))
    settings = Settings(_env_file=None, currency="CHF")
    service = SiteService(SiteRepository(), settings, FixedClock(NOW))
    await service.ensure_site("shop", "The shop")
    yield service


async def test_a_site_is_made_once(sites: SiteService) -> None:
    """Making it again changes nothing; a new site has the currency of the settings."""
    assert not await sites.ensure_site("shop", "Another name")
    site = await sites.get("shop")
    assert (site.name, site.currency, site.timezone) == ("The shop", "CHF", "UTC")


@pytest.mark.parametrize("name", ["", "Shop", "a:b", "-a", "a-", "a b", "x" * 41, "a/b", "$a"])
async def test_a_sites_name_is_plain(sites: SiteService, name: str) -> None:
    """Names go into ids, so that only plain ones are taken."""
    with pytest.raises(BadInputError, match="site"):
        await sites.ensure_site(name)


SCOPES = [
    ("{ site { id } }", {Scope.READ, Scope.ADMIN}),
    ('mutation { trackClick(input: {itemId: "a"}) { verdict } }', {Scope.WRITE, Scope.ADMIN}),
    ("mutation { cleanOldEvents(daysToKeep: 1) { events } }", {Scope.ADMIN}),
    ('mutation { createItem(input: {title: "a"}) { id } }', {Scope.ADMIN}),
    ("{ items { pagination { total } } }", {Scope.READ, Scope.ADMIN}),
    ("{ overview { current { events } } }", {Scope.READ, Scope.ADMIN}),
    ("{ realtime { events } }", {Scope.READ, Scope.ADMIN}),
]


@pytest.mark.parametrize("scope", SITE_SCOPES)
@pytest.mark.parametrize(("operation", "allowed"), SCOPES, ids=[entry[0] for entry in SCOPES])
async def test_each_scope_may_do_what_the_contract_says(
    api: Any, operation: str, allowed: set[Scope], scope: Scope
) -> None:
    """write tracks, read asks, admin does everything; anything else is FORBIDDEN."""
    answer = await api.post(operation, scope=scope)
    if scope in allowed:
        assert "errors" not in answer
    else:
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_key_says_its_own_site(api: Any) -> None:
    """`site` is the key's site and no other."""
    assert (await api.ask("{ site { id } }", keys=KEYS))["site"]["id"] == "demo"
    assert (await api.ask("{ site { id } }", keys=OTHER_SITE_KEYS))["site"]["id"] == "other"


async def test_a_site_may_end_sessions_on_a_new_source(api: Any) -> None:
    """Off until an admin switches it on; null is no switch, and another site keeps its own."""
    site = "{ site { sessionEndsOnNewSource } }"
    update = """mutation ($on: Boolean) {
      updateSite(input: {sessionEndsOnNewSource: $on}) { sessionEndsOnNewSource } }"""
    assert (await api.ask(site))["site"]["sessionEndsOnNewSource"] is False
    changed = await api.ask(update, {"on": True})
    assert changed["updateSite"]["sessionEndsOnNewSource"] is True
    refused = await api.refused(update, {"on": None})
    assert refused["extensions"]["field"] == "input.sessionEndsOnNewSource"
    assert (await api.ask(site))["site"]["sessionEndsOnNewSource"] is True
    other = await api.ask(site, keys=OTHER_SITE_KEYS)
    assert other["site"]["sessionEndsOnNewSource"] is False
