"""Making, archiving and restoring sites."""

from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import KEYS
from tests.modules.sites.test_owner import as_owner

CREATE = """mutation ($input: CreateSiteInput!) { createSite(input: $input) {
  id name timezone currency createdAt archivedAt trackingLevel allowedOrigins } }"""
ARCHIVE = 'mutation { archiveSite(id: "demo") { id archivedAt } }'
RESTORE = 'mutation { restoreSite(id: "demo") { id archivedAt } }'
CLICKS = "{ overview { current { clicks } } site { archivedAt } }"


async def test_a_site_is_made_with_what_it_needs(api: Any) -> None:
    """Only the id is needed; it can be used at once."""
    data = await api.ask(CREATE, {"input": {"id": "new"}}, **as_owner())
    assert data["createSite"] == {
        "id": "new",
        "name": "new",
        "timezone": "UTC",
        "currency": "EUR",
        "createdAt": "2026-06-15T12:00:00.000Z",
        "archivedAt": None,
        "trackingLevel": "STANDARD",
        "allowedOrigins": ["*"],
    }
    all_of_it = {"id": "shop", "name": "Shop", "timezone": "Asia/Kathmandu", "currency": "NPR"}
    data = await api.ask(CREATE, {"input": all_of_it}, **as_owner())
    assert {name: data["createSite"][name] for name in all_of_it} == all_of_it
    [tracked] = await api.track({"type": "CLICK", "itemId": "a"}, **as_owner("new"))
    assert tracked["verdict"] == "ACCEPTED"


async def test_a_site_is_made_once(api: Any) -> None:
    """Its id stays taken when it is archived, and nothing of it changes."""
    for prepared in ("", ARCHIVE):
        if prepared:
            await api.ask(prepared, **as_owner())
        refused = await api.refused(CREATE, {"input": {"id": "demo", "name": "x"}}, **as_owner())
        assert refused["extensions"] == {"code": "CONFLICT", "field": "input.id"}
    assert (await api.ask("{ site { name } }"))["site"]["name"] == "Demonstration"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": "Not plain"}, "input.id"),
        ({"id": "*"}, "input.id"),
        ({"timezone": "+25:00"}, "input.timezone"),
        ({"currency": "euro"}, "input.currency"),
        ({"name": "x" * 101}, "input.name"),
    ],
)
async def test_a_new_site_is_checked(api: Any, changed: dict[str, str], field: str) -> None:
    """As changes of a site are; nothing is made."""
    refused = await api.refused(CREATE, {"input": {"id": "new", **changed}}, **as_owner())
    assert refused["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    assert await api.database["sites"].count_documents({}) == 2


async def test_an_archived_site_answers_reports_and_takes_nothing(api: Any) -> None:
    """Until it is restored: then it is as it was."""
    await api.track({"type": "CLICK", "itemId": "a"})
    archived = await api.ask(ARCHIVE, **as_owner())
    assert archived["archiveSite"] == {"id": "demo", "archivedAt": "2026-06-15T12:00:00.000Z"}
    asked = await api.ask(CLICKS)
    assert asked["overview"]["current"]["clicks"] == 1
    assert asked["site"]["archivedAt"] == "2026-06-15T12:00:00.000Z"
    for operation, scope in (
        ('mutation { trackClick(input: {itemId: "b"}) { verdict } }', Scope.WRITE),
        ('mutation { createItem(input: {title: "x"}) { id } }', Scope.ADMIN),
        ('mutation { updateSite(input: {name: "x"}) { id } }', Scope.ADMIN),
        ("mutation { cleanOldEvents(daysToKeep: 0) { events } }", Scope.ADMIN),
    ):
        for who in ({"scope": scope}, as_owner("demo")):
            refused = await api.refused(operation, **who)
            assert refused["extensions"]["code"] == "FORBIDDEN", operation
            assert "archived" in refused["message"]
    assert (await api.ask(CLICKS))["overview"]["current"]["clicks"] == 1
    restored = await api.ask(RESTORE, **as_owner())
    assert restored["restoreSite"] == {"id": "demo", "archivedAt": None}
    [tracked] = await api.track({"type": "CLICK", "itemId": "b"}, keys=KEYS)
    assert tracked["verdict"] == "ACCEPTED"


async def test_on_an_archived_site_keys_end_and_visitors_are_forgotten(api: Any) -> None:
    """What protects somebody is not refused."""
    [key, *_] = (await api.ask("{ keys { id scope } }"))["keys"]
    await api.ask(ARCHIVE, **as_owner())
    revoked = await api.ask(
        "mutation ($id: ID!) { revokeKey(id: $id) { revokedAt } }",
        {"id": key["id"]},
        **as_owner("demo"),
    )
    assert revoked["revokeKey"]["revokedAt"] is not None
    erased = await api.ask(
        'mutation { eraseVisitor(visitorId: "v") { receiptId } }', **as_owner("demo")
    )
    assert erased["eraseVisitor"]["receiptId"]


async def test_archiving_again_changes_nothing(api: Any) -> None:
    """The first time stays; restoring what is in use is no error either."""
    first = await api.ask(ARCHIVE, **as_owner())
    api.clock.advance(days=1)
    assert await api.ask(ARCHIVE, **as_owner()) == first
    for _ in range(2):
        assert (await api.ask(RESTORE, **as_owner()))["restoreSite"]["archivedAt"] is None


async def test_archived_sites_are_listed_where_asked_for(api: Any) -> None:
    """And only there."""
    await api.ask(ARCHIVE, **as_owner())
    listed = "query ($all: Boolean) { sites(includeArchived: $all) { id } }"
    for wanted, expected in ((None, ["other"]), (False, ["other"]), (True, ["demo", "other"])):
        sites = (await api.ask(listed, {"all": wanted}, **as_owner()))["sites"]
        assert [site["id"] for site in sites] == expected


@pytest.mark.parametrize("field", ["archiveSite", "restoreSite"])
async def test_a_site_that_is_not_there_cannot_be_archived(api: Any, field: str) -> None:
    """NOT_FOUND, and none is made of it."""
    refused = await api.refused(f'mutation {{ {field}(id: "nowhere") {{ id }} }}', **as_owner())
    assert refused["extensions"]["code"] == "NOT_FOUND"
    assert await api.database["sites"].count_documents({}) == 2
