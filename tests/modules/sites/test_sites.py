"""Sites and their keys."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from mongomock_motor import AsyncMongoMockClient

from app.core.auth import Scope
from app.core.clock import FixedClock
from app.core.config import Settings
from app.core.database import prepare
from app.core.errors import BadInputError, NotFoundError
from app.modules.sites.service import KEY_CACHE_SECONDS, SiteService
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.sites import SiteRepository
from app.schemas import ApiKey, Site
from tests.conftest import KEYS, NOW, OTHER_SITE_KEYS


@pytest_asyncio.fixture
async def sites() -> AsyncIterator[SiteService]:
    """The service on mongomock, with one site."""
    await prepare(AsyncMongoMockClient()["sites"], (Site, ApiKey))
    settings = Settings(_env_file=None, currency="CHF")
    service = SiteService(SiteRepository(), ApiKeyRepository(), settings, FixedClock(NOW))
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


async def test_a_key_is_shown_once_and_stored_hashed(sites: SiteService) -> None:
    """The new key opens its site; nothing stored contains it."""
    made = await sites.create_key("shop", Scope.READ, "analyst")
    principal = await sites.authenticate(made.key)
    assert principal is not None
    assert (principal.site, principal.scope) == ("shop", Scope.READ)
    stored = await ApiKeyRepository().collection.find({}).to_list(None)
    assert made.key not in str(stored)
    assert [key.hint for key in await sites.list_keys("shop")] == [made.key[:14]]


async def test_keys_of_no_site_cannot_be_made(sites: SiteService) -> None:
    """The site comes first."""
    with pytest.raises(NotFoundError):
        await sites.create_key("nowhere", Scope.READ, "x")


async def test_a_short_key_is_warned_of(
    sites: SiteService, caplog: pytest.LogCaptureFixture
) -> None:
    """A demo key that can be guessed works, and the log says that it can, without the key."""
    await sites.ensure_key("shop", Scope.WRITE, "wk-1")
    assert await sites.authenticate("wk-1") is not None
    assert "guessed" in caplog.text
    assert "wk-1" not in caplog.text


async def test_new_keys_replace_the_ones_of_the_same_label(sites: SiteService) -> None:
    """Old ones of the label are revoked, keys of other labels stay."""
    [kept] = [await sites.create_key("shop", Scope.ADMIN, "kept")]
    old = await sites.replace_keys("shop", "demo")
    new = await sites.replace_keys("shop", "demo")
    assert [key.scope for key in new] == list(Scope)
    assert [await sites.authenticate(key.key) for key in old] == [None] * 3
    assert None not in [await sites.authenticate(key.key) for key in [*new, kept]]


async def test_a_revoked_key_is_refused(api: Any) -> None:
    """At once in the process that revoked it, elsewhere when the cache's few seconds are over."""
    sites = api.services.sites
    made = await sites.create_key("demo", Scope.READ, "x")
    assert await sites.authenticate(made.key) is not None
    assert await sites.revoke_key("demo", made.key[:14]) == 1
    assert await sites.authenticate(made.key) is None
    assert KEY_CACHE_SECONDS <= 10


async def test_whether_a_key_is_still_valid_is_seen_at_once(api: Any) -> None:
    """In every process, without a cache, and only for the site and scope that the key is of."""
    sites = api.services.sites
    made = await sites.create_key("demo", Scope.READ, "x")
    principal = await sites.authenticate(made.key)
    assert await sites.is_valid(principal)
    assert not await sites.is_valid(replace(principal, site="other"))
    assert not await sites.is_valid(replace(principal, scope=Scope.ADMIN))
    assert not await sites.is_valid(replace(principal, key_id="0" * 16))
    await api.database.api_keys.update_one(
        {"site": "demo", "label": "x"}, {"$set": {"revoked_at": api.clock.now()}}
    )
    assert await sites.authenticate(made.key) is not None
    assert not await sites.is_valid(principal)


SCOPES = [
    ("{ site { id } }", {Scope.READ, Scope.ADMIN}),
    ('mutation { trackClick(input: {itemId: "a"}) { verdict } }', {Scope.WRITE, Scope.ADMIN}),
    ("mutation { cleanOldEvents(daysToKeep: 1) { events } }", {Scope.ADMIN}),
    ('mutation { createItem(input: {title: "a"}) { id } }', {Scope.ADMIN}),
    ("{ items { pagination { total } } }", {Scope.READ, Scope.ADMIN}),
    ("{ overview { current { events } } }", {Scope.READ, Scope.ADMIN}),
    ("{ realtime { events } }", {Scope.READ, Scope.ADMIN}),
]


@pytest.mark.parametrize("scope", list(Scope))
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
