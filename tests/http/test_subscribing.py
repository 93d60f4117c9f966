"""Subscriptions over graphql-transport-ws: who may, how many, and messages of every shape."""

from typing import Any

import pytest

from app.core.auth import Scope
from app.core.errors import UnavailableError
from app.http import socket_handler
from tests.sockets import FEED, Socket, connected, until

REALTIME = "subscription { realtime { events } }"


@pytest.mark.parametrize("query", [FEED, REALTIME])
async def test_a_write_key_may_not_listen(api: Any, query: str) -> None:
    """FORBIDDEN: such a key may be public. An admin key may."""
    async with connected(api, Scope.WRITE) as socket:
        error = await socket.error(socket.start(query))
        assert error["extensions"]["code"] == "FORBIDDEN"
    async with connected(api, Scope.ADMIN) as socket:
        assert await socket.data(socket.start(query))


@pytest.mark.parametrize("query", [FEED, REALTIME])
async def test_without_a_key_nothing_is_told(api: Any, query: str) -> None:
    """UNAUTHENTICATED."""
    async with connected(api, key="none-that-is-known") as socket:
        error = await socket.error(socket.start(query))
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_over_plain_http_there_are_none(api: Any, method: str) -> None:
    """The answer says where they are, and with which code."""
    headers = {"Authorization": "Bearer test-read-key"}
    if method == "GET":
        response = await api.http.get("/graphql", params={"query": REALTIME}, headers=headers)
    else:
        response = await api.http.post("/graphql", json={"query": REALTIME}, headers=headers)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert "WebSocket" in error["message"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "message",
    [
        [],
        "text",
        None,
        {},
        {"type": 1},
        {"type": "nothing"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": [], "payload": {"query": "{ site { id } }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": None},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "subscribe", "id": "1", "payload": {"query": 1}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}},
        {"type": "complete", "id": {}},
    ],
)
async def test_a_message_of_no_known_shape_closes_the_connection(
    api: Any, message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """4400 as the protocol says, and nothing that would have to be looked into."""
    async with connected(api) as socket:
        socket.tell(message)
        assert (await socket.closed)["code"] == 4400
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    "query",
    [
        "subscription { realtime { events } eventFeed { kind } }",
        "subscription { nothing }",
        "subscription { eventFeed { event { user } } }",
    ],
)
async def test_what_is_no_subscription_is_refused(api: Any, query: str) -> None:
    """BAD_USER_INPUT, and the connection stays."""
    async with connected(api) as socket:
        message = await socket.next(socket.start(query))
        assert message["type"] == "error"
        assert {e["extensions"]["code"] for e in message["payload"]} == {"BAD_USER_INPUT"}
        assert (await socket.data(socket.start("{ site { id } }"))) == {"id": "demo"}


async def test_init_may_have_no_payload(api: Any) -> None:
    """Null says the same as nothing: no key."""
    socket = Socket(api.app)
    socket.tell({"type": "connection_init", "payload": None})
    socket.tell(
        {"id": "1", "type": "subscribe", "payload": {"query": "{ site { id } }"}},
    )
    socket.leave_when(2)
    await socket.run()
    assert (await socket.error("1"))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_operations_on_a_connection_are_bounded(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LIMIT_EXCEEDED for one more; the others go on."""
    monkeypatch.setattr(socket_handler, "MAX_OPERATIONS", 2)
    async with connected(api) as socket:
        first, _second = await socket.feed(), await socket.feed()
        error = await socket.error(socket.start("{ site { id } }"))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        await api.track({"type": "PAGE_VIEW", "id": "a"})
        assert (await socket.event(first))["eventId"] == "a"


async def test_a_client_that_goes_away_is_nothing_to_be_logged(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """While something is sent to it, and while nothing is."""
    async with connected(api) as socket:
        await socket.feed()
        socket.fail()
        await api.track({"type": "PAGE_VIEW"})
        await until(lambda: socket.failed)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_while_the_database_is_away_operations_are_told_so(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UNAVAILABLE for an operation; a new connection is closed with 1013, try again later."""

    async def away(*_: Any) -> Any:
        raise UnavailableError

    async with connected(api) as socket:
        monkeypatch.setattr(api.services.keys, "authenticate", away)
        error = await socket.error(socket.start("{ site { id } }"))
        assert error["extensions"]["code"] == "UNAVAILABLE"
        new = Socket(api.app)
        new.tell({"type": "connection_init"})
        await new.run()
        assert (await new.closed)["code"] == socket_handler.TRY_AGAIN
