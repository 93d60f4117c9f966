"""Keys of sites: making them, and whose a key is."""

import hmac
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from mongomock_motor import AsyncMongoMockClient

from app.core.auth import SITE_SCOPES, Scope, hash_key
from app.core.clock import FixedClock
from app.core.config import Settings
from app.core.database import prepare
from app.core.errors import NotFoundError
from app.modules.admin_log.service import AdminLogService
from app.modules.keys.service import KEY_CACHE_SECONDS, KeyService
from app.modules.keys.uses import KeyUses
from app.modules.sites.service import SiteService
from app.repositories.admin_actions import AdminActionRepository
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.sites import SiteRepository
from app.schemas import AdminAction, ApiKey, Site
from tests.conftest import NOW


class FindingAnother(ApiKeyRepository):
    """Finds for a hash what only begins like it."""

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        found = await super().find_by_hash(key_hash)
        return found and found.model_copy(update={"id": f"{found.id[:-1]}x"})


async def service(repository: ApiKeyRepository) -> KeyService:
    """The service on mongomock, with one site."""
    await prepare(AsyncMongoMockClient(tz_aware=True)["keys"], (Site, ApiKey, AdminAction))
    clock = FixedClock(NOW)
    sites = SiteService(SiteRepository(), Settings(_env_file=None), clock)
    await sites.ensure_site("shop", "The shop")
    log = AdminLogService(AdminActionRepository(), clock)
    return KeyService(repository, sites, KeyUses(repository), log, clock)


@pytest_asyncio.fixture
async def keys() -> KeyService:
    return await service(ApiKeyRepository())


async def test_a_key_is_shown_once_and_stored_hashed(keys: KeyService) -> None:
    """The new key opens its site; nothing stored contains it."""
    made = await keys.create_key("shop", Scope.READ, "analyst")
    principal = await keys.authenticate(made.key)
    assert principal is not None
    assert (principal.site, principal.scope) == ("shop", Scope.READ)
    stored = await ApiKeyRepository().collection.find({}).to_list(None)
    assert made.key not in str(stored)
    assert [key.hint for key in await keys.list_keys("shop")] == [made.key[:14]]


async def test_what_opens_a_site_is_compared_in_constant_time(
    keys: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison that takes as long for a wrong hash as for the right one decides, and nothing else."""
    made = await keys.create_key("shop", Scope.READ, "analyst")
    compared = []

    def refuse(one: str, other: str) -> bool:
        compared.append({one, other})
        return False

    with monkeypatch.context() as patched:
        patched.setattr(hmac, "compare_digest", refuse)
        assert await keys.authenticate(made.key) is None
    assert compared == [{hash_key(made.key)}]
    assert await keys.authenticate(made.key) is not None


async def test_a_key_that_is_only_found_opens_nothing() -> None:
    """Whatever the database answers for a hash, the whole of it is compared."""
    keys = await service(FindingAnother())
    made = await keys.create_key("shop", Scope.READ, "analyst")
    assert await keys.authenticate(made.key) is None


async def test_keys_of_no_site_cannot_be_made(keys: KeyService) -> None:
    """The site comes first."""
    with pytest.raises(NotFoundError):
        await keys.create_key("nowhere", Scope.READ, "x")


async def test_a_short_key_is_warned_of(keys: KeyService, caplog: pytest.LogCaptureFixture) -> None:
    """A demo key that can be guessed works, and the log says that it can, without the key."""
    await keys.ensure_key("shop", Scope.WRITE, "wk-1")
    assert await keys.authenticate("wk-1") is not None
    assert "guessed" in caplog.text
    assert "wk-1" not in caplog.text


async def test_new_keys_replace_the_ones_of_the_same_label(keys: KeyService) -> None:
    """Old ones of the label are revoked, keys of other labels stay."""
    [kept] = [await keys.create_key("shop", Scope.ADMIN, "kept")]
    old = await keys.replace_keys("shop", "demo")
    new = await keys.replace_keys("shop", "demo")
    assert [key.scope for key in new] == list(SITE_SCOPES)
    assert [await keys.authenticate(key.key) for key in old] == [None] * 3
    assert None not in [await keys.authenticate(key.key) for key in [*new, kept]]


async def test_a_revoked_key_is_refused(api: Any) -> None:
    """At once in the process that revoked it, elsewhere when the cache's few seconds are over."""
    keys = api.services.keys
    made = await keys.create_key("demo", Scope.READ, "x")
    assert await keys.authenticate(made.key) is not None
    await keys.revoke_key("demo", made.stored.public_id)
    assert await keys.authenticate(made.key) is None
    assert KEY_CACHE_SECONDS <= 10


async def test_whether_a_key_is_still_valid_is_seen_at_once(api: Any) -> None:
    """In every process, without a cache, and only for the site and scope that the key is of."""
    keys = api.services.keys
    made = await keys.create_key("demo", Scope.READ, "x")
    principal = await keys.authenticate(made.key)
    assert await keys.is_valid(principal)
    assert not await keys.is_valid(replace(principal, site="other"))
    assert not await keys.is_valid(replace(principal, scope=Scope.ADMIN))
    assert not await keys.is_valid(replace(principal, key_id="0" * 16))
    await api.database.api_keys.update_one(
        {"site": "demo", "label": "x"}, {"$set": {"revoked_at": api.clock.now()}}
    )
    assert await keys.authenticate(made.key) is not None
    assert not await keys.is_valid(principal)
