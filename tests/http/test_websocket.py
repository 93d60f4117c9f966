"""A connection whose peer does not read."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.http.websocket import FAREWELL_SECONDS, STALLED_SECONDS, WebSocketConnection


class Transport:
    """What the connection asks of its transport."""

    def __init__(self) -> None:
        self.aborted = False
        self.written = b""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """With something left to be sent, a transport waits here."""

    def abort(self) -> None:
        self.aborted = True


class Timers:
    """A loop whose timers go off when the test says so."""

    def __init__(self) -> None:
        self.running: list[tuple[float, Any, Any]] = []

    def call_later(self, seconds: float, what: Any, *arguments: Any) -> Any:
        timer = asyncio.TimerHandle(seconds, what, arguments, asyncio.get_running_loop())
        self.running.append((seconds, what, timer))
        return timer

    def go_off(self, seconds: float) -> None:
        for after, what, timer in self.running:
            if after <= seconds and not timer.cancelled():
                what()


@pytest.fixture
async def connection() -> WebSocketConnection:
    """A connection over a transport that only takes notes."""
    config = Config("app.main:create_app", factory=True, log_config=None, interface="asgi3")
    config.loaded, config.loaded_app = True, None  # type: ignore[assignment]
    made = WebSocketConnection(config, ServerState(), {})
    made.loop = Timers()  # type: ignore[assignment]
    made.connection_made(Transport())  # type: ignore[arg-type]
    return made


async def test_a_peer_that_reads_nothing_is_cut_off(connection: WebSocketConnection) -> None:
    """What waits to be sent to it is let go of, and so is everyone who waits to send."""
    connection.pause_writing()
    connection.pause_writing()
    assert len(connection.loop.running) == 1
    connection.loop.go_off(STALLED_SECONDS - 1)
    assert not connection.transport.aborted
    connection.loop.go_off(STALLED_SECONDS)
    assert connection.transport.aborted
    connection.connection_lost(None)
    assert connection.writable.is_set()


async def test_a_peer_that_reads_in_time_is_not(connection: WebSocketConnection) -> None:
    """Every time that it lags it has the whole time again."""
    connection.pause_writing()
    connection.resume_writing()
    connection.loop.go_off(STALLED_SECONDS)
    assert not connection.transport.aborted
    connection.pause_writing()
    connection.loop.go_off(STALLED_SECONDS)
    assert connection.transport.aborted


async def test_a_peer_that_answers_no_pings_is_cut_off(connection: WebSocketConnection) -> None:
    """Closing alone would wait until everything is sent, which may be never."""
    connection.keepalive_timeout()
    connection.loop.go_off(FAREWELL_SECONDS)
    assert connection.transport.aborted
