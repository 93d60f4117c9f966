"""Keys over GraphQL: making, listing, changing, rotating and revoking them."""

import asyncio
from typing import Any

import pytest

from app.core.auth import Scope
from app.core.scalars import format_instant
from app.modules.keys import service
from tests.conftest import KEYS, NOW, OTHER_SITE_KEYS
from tests.modules.keys.asking import (
    CREATE,
    KEYS_QUERY,
    REVOKE,
    ROTATE,
    UPDATE,
    code_with,
    create,
    listed,
    one,
)

LATER = "2026-07-01T00:00:00.000Z"
TRACK = 'mutation { trackClick(input: {itemId: "a"}) { verdict } }'


async def test_a_new_key_is_shown_once(api: Any) -> None:
    """With what it was given; afterwards neither a query nor the database has it."""
    given = {
        "allowedOrigins": ["https://shop.example"],
        "rateLimit": "600/minute",
        "expiresAt": LATER,
    }
    made = await create(api, "WRITE", "The shop", **given)
    expected = {
        "label": "The shop",
        "scope": "WRITE",
        "hint": made["key"][:14],
        "createdAt": format_instant(NOW),
        "lastUsedAt": None,
        "revokedAt": None,
        **given,
    }
    assert made["apiKey"] == {"id": made["apiKey"]["id"], **expected}
    assert await one(api, made["apiKey"]["id"]) == made["apiKey"]
    for collection in await api.database.list_collection_names():
        stored = await api.database[collection].find({}).to_list(None)
        assert made["key"] not in str(stored), collection


@pytest.mark.parametrize(
    ("scope", "works"),
    [("WRITE", {"track"}), ("READ", {"ask"}), ("ADMIN", {"track", "ask", "keys"})],
)
async def test_a_new_key_has_its_scope(api: Any, scope: str, works: set[str]) -> None:
    """It does what its scope may, and the rest is FORBIDDEN."""
    made = await create(api, scope)
    operations = {"track": TRACK, "ask": "{ site { id } }", "keys": KEYS_QUERY}
    for name, operation in operations.items():
        expected = None if name in works else "FORBIDDEN"
        assert await code_with(api, made["key"], operation) == expected, name


async def test_keys_are_listed_usable_ones_first(api: Any) -> None:
    """Then those that have ended; each the newest first."""
    ids = {}
    for label in ("a", "b", "c"):
        api.clock.advance(seconds=1)
        ids[label] = (await create(api, label=label))["apiKey"]["id"]
    await api.ask(REVOKE, {"id": ids["b"]})
    labels = [key["label"] for key in await listed(api)]
    assert labels == ["c", "a", "demo", "demo", "demo", "b"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "   "),
        ("label", "x" * 101),
        ("label", "two\nlines"),
        ("rateLimit", "many"),
        ("rateLimit", "0/minute"),
        ("rateLimit", "1/minute; 2/hour"),
        ("expiresAt", "2026-06-15T12:00:00Z"),
        ("expiresAt", "1999-01-01T00:00:00Z"),
        ("allowedOrigins", ["https://shop.example/path"]),
        ("allowedOrigins", ["shop.example"]),
        ("allowedOrigins", ["*"]),
        ("allowedOrigins", ["null"]),
        ("allowedOrigins", [""]),
        ("allowedOrigins", [f"https://{number}.example" for number in range(51)]),
    ],
)
async def test_what_a_key_cannot_be_given(api: Any, field: str, value: Any) -> None:
    """BAD_USER_INPUT with the field for a new key and for a change, and nothing is stored."""
    before = await listed(api)
    made = {"scope": "READ", "label": "x", field: value}
    change = {"id": before[0]["id"], "input": {field: value}}
    for query, variables in ((CREATE, {"input": made}), (UPDATE, change)):
        error = await api.refused(query, variables)
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": f"input.{field}"}
    assert await listed(api) == before


async def test_a_site_has_so_many_keys(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """LIMIT_EXCEEDED for one more; those that have ended do not count."""
    monkeypatch.setattr(service, "MAX_USABLE", 4)
    made = await create(api)
    error = await api.refused(CREATE, {"input": {"scope": "READ", "label": "x"}})
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    await api.ask(REVOKE, {"id": made["apiKey"]["id"]})
    await create(api)


async def test_a_key_is_changed(api: Any) -> None:
    """What is left out stays; null takes origins, rate and end away, and the label stays one."""
    given = {"allowedOrigins": ["https://a.example"], "rateLimit": "5/second", "expiresAt": LATER}
    made = (await create(api, label="old", **given))["apiKey"]

    async def update(**changes: Any) -> Any:
        variables = {"id": made["id"], "input": changes}
        return (await api.ask(UPDATE, variables))["updateKey"]

    assert await update(label="new") == {**made, "label": "new"}
    cleared = dict.fromkeys(given)
    expected = {**made, "label": "new", **cleared, "allowedOrigins": []}
    assert await update(**cleared) == expected
    error = await api.refused(UPDATE, {"id": made["id"], "input": {"label": None}})
    assert error["extensions"]["field"] == "input.label"
    assert await one(api, made["id"]) == expected


async def test_a_revoked_key_opens_nothing(api: Any) -> None:
    """UNAUTHENTICATED at once; revoking it again changes nothing, and it cannot be changed any more."""
    made = await create(api)
    variables = {"id": made["apiKey"]["id"]}
    assert await code_with(api, made["key"]) is None
    revoked = (await api.ask(REVOKE, variables))["revokeKey"]
    assert revoked["revokedAt"] == format_instant(NOW)
    assert await code_with(api, made["key"]) == "UNAUTHENTICATED"
    api.clock.advance(hours=1)
    assert (await api.ask(REVOKE, variables))["revokeKey"]["revokedAt"] == format_instant(NOW)
    for query in (ROTATE, UPDATE):
        error = await api.refused(
            query, {**variables, **({} if query == ROTATE else {"input": {}})}
        )
        assert error["extensions"] == {"code": "CONFLICT", "field": "id"}


async def test_a_key_ends_by_itself(api: Any) -> None:
    """At the very instant, also where it was used a moment before."""
    made = await create(api, expiresAt="2026-06-15T12:00:10Z")
    api.clock.advance(seconds=9, milliseconds=999)
    assert await code_with(api, made["key"]) is None
    api.clock.advance(milliseconds=1)
    assert await code_with(api, made["key"]) == "UNAUTHENTICATED"


async def test_a_rotated_key_is_replaced_at_once(api: Any) -> None:
    """The new key has what the old one had; the old one opens nothing any more."""
    given = {"allowedOrigins": ["https://a.example"], "rateLimit": "5/second", "expiresAt": LATER}
    old = await create(api, "WRITE", "The shop", **given)
    new = (await api.ask(ROTATE, {"id": old["apiKey"]["id"]}))["rotateKey"]
    same = ("label", "scope", *given)
    assert [new["apiKey"][name] for name in same] == [old["apiKey"][name] for name in same]
    assert new["apiKey"]["id"] != old["apiKey"]["id"]
    origin = {"Origin": "https://a.example"}
    assert await code_with(api, new["key"], TRACK, **origin) is None
    assert await code_with(api, old["key"], TRACK, **origin) == "UNAUTHENTICATED"


async def test_a_rotated_key_may_have_a_grace(api: Any) -> None:
    """Both work until it is over; the old one can be revoked before, and not be rotated again."""
    old, other = await create(api), await create(api)
    new = (await api.ask(ROTATE, {"id": old["apiKey"]["id"], "grace": 60}))["rotateKey"]
    await api.ask(ROTATE, {"id": other["apiKey"]["id"], "grace": 60})
    assert (await one(api, old["apiKey"]["id"]))["revokedAt"] == "2026-06-15T12:01:00.000Z"
    error = await api.refused(ROTATE, {"id": old["apiKey"]["id"]})
    assert error["extensions"]["code"] == "CONFLICT"
    await api.ask(REVOKE, {"id": other["apiKey"]["id"]})
    assert await code_with(api, other["key"]) == "UNAUTHENTICATED"
    assert await code_with(api, old["key"]) is None
    api.clock.advance(seconds=60)
    assert await code_with(api, old["key"]) == "UNAUTHENTICATED"
    assert await code_with(api, new["key"]) is None


@pytest.mark.parametrize("grace", [-1, 7 * 86_400 + 1])
async def test_a_grace_has_bounds(api: Any, grace: int) -> None:
    """BAD_USER_INPUT, and the key stays as it is."""
    made = await create(api)
    error = await api.refused(ROTATE, {"id": made["apiKey"]["id"], "grace": grace})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "graceSeconds"}
    assert await code_with(api, made["key"]) is None


@pytest.mark.parametrize("key_id", ["", "0" * 16, "g" * 16, "0" * 15, "$ne", "x" * 300])
async def test_a_key_that_there_is_not(api: Any, key_id: str) -> None:
    """NOT_FOUND; an id is whole or none."""
    for query in (REVOKE, ROTATE, UPDATE):
        variables = {"id": key_id} | ({"input": {}} if query == UPDATE else {})
        error = await api.refused(query, variables)
        assert error["extensions"] == {"code": "NOT_FOUND", "field": "id"}


async def test_keys_of_another_site_are_none(api: Any) -> None:
    """Neither listed nor found, and they go on working."""
    made = await create(api)
    assert made["apiKey"]["id"] not in [k["id"] for k in await listed(api, keys=OTHER_SITE_KEYS)]
    for query in (REVOKE, ROTATE, UPDATE):
        variables = {"id": made["apiKey"]["id"]} | ({"input": {}} if query == UPDATE else {})
        error = await api.refused(query, variables, keys=OTHER_SITE_KEYS)
        assert error["extensions"]["code"] == "NOT_FOUND"
    assert await code_with(api, made["key"]) is None


async def the_admin_key(api: Any) -> str:
    """The id of the site's one admin key."""
    [admin] = [key for key in await listed(api) if key["scope"] == "ADMIN"]
    return str(admin["id"])


async def test_the_last_admin_key_stays(api: Any) -> None:
    """CONFLICT, until there is another one that can be used and will stay."""
    last = await the_admin_key(api)
    expiring = (await create(api, "ADMIN", expiresAt="2026-06-15T12:00:10Z"))["apiKey"]["id"]
    rotated = (await create(api, "ADMIN"))["apiKey"]["id"]
    leaving = (await api.ask(ROTATE, {"id": rotated, "grace": 60}))["rotateKey"]["apiKey"]["id"]
    await api.ask(REVOKE, {"id": leaving})
    api.clock.advance(seconds=10)
    assert (await one(api, expiring))["revokedAt"] is None
    assert (await one(api, rotated))["revokedAt"] is not None
    error = await api.refused(REVOKE, {"id": last})
    assert error["extensions"] == {"code": "CONFLICT", "field": "id"}
    assert await code_with(api, KEYS[Scope.ADMIN], KEYS_QUERY) is None
    other = await create(api, "ADMIN")
    await api.ask(REVOKE, {"id": last})
    assert await code_with(api, KEYS[Scope.ADMIN], KEYS_QUERY) == "UNAUTHENTICATED"
    assert await code_with(api, other["key"], KEYS_QUERY) is None


async def test_two_last_admin_keys_cannot_go_at_once(api: Any) -> None:
    """Of two admins who revoke each other's key in the same moment, one is told CONFLICT."""
    first, second = await the_admin_key(api), (await create(api, "ADMIN"))["apiKey"]["id"]
    keys = api.services.keys
    for _ in range(5):
        results = await asyncio.gather(
            *(keys.revoke_key("demo", key, even_the_last=False) for key in (first, second)),
            return_exceptions=True,
        )
        refused = [result for result in results if isinstance(result, Exception)]
        assert [str(error)[:3] for error in refused] == ["id:"], results
        await api.database.api_keys.update_many({}, {"$set": {"revoked_at": None}})


async def test_the_owner_may_revoke_the_last_admin_key(make_api: Any) -> None:
    """Who manages all sites can make another one."""
    owner = "test-key-of-the-owner-of-this-instance"
    api = await make_api(owner_key=owner)
    last = await the_admin_key(api)
    response = await api.http.post(
        "/graphql",
        json={"query": REVOKE, "variables": {"id": last}},
        headers={"Authorization": f"Bearer {owner}", "X-Footfall-Site": "demo"},
    )
    assert response.json()["data"]["revokeKey"]["id"] == last
    assert await code_with(api, KEYS[Scope.ADMIN], KEYS_QUERY) == "UNAUTHENTICATED"
