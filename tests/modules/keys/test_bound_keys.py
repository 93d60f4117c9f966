"""Keys bound to the origins of pages, and to rates."""

from typing import Any

import pytest

from app.core.auth import Scope
from app.core.scalars import format_instant
from app.main import open_services
from tests.conftest import NOW
from tests.modules.keys.asking import UPDATE, code_with, create, one
from tests.sockets import Socket, connected

TRACK = 'mutation { trackClick(input: {itemId: "a"}) { verdict } }'
ASK = "{ site { id } }"
BOUND = {"allowedOrigins": ["https://Shop.example/", "http://localhost:3000"]}


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("https://shop.example", None),
        ("https://shop.example:443", None),
        ("HTTPS://SHOP.EXAMPLE", None),
        ("http://localhost:3000", None),
        (None, "FORBIDDEN"),
        ("", "FORBIDDEN"),
        ("null", "FORBIDDEN"),
        ("http://shop.example", "FORBIDDEN"),
        ("https://shop.example:8443", "FORBIDDEN"),
        ("https://shop.example.evil.example", "FORBIDDEN"),
        ("https://evil.example/?https://shop.example", "FORBIDDEN"),
        ("http://localhost:3001", "FORBIDDEN"),
    ],
)
@pytest.mark.parametrize("scope", ["WRITE", "READ"])
async def test_a_key_bound_to_origins(api: Any, scope: str, origin: str | None, code: Any) -> None:
    """It works for pages of these origins, however they are written, and for nobody else."""
    made = await create(api, scope, **BOUND)
    headers = {} if origin is None else {"Origin": origin}
    assert await code_with(api, made["key"], TRACK if scope == "WRITE" else ASK, **headers) == code


async def test_a_foreign_page_counts_nothing(api: Any) -> None:
    """Nothing is stored, not even in the ledger, and the message does not repeat the origin."""
    made = await create(api, "WRITE", **BOUND)
    response = await api.http.post(
        "/graphql",
        json={"query": TRACK},
        headers={"Authorization": f"Bearer {made['key']}", "Origin": "https://evil.example"},
    )
    assert "evil" not in response.text
    assert "origins" in response.json()["errors"][0]["message"]
    for collection in ("events", "decisions"):
        assert await api.database[collection].count_documents({}) == 0
    assert (await one(api, made["apiKey"]["id"]))["lastUsedAt"] is None


async def test_a_key_that_is_not_bound_works_from_everywhere(api: Any) -> None:
    """With any Origin header and with none; and so does one that was bound."""
    made = await create(api, "WRITE", **BOUND)
    assert await code_with(api, made["key"], TRACK) == "FORBIDDEN"
    await api.ask(UPDATE, {"id": made["apiKey"]["id"], "input": {"allowedOrigins": None}})
    assert await code_with(api, made["key"], TRACK) is None
    assert await code_with(api, made["key"], TRACK, Origin="https://evil.example") is None


@pytest.mark.parametrize(("rate", "allowed"), [("2/minute", 2), ("off", 4), (None, 3)])
async def test_the_rate_of_events_of_a_key(make_api: Any, rate: str | None, allowed: int) -> None:
    """A key's own rate counts instead of the instance's; the event after it is RATE_LIMITED."""
    api = await make_api(rate_limit_per_key="3/minute")
    made = await create(api, "WRITE", rateLimit=rate)
    events = [{"type": "PAGE_VIEW"}] * 4
    results = await api.track(*events, keys={Scope.ADMIN: made["key"]})
    reasons = [result["reason"] for result in results]
    assert reasons == [None] * allowed + ["RATE_LIMITED"] * (4 - allowed)
    other = await create(api, "WRITE", rateLimit=rate)
    [result] = await api.track(events[0], keys={Scope.ADMIN: other["key"]})
    assert result["reason"] is None


@pytest.mark.parametrize(("rate", "allowed"), [("2/hour", 2), ("off", 4), (None, 3)])
async def test_the_rate_of_queries_of_a_key(make_api: Any, rate: str | None, allowed: int) -> None:
    """RATE_LIMITED for the query after it, and how long to wait; events have a rate of their own."""
    api = await make_api(query_rate_limit="3/hour")
    made = await create(api, "ADMIN", rateLimit=rate)
    assert await code_with(api, made["key"], TRACK) is None
    codes = [await code_with(api, made["key"]) for _ in range(4)]
    assert codes == [None] * allowed + ["RATE_LIMITED"] * (4 - allowed)
    if allowed < 4:
        error = await api.refused(ASK, keys={Scope.ADMIN: made["key"]})
        assert 3_500 < error["extensions"]["retryAfter"] <= 3_600
    other = await create(api, "READ", rateLimit=rate)
    assert await code_with(api, other["key"]) is None


async def test_every_root_field_of_a_query_counts(make_api: Any) -> None:
    """Asking many things at once is no way around the rate; the fields within it are answered."""
    api = await make_api(query_rate_limit="2/hour")
    made = await create(api)
    fields = " ".join(f"a{place}: site {{ id }}" for place in range(4))
    answer = await api.post(f"{{ {fields} }}", keys={Scope.ADMIN: made["key"]})
    assert len([e for e in answer["errors"] if e["extensions"]["code"] == "RATE_LIMITED"]) >= 1
    assert await code_with(api, made["key"]) == "RATE_LIMITED"


async def test_over_a_socket_the_same_holds(make_api: Any) -> None:
    """Origins and rates hold for what comes over a connection as well."""
    api = await make_api(query_rate_limit="1/hour")
    made = await create(api, **BOUND)
    headers = {"Origin": "https://shop.example"}
    async with connected(api, key=made["key"], headers=headers) as socket:
        assert await socket.data(socket.start(ASK)) == {"id": "demo"}
        error = await socket.error(socket.start("subscription { realtime { events } }"))
        assert error["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
async def test_a_foreign_page_gets_no_connection(api: Any, headers: dict[str, str]) -> None:
    """It is closed with 4403 instead of being acknowledged."""
    made = await create(api, "WRITE", **BOUND)
    socket = Socket(api.app, headers)
    payload = {"Authorization": f"Bearer {made['key']}"}
    socket.tell({"type": "connection_init", "payload": payload})
    await socket.run()
    assert (await socket.closed)["code"] == 4403


async def test_the_last_use_is_written_later(api: Any) -> None:
    """No request waits for it: it is in the list once it is written, as it was when the key was used."""
    used, unused = await create(api), await create(api)
    assert await code_with(api, used["key"]) is None
    api.clock.advance(minutes=5)
    assert (await one(api, used["apiKey"]["id"]))["lastUsedAt"] is None
    await api.services.key_uses.write()
    assert (await one(api, used["apiKey"]["id"]))["lastUsedAt"] == format_instant(NOW)
    assert (await one(api, unused["apiKey"]["id"]))["lastUsedAt"] is None


async def test_the_last_use_never_goes_back(make_api: Any) -> None:
    """Whichever process writes last."""
    api = await make_api()
    made = await create(api)
    later = await make_api(empty=False)
    later.clock.advance(hours=1)
    for process in (later, api):
        assert await code_with(process, made["key"]) is None
    await later.services.key_uses.write()
    await api.services.key_uses.write()
    assert (await one(api, made["apiKey"]["id"]))["lastUsedAt"] == "2026-06-15T13:00:00.000Z"


async def test_what_cannot_be_written_waits(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last use that the database did not take is written the next time, and fails nothing."""
    made = await create(api)
    repository = api.services.key_uses._keys

    async def away(site: str, uses: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(repository, "record_uses", away)
        assert await code_with(api, made["key"]) is None
        await api.services.key_uses.write()
    await api.services.key_uses.write()
    assert (await one(api, made["apiKey"]["id"]))["lastUsedAt"] == format_instant(NOW)


async def test_last_uses_are_written_when_the_server_stops(api: Any) -> None:
    """Of the last minute, too."""
    made = await create(api)
    async with open_services(api.settings, api.clock, api.app.state.client) as services:
        assert await services.keys.authenticate(made["key"]) is not None
    assert (await one(api, made["apiKey"]["id"]))["lastUsedAt"] == format_instant(NOW)
