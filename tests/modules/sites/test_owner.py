"""The instance's owner: one key for all sites, each named by the request."""

import logging
from typing import Any

import pytest

from app.core.auth import INSTANCE, SITE_SCOPES, Scope
from app.core.errors import BadInputError
from app.modules.keys.service import OWNER_SETTING_LABEL
from app.modules.sites.settings import check_id
from tests.conftest import KEYS, NOW, OTHER_SITE_KEYS, OWNER_KEY
from tests.sockets import connected

SITE = "{ site { id } }"
SITES = "{ sites { id name currency createdAt archivedAt } }"
OWNER_FIELDS = [
    SITES,
    'mutation { createSite(input: {id: "new"}) { id } }',
    'mutation { archiveSite(id: "demo") { id } }',
    'mutation { restoreSite(id: "demo") { id } }',
]


def as_owner(site: str | None = None) -> dict[str, Any]:
    """How the owner asks: on this site, or on none."""
    named = {} if site is None else {"X-Footfall-Site": site}
    return {"headers": {"Authorization": f"Bearer {OWNER_KEY}", **named}}


async def test_the_owner_sees_all_sites(api: Any) -> None:
    """Without naming one, by their short names."""
    sites = (await api.ask(SITES, **as_owner()))["sites"]
    assert [site["id"] for site in sites] == ["demo", "other"]
    assert sites[0] == {
        "id": "demo",
        "name": "Demonstration",
        "currency": "EUR",
        "createdAt": "2026-06-15T12:00:00.000Z",
        "archivedAt": None,
    }


@pytest.mark.parametrize("scope", SITE_SCOPES)
@pytest.mark.parametrize("operation", OWNER_FIELDS)
async def test_owners_fields_are_the_owners(api: Any, operation: str, scope: Scope) -> None:
    """No key of a site, an admin's neither, may list, make or archive sites. (To a write key, which may
    be public, all that it cannot reach is alike.)"""
    refused = await api.refused(operation, scope=scope)
    assert refused["extensions"]["code"] == "FORBIDDEN"
    assert "owner" in refused["message"] or scope is Scope.WRITE
    assert [site["id"] for site in (await api.ask(SITES, **as_owner()))["sites"]] == [
        "demo",
        "other",
    ]


async def test_the_owner_is_an_admin_of_the_site_that_is_named(api: Any) -> None:
    """Asks, tracks and changes there, and nowhere else."""
    for site in ("demo", "other"):
        assert (await api.ask(SITE, **as_owner(site)))["site"]["id"] == site
    [tracked] = await api.track({"type": "CLICK", "itemId": "a"}, **as_owner("other"))
    assert tracked["verdict"] == "ACCEPTED"
    await api.ask('mutation { updateSite(input: {name: "Theirs"}) { id } }', **as_owner("other"))
    clicks = "{ site { name } overview { current { clicks } } }"
    theirs = await api.ask(clicks, keys=OTHER_SITE_KEYS)
    assert theirs == {"site": {"name": "Theirs"}, "overview": {"current": {"clicks": 1}}}
    ours = await api.ask(clicks)
    assert ours == {"site": {"name": "Demonstration"}, "overview": {"current": {"clicks": 0}}}


async def test_without_a_site_only_owners_fields_answer(api: Any) -> None:
    """The others say which header names one, beside what is answered."""
    for operation in (SITE, 'mutation { trackClick(input: {itemId: "a"}) { verdict } }'):
        refused = await api.refused(operation, **as_owner())
        assert refused["extensions"]["code"] == "BAD_USER_INPUT"
        assert "X-Footfall-Site" in refused["message"]


async def test_the_owner_may_know_the_schema(api: Any) -> None:
    """On no site as well, so that GraphiQL completes what is typed."""
    asked = await api.ask("{ __schema { queryType { name } } }", **as_owner())
    assert asked["__schema"]["queryType"]["name"] == "Query"


async def test_a_site_that_is_not_there_is_not_found(api: Any) -> None:
    """Whatever is written there; owner's fields answer all the same."""
    for named in ("nowhere", "Demo", "*", "demo,other", "$where", "a" * 5_000):
        refused = await api.refused(SITE, **as_owner(named))
        assert refused["extensions"]["code"] == "NOT_FOUND", named
        assert len((await api.ask(SITES, **as_owner(named)))["sites"]) == 2


@pytest.mark.parametrize("scope", SITE_SCOPES)
async def test_a_key_of_a_site_learns_nothing_of_others(api: Any, scope: Scope) -> None:
    """Naming another site is FORBIDDEN in the same words whether there is one or not."""
    answers = [
        await api.refused(operation, scope=scope, headers={"X-Footfall-Site": site})
        for operation in (SITE, 'mutation { trackClick(input: {itemId: "a"}) { verdict } }')
        for site in ("other", "nowhere", INSTANCE)
    ]
    assert {answer["extensions"]["code"] for answer in answers} == {"FORBIDDEN"}
    assert len({answer["message"] for answer in answers}) == 1


async def test_a_key_of_a_site_may_name_its_own(api: Any) -> None:
    """Or none, with an empty header."""
    for named in ("demo", ""):
        asked = await api.ask(SITE, headers={"X-Footfall-Site": named})
        assert asked["site"]["id"] == "demo"


async def test_on_a_socket_the_site_is_named_at_its_beginning(api: Any) -> None:
    """As `site` of connection_init's payload."""
    payload = {"Authorization": f"Bearer {OWNER_KEY}", "site": "other"}
    async with connected(api, payload=payload) as socket:
        answer = await socket.next(socket.start(SITE))
    assert answer["payload"]["data"]["site"]["id"] == "other"


async def test_the_owners_key_is_stored_hashed(api: Any) -> None:
    """As other keys are, of no site that there can be."""
    stored = await api.database["api_keys"].find({"scope": "owner"}).to_list(None)
    assert [key["site"] for key in stored] == [INSTANCE]
    assert OWNER_KEY not in str(stored)
    with pytest.raises(BadInputError):
        check_id(INSTANCE, "id")


async def test_another_owners_key_in_the_setting_replaces_the_one_before(make_api: Any) -> None:
    """One that was taken out of the setting opens nothing any more."""
    await make_api()
    second = "another-key-of-the-owner-of-all"
    api = await make_api(empty=False, owner_key=second)
    assert (await api.post(SITES, **as_owner()))["errors"][0]["extensions"]["code"] == (
        "UNAUTHENTICATED"
    )
    await api.ask(SITES, headers={"Authorization": f"Bearer {second}"})


async def test_a_revoked_owners_key_stays_revoked(
    make_api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the setting has it still, which the log says without the key."""
    api = await make_api()
    await api.database["api_keys"].update_one({"scope": "owner"}, {"$set": {"revoked_at": NOW}})
    with caplog.at_level(logging.ERROR):
        again = await make_api(empty=False)
    refused = await again.refused(SITES, **as_owner())
    assert refused["extensions"]["code"] == "UNAUTHENTICATED"
    assert OWNER_SETTING_LABEL in caplog.text
    assert OWNER_KEY not in caplog.text


async def test_an_owner_scoped_key_of_a_site_cannot_be_made(api: Any) -> None:
    """Nor any other key of no site."""
    for site, scope in (("demo", Scope.OWNER), (INSTANCE, Scope.ADMIN)):
        with pytest.raises(BadInputError):
            await api.services.keys.create_key(site, scope, "x")


async def test_an_owners_key_is_valid_until_it_is_revoked(api: Any) -> None:
    """Open sockets ask so, on whichever site the owner acts."""
    keys, sites = api.services.keys, api.services.sites
    owner = await keys.authenticate(OWNER_KEY)
    on_site = await sites.acting_on(owner, "demo")
    assert await keys.is_valid(owner)
    assert await keys.is_valid(on_site)
    await api.database["api_keys"].update_one({"scope": "owner"}, {"$set": {"revoked_at": NOW}})
    assert not await keys.is_valid(owner)
    assert not await keys.is_valid(on_site)
    assert await keys.is_valid(await keys.authenticate(KEYS[Scope.READ]))
