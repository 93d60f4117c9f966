"""A connection whose client does not send, or does not read."""

from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.http.connection import ARRIVAL_STATE, GRACE_SECONDS, STALLED_SECONDS, HttpConnection
from tests.http.test_websocket import Timers, Transport

ARRIVAL = 7.0
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture
async def connection() -> Any:
    """A connection over a transport that only takes notes, and timers that go off when told so."""
    config = Config("app.main:create_app", factory=True, log_config=None, interface="asgi3")
    config.loaded, config.loaded_app = True, None  # type: ignore[assignment]
    config.ws_protocol_class = None
    made = HttpConnection(config, ServerState(), {ARRIVAL_STATE: ARRIVAL})
    made.loop = Timers()  # type: ignore[assignment]
    made._start_asgi_task = lambda *_: None  # type: ignore[method-assign]
    made.connection_made(Transport())  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("sent", [b"", b"POST", HEAD, HEAD + b"1234"])
async def test_a_request_has_so_long_to_arrive(connection: Any, sent: bytes) -> None:
    """Not whole by then: the connection is cut, and not a moment before."""
    if sent:
        connection.data_received(sent)
    connection.loop.go_off(ARRIVAL + GRACE_SECONDS - 0.1)
    assert not connection.transport.aborted
    connection.loop.go_off(ARRIVAL + GRACE_SECONDS)
    assert connection.transport.aborted


async def test_one_that_has_arrived_may_take_its_time(connection: Any) -> None:
    """How long its answer takes is another matter."""
    connection.data_received(HEAD + b"12345")
    connection.loop.go_off(ARRIVAL + GRACE_SECONDS)
    assert not connection.transport.aborted


async def test_bytes_that_trickle_do_not_prolong_it(connection: Any) -> None:
    """The time is the request's, not that of its parts."""
    for byte in HEAD:
        connection.data_received(bytes([byte]))
    assert len(connection.loop.running) == 1


async def test_an_answer_that_is_not_read_ends(connection: Any) -> None:
    """What waits to be sent is let go of; who reads in time has the whole time again."""
    connection.data_received(HEAD + b"12345")
    connection.pause_writing()
    connection.resume_writing()
    connection.loop.go_off(STALLED_SECONDS)
    assert not connection.transport.aborted
    connection.pause_writing()
    connection.loop.go_off(STALLED_SECONDS)
    assert connection.transport.aborted
