"""graphql-transport-ws on the same path, over a real socket."""

import json
from typing import Any

import pytest
import websockets

from tests.conftest import LiveServer


async def talk(
    server: LiveServer, init: dict[str, Any] | None, query: str, **options: Any
) -> list[dict[str, Any]]:
    """Connect, ask one thing, and return what came until it was complete."""
    url = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(url, subprotocols=["graphql-transport-ws"], **options) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": init}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        messages = []
        while True:
            message = json.loads(await socket.recv())
            messages.append(message)
            if message["type"] in ("complete", "error"):
                return messages


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_the_key_comes_with_the_first_message(live_server: LiveServer, name: str) -> None:
    """A query over the socket with the key in connection_init is answered."""
    messages = await talk(live_server, {name: f"Bearer {live_server.read_key}"}, "{ site { id } }")
    assert messages[0]["payload"]["data"] == {"site": {"id": "demo"}}


async def test_without_a_key_nothing_is_told(live_server: LiveServer) -> None:
    """UNAUTHENTICATED, as over HTTP."""
    [message] = await talk(live_server, {}, "{ site { id } }")
    assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_errors_have_a_code_here_too(live_server: LiveServer) -> None:
    """A field that there is not is told as over HTTP."""
    [message] = await talk(live_server, {"X-API-Key": live_server.read_key}, "{ nothing }")
    assert message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_key_may_be_a_header(live_server: LiveServer) -> None:
    """Clients that can set headers may."""
    messages = await talk(
        live_server,
        {},
        "{ site { id } }",
        additional_headers={"X-API-Key": live_server.read_key},
    )
    assert messages[0]["payload"]["data"] == {"site": {"id": "demo"}}
