"""The log of admin actions: what is in it, what is not, and who sees it."""

import hashlib
from typing import Any

import pytest

from app.api import build_schema
from app.core.auth import Scope
from app.core.errors import UnavailableError
from app.core.permissions import Needs
from app.core.scalars import format_instant
from tests.conftest import KEYS, NOW, OTHER_SITE_KEYS
from tests.modules.keys.asking import REVOKE, ROTATE, UPDATE, create, listed

OWNER = "test-key-of-the-owner-of-this-instance"
LOG = """query ($action: String, $page: Int, $limit: Int, $range: RangeInput) {
  adminActions(action: $action, page: $page, limit: $limit, range: $range) {
    data { id at action keyId keyLabel byOwner target result code changes { name old new isShown } }
    pagination { page limit total totalPages hasNext hasPrev } } }"""
UPDATE_SITE = "mutation ($input: UpdateSiteInput!) { updateSite(input: $input) { id } }"


async def log(api: Any, keys: Any = KEYS, **variables: Any) -> list[dict[str, Any]]:
    """The newest actions."""
    data = await api.ask(LOG, variables, keys=keys)
    found: list[dict[str, Any]] = data["adminActions"]["data"]
    return found


async def newest(api: Any, **how: Any) -> dict[str, Any]:
    return (await log(api, **how))[0]


def change(name: str, old: Any, new: Any) -> dict[str, Any]:
    return {"name": name, "old": old, "new": new, "isShown": True}


def hashed(action: dict[str, Any], visitor: str) -> str:
    """How the visitor is written in this action."""
    salted = f"{action['id']}:{visitor}"
    return f"visitor sha256:{hashlib.sha256(salted.encode()).hexdigest()}"


async def as_owner(api: Any, query: str, site: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {OWNER}", **({"X-Footfall-Site": site} if site else {})}
    response = await api.http.post("/graphql", json={"query": query}, headers=headers)
    return response.json()


async def test_an_action_says_who_did_what(api: Any) -> None:
    """With the key's id and label, the settings before and after, and what became of it."""
    [admin] = [key for key in await listed(api) if key["scope"] == "ADMIN"]
    await api.ask(UPDATE_SITE, {"input": {"timezone": "Asia/Kathmandu", "excludedItems": ["a"]}})
    found = await newest(api)
    assert found == {
        "id": found["id"],
        "at": format_instant(NOW),
        "action": "updateSite",
        "keyId": admin["id"],
        "keyLabel": "demo",
        "byOwner": False,
        "target": "demo",
        "result": "DONE",
        "code": None,
        "changes": [
            change("timezone", "UTC", "Asia/Kathmandu"),
            change("excludedItems", [], ["a"]),
        ],
    }


async def test_what_stays_the_same_is_no_change(api: Any) -> None:
    """A setting that is given as it was is not in it."""
    await api.ask(UPDATE_SITE, {"input": {"timezone": "UTC", "name": "Shop"}})
    assert [c["name"] for c in (await newest(api))["changes"]] == ["name"]


async def test_what_happens_to_keys_is_in_it(api: Any) -> None:
    """By their ids; the keys themselves are not."""
    made = await create(api, label="analyst", rateLimit="5/minute")
    rotated = (await api.ask(ROTATE, {"id": made["apiKey"]["id"], "grace": 60}))["rotateKey"]
    ids = made["apiKey"]["id"], rotated["apiKey"]["id"]
    await api.ask(UPDATE, {"id": ids[1], "input": {"label": "new", "rateLimit": None}})
    await api.ask(REVOKE, {"id": ids[1]})
    revoked, updated, rotation, created = await log(api)
    assert [revoked["target"], updated["target"], rotation["target"], created["target"]] == [
        ids[1], ids[1], ids[0], ids[0],
    ]  # fmt: skip
    assert created["changes"] == [
        change("scope", None, "read"),
        change("label", None, "analyst"),
        change("rateLimit", None, "5/minute"),
    ]
    assert rotation["changes"] == [
        change("newKey", None, ids[1]),
        change("graceSeconds", None, 60),
    ]
    assert updated["changes"] == [
        change("label", "analyst", "new"),
        change("rateLimit", "5/minute", None),
    ]
    stored = str(await api.database.admin_actions.find({}).to_list(None))
    assert made["key"] not in stored
    assert rotated["key"] not in stored


async def test_addresses_and_long_values_are_not_in_it(api: Any) -> None:
    """Only the setting's name."""
    long = [f"source-{number:04}" for number in range(500)]
    await api.ask(
        UPDATE_SITE, {"input": {"excludedAddresses": ["192.0.2.9"], "excludedSources": long}}
    )
    hidden = {"old": None, "new": None, "isShown": False}
    changes = (await newest(api))["changes"]
    assert sorted(changes, key=lambda change: change["name"]) == [
        {"name": "excludedAddresses", **hidden},
        {"name": "excludedSources", **hidden},
    ]
    assert "192.0.2.9" not in str(await api.database.admin_actions.find({}).to_list(None))


async def test_what_was_refused_is_in_it(api: Any) -> None:
    """With the error's code; so is what was attempted on what there is not, without what was sent."""
    await api.refused(UPDATE_SITE, {"input": {"timezone": "Mars/Olympus"}})
    found = await newest(api)
    assert (found["result"], found["code"], found["changes"]) == ("REFUSED", "BAD_USER_INPUT", [])
    await api.refused(REVOKE, {"id": "sent-by-mistake"})
    found = await newest(api)
    assert (found["result"], found["code"], found["target"]) == ("REFUSED", "NOT_FOUND", None)
    assert "sent-by-mistake" not in str(await api.database.admin_actions.find({}).to_list(None))


async def test_a_mistake_of_ours_is_in_it(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAILED: part of it may be done."""

    async def broken(site: str, changes: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(api.services.sites, "update", broken)
    await api.refused(UPDATE_SITE, {"input": {"name": "x"}})
    found = await newest(api)
    assert (found["result"], found["code"]) == ("FAILED", None)


async def test_nothing_is_done_that_is_not_in_it(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be recorded is refused before anything is changed."""

    async def away(site: str, action: Any) -> None:
        raise UnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(api.services.admin_log._actions, "insert", away)
        error = await api.refused(UPDATE_SITE, {"input": {"name": "x"}})
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert (await api.ask("{ site { name } }"))["site"]["name"] == "Demonstration"


async def test_what_is_done_is_done(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the end cannot be recorded the action is answered all the same, and stays STARTED."""

    async def away(*given: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(api.services.admin_log._actions, "finish", away)
    await api.ask(UPDATE_SITE, {"input": {"name": "x"}})
    found = await newest(api)
    assert (found["action"], found["result"]) == ("updateSite", "STARTED")


async def test_actions_on_events_are_in_it(api: Any) -> None:
    """Releases, withdrawals and deletions, by their ids and how much they were."""
    bot = {"userAgent": "curl/8", "id": "bot-1"}
    await api.track({"type": "PAGE_VIEW", **bot}, {"type": "PAGE_VIEW", "id": "page-1"})
    await api.ask('mutation { releaseEvent(eventId: "bot-1") { verdict } }')
    void = 'mutation { voidEvents(filter: {eventIds: ["page-1"]}, reason: "x") { voidId } }'
    void_id = (await api.ask(void))["voidEvents"]["voidId"]
    await api.ask(f'mutation {{ undoVoid(voidId: "{void_id}") }}')
    await api.ask("mutation { cleanOldEvents(daysToKeep: 7) { events } }")
    found = [(a["action"], a["target"], a["changes"]) for a in await log(api)]
    assert found == [
        ("cleanOldEvents", None, [change("daysToKeep", None, 7)]),
        ("undoVoid", void_id, [change("restored", None, 1)]),
        ("voidEvents", void_id, [change("voided", None, 1)]),
        ("releaseEvent", "bot-1", []),
    ]


async def test_of_persons_only_a_hash_is_in_it(api: Any) -> None:
    """Who knows the id can find an export, nobody can read it from that, and when they are erased it goes;
    of an erasure there is its receipt alone."""
    await api.track({"type": "PAGE_VIEW", "visitorId": "anna"})
    await api.ask('{ exportVisitor(visitorId: "anna") { nextCursor } }')
    await api.ask('{ exportVisitor(visitorId: "bert") { nextCursor } }')
    of_bert, of_anna = await log(api)
    digest = hashlib.sha256(f"{of_anna['id']}:anna".encode()).hexdigest()
    assert of_anna["target"] == f"visitor sha256:{digest}"
    receipt = await api.ask('mutation { eraseVisitor(visitorId: "anna") { receiptId } }')
    targets = [(action["action"], action["target"]) for action in await log(api)]
    assert targets == [
        ("eraseVisitor", receipt["eraseVisitor"]["receiptId"]),
        ("exportVisitor", of_bert["target"]),
        ("exportVisitor", None),
    ]
    assert "anna" not in str(await api.database.admin_actions.find({}).to_list(None))


async def test_actions_at_the_same_time_are_told_apart(api: Any) -> None:
    """Of two exports in one query each is in it with its own visitor."""
    aliases = " ".join(f'{v}: exportVisitor(visitorId: "{v}") {{ nextCursor }}' for v in ("a", "b"))
    await api.ask(f"{{ {aliases} }}")
    actions = await log(api)
    for visitor in ("a", "b"):
        [_] = [each for each in actions if each["target"] == hashed(each, visitor)]


async def test_the_owners_actions_are_the_sites(make_api: Any) -> None:
    """What the owner does is in the log of the site that it was done to, as the owner's."""
    api = await make_api(owner_key=OWNER)
    await as_owner(api, 'mutation { createSite(input: {id: "new", name: "New"}) { id } }')
    await as_owner(api, 'mutation { archiveSite(id: "new") { id } }')
    await as_owner(api, 'mutation { updateSite(input: {name: "x"}) { id } }', "demo")
    query = "{ adminActions { data { action byOwner target } } }"
    ours = (await as_owner(api, query, "demo"))["data"]["adminActions"]["data"]
    assert ours == [{"action": "updateSite", "byOwner": True, "target": "demo"}]
    theirs = (await as_owner(api, query, "new"))["data"]["adminActions"]["data"]
    assert [(a["action"], a["byOwner"], a["target"]) for a in theirs] == [
        ("archiveSite", True, "new"),
        ("createSite", True, "new"),
    ]


async def test_what_is_of_no_site_is_the_owners_to_see(make_api: Any) -> None:
    """The key of the owner that the settings name, and an attempt to make a site that there is, belong to
    none; an admin may not ask for them."""
    api = await make_api(owner_key=OWNER)
    await as_owner(api, 'mutation { createSite(input: {id: "demo", name: "New"}) { id } }')
    query = "{ adminActions(ofInstance: true) { data { action result code } } }"
    found = (await as_owner(api, query, "demo"))["data"]["adminActions"]["data"]
    assert found == [
        {"action": "createSite", "result": "REFUSED", "code": "CONFLICT"},
        {"action": "createOwnerKey", "result": "DONE", "code": None},
    ]
    assert (await api.refused(query))["extensions"]["code"] == "FORBIDDEN"
    assert await log(api) == []


async def test_what_admins_and_programs_do_all_day_is_not_in_it(api: Any) -> None:
    """Items, events and queries."""
    await api.ask('mutation { createItem(input: {id: "a", title: "Vase"}) { id } }')
    await api.ask('mutation { updateItem(id: "a", input: {title: "Urn"}) { id } }')
    await api.ask('mutation { archiveItem(id: "a") { id } }')
    await api.track({"type": "PAGE_VIEW"})
    await listed(api)
    assert await log(api) == []


def test_every_other_change_of_an_admin_is_in_it() -> None:
    """A new mutation of an admin or of the owner is recorded unless it says that it is not."""
    schema = build_schema()
    unrecorded = set()
    for field in schema.mutation.__strawberry_definition__.fields:
        [needs] = [e for e in field.extensions if isinstance(e, Needs)]
        if needs.scope in (Scope.ADMIN, Scope.OWNER) and needs.recorded is False:
            unrecorded.add(schema.config.name_converter.get_graphql_name(field))
    assert unrecorded == {"createItem", "updateItem", "archiveItem"}


async def test_who_may_see_it(api: Any) -> None:
    """An admin of the site: other keys are FORBIDDEN, another site has its own."""
    await api.ask(UPDATE_SITE, {"input": {"name": "x"}})
    for scope in (Scope.READ, Scope.WRITE):
        assert (await api.refused(LOG, scope=scope))["extensions"]["code"] == "FORBIDDEN"
    assert await log(api, keys=OTHER_SITE_KEYS) == []
    assert len(await log(api)) == 1


async def test_it_is_turned_page_by_page(api: Any) -> None:
    """Newest first, by name and by time."""
    for number in range(5):
        api.clock.advance(minutes=1)
        await api.ask(UPDATE_SITE, {"input": {"name": f"name {number}"}})
    await create(api)
    data = (await api.ask(LOG, {"action": "updateSite", "limit": 2, "page": 2}))["adminActions"]
    assert [action["changes"][0]["new"] for action in data["data"]] == ["name 2", "name 1"]
    assert data["pagination"] == {
        "page": 2, "limit": 2, "total": 5, "totalPages": 3, "hasNext": True, "hasPrev": True,
    }  # fmt: skip
    times = {"start": "2026-06-15T12:02:00Z", "end": "2026-06-15T12:04:00Z"}
    found = await log(api, range=times)
    assert [action["changes"][0]["new"] for action in found] == ["name 2", "name 1"]
    assert await log(api, range={"preset": "YESTERDAY"}) == []
    assert len(await log(api, range={"preset": "ALL"}, page=None, limit=None, action=None)) == 6


@pytest.mark.parametrize(
    ("argument", "value", "field"),
    [
        ("limit", 0, "limit"),
        ("limit", 201, "limit"),
        ("page", 0, "page"),
        ("page", -1, "page"),
        ("page", 201, "page"),
        ("page", 2**31 - 1, "page"),
        ("action", "", "action"),
        ("action", "$where", "action"),
        ("action", "x" * 101, "action"),
        ("range", {"start": "2027-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "range"),
        ("range", {"start": "1000-01-01T00:00:00Z"}, "range"),
    ],
)
async def test_what_cannot_be_asked(api: Any, argument: str, value: Any, field: str) -> None:
    """BAD_USER_INPUT with the argument."""
    error = await api.refused(LOG, {argument: value})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


async def test_it_is_kept_for_a_year(make_api: Any) -> None:
    """By the setting, as the database's own expiry."""
    for given, days in (({"admin_log_retention_days": 30}, 30), ({}, 365)):
        api = await make_api(**given)
        indexes = await api.database.admin_actions.index_information()
        assert indexes["admin_log_retention"]["expireAfterSeconds"] == days * 86_400
