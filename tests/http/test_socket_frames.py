"""Frames of every kind over real sockets: each wrong one closes the connection with its own code."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
import websockets

from tests.conftest import LiveServer
from tests.sockets import Socket, connected

TRANSPORT = "graphql-transport-ws"
MOST = 256 * 1024
INIT = json.dumps({"type": "connection_init"})


def subscribe(operation_id: Any = "1", **payload: Any) -> str:
    """A subscription that stays open, unless the payload is another."""
    feed = {"query": "subscription { eventFeed { kind } }"}
    return json.dumps({"type": "subscribe", "id": operation_id, "payload": {**feed, **payload}})


def sized(size: int) -> str:
    """A ping of so many bytes."""
    frame = json.dumps({"type": "ping", "payload": {"a": ""}})
    return frame.replace('""', f'"{"x" * (size - len(frame))}"')


BEFORE_INIT = {
    "half an object": ("{", 4400),
    "no JSON": ("hello", 4400),
    "nothing": ("", 4400),
    "NaN": ('{"type": NaN}', 4400),
    "5,000 digits": ("1" * 5_000, 4400),
    "5,000 digits inside": (f'{{"type": "nothing", "a": {"1" * 5_000}}}', 4400),
    "100,000 levels": ("[" * 100_000, 4400),
    "null": ("null", 4400),
    "a list": ("[]", 4400),
    "no type": ("{}", 4400),
    "a type of 1,000 characters": (json.dumps({"type": "x" * 1_000}), 4400),
    "a type of half a character": ('{"type": "\\ud800"}', 4400),
    "a message of the old protocol": (json.dumps({"type": "start", "id": "1"}), 4400),
    "a list of parameters": (json.dumps({"type": "connection_init", "payload": []}), 4400),
    "an operation before init": (subscribe(), 4401),
    "bytes": (b"\x00\x01", 4400),
    "JSON as bytes": (INIT.encode(), 4400),
    "more than 256 KB": (sized(MOST + 1), 1009),
    "more than 256 KB in parts": ([sized(MOST + 2)[:MOST], "}" * 10], 1009),
}
AFTER_INIT = {
    "init again": ([INIT], 4429),
    "no id": ([json.dumps({"type": "subscribe", "payload": {"query": "{ a }"}})], 4400),
    "a number for an id": ([subscribe(1)], 4400),
    "an empty id": ([subscribe("")], 4400),
    "an id of 129 characters": ([subscribe("x" * 129)], 4400),
    "an id twice": ([subscribe("a"), subscribe("a")], 4409),
    "an id of 128 characters twice": ([subscribe("x" * 128), subscribe("x" * 128)], 4409),
    "half a character for an id, twice": ([subscribe("\ud800"), subscribe("\ud800")], 4409),
    "no query": ([subscribe(query=None)], 4400),
    "a list of variables": ([subscribe(variables=[])], 4400),
    "an object for a name": ([subscribe(operationName={})], 4400),
}


def connect(server: LiveServer, **options: Any) -> Any:
    address = server.url.replace("http", "ws") + "/graphql"
    key = {"X-API-Key": server.read_key}
    return websockets.connect(
        address, **{"subprotocols": [TRANSPORT], "additional_headers": key, **options}
    )


async def closed_with(socket: Any) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(20):
        await socket.wait_closed()
    code: int | None = socket.close_code
    return code


async def is_well(server: LiveServer) -> None:
    """It answers others, and has logged nothing that would have to be looked into."""
    async with connect(server) as socket:
        await socket.send(INIT)
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log


@pytest.mark.parametrize("name", BEFORE_INIT)
async def test_a_wrong_first_frame_has_its_code(live_server: LiveServer, name: str) -> None:
    """Whatever it is, the connection ends as the protocol says and the server does not mind."""
    frame, code = BEFORE_INIT[name]
    async with connect(live_server) as socket:
        await socket.send(frame)
        assert await closed_with(socket) == code
    await is_well(live_server)


@pytest.mark.parametrize("name", AFTER_INIT)
async def test_a_wrong_frame_later_has_its_code(live_server: LiveServer, name: str) -> None:
    """The same for a client that is known already."""
    frames, code = AFTER_INIT[name]
    async with connect(live_server) as socket:
        for frame in [INIT, *frames]:
            await socket.send(frame)
        assert await closed_with(socket) == code
    await is_well(live_server)


async def test_text_that_is_no_utf_8_has_its_code(live_server: LiveServer) -> None:
    """1007, as WebSocket itself says."""
    async with connect(live_server) as socket:
        await socket.send(b'"\xff"', text=True)
        assert await closed_with(socket) == 1007
    await is_well(live_server)


async def test_a_frame_of_256_kb_is_read(live_server: LiveServer) -> None:
    """The bound itself is within; and a ping is answered with a pong before anybody is known."""
    async with connect(live_server) as socket:
        await socket.send(sized(MOST))
        assert json.loads(await socket.recv()) == {"type": "pong"}


@pytest.mark.parametrize("protocols", [["graphql-ws"], ["something"], None], ids=str)
async def test_other_protocols_are_refused(
    live_server: LiveServer, protocols: Iterable[str] | None
) -> None:
    """4406 for the protocol of before, for an unknown one and for none."""
    async with connect(live_server, subprotocols=protocols) as socket:
        assert await closed_with(socket) == 4406
    await is_well(live_server)


async def test_what_ends_nothing_is_passed_over(live_server: LiveServer) -> None:
    """The end of an operation that is not there, a pong that nobody asked for: the next is answered."""
    async with connect(live_server) as socket:
        for message in [
            {"type": "connection_init", "payload": None},
            {"type": "pong"},
            {"type": "complete", "id": "none"},
            {"type": "ping", "payload": {"a": 1}},
        ]:
            await socket.send(json.dumps(message))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        assert json.loads(await socket.recv()) == {"type": "pong"}


async def test_who_does_not_say_init_is_let_go(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4408 when the time is over; three seconds, as long as nobody says otherwise."""
    from app.http import graphql

    assert graphql.INIT_SECONDS == 3
    monkeypatch.setattr(graphql, "INIT_SECONDS", 0.01)
    socket = Socket((await make_api()).app)
    await socket.run()
    assert (await socket.closed)["code"] == 4408


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("https://evil.example", 4403),
        ("https://shop.example.evil.example", 4403),
        ("null", 4403),
        ("https://shop.example", None),
        (None, None),
    ],
)
async def test_pages_of_other_origins_are_refused(
    api: Any, origin: str | None, code: int | None
) -> None:
    """4403 where the key's site allows certain origins and the page is of none of them."""
    await api.ask(
        'mutation { updateSite(input: {allowedOrigins: ["https://shop.example"]}) { id } }'
    )
    headers = {} if origin is None else {"Origin": origin}
    if code is None:
        async with connected(api, headers=headers) as socket:
            assert await socket.data(socket.start("{ site { id } }")) == {"id": "demo"}
        return
    socket = Socket(api.app, {"X-API-Key": "test-read-key", **headers})
    socket.tell({"type": "connection_init"})
    await socket.run()
    assert (await socket.closed)["code"] == code
