"""A connection of the HTTP server over a transport that takes notes: what arrives together is said exactly."""

import asyncio
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.http.connection import ARRIVAL_STATE, HttpConnection
from app.http.whole import WHOLE_STATE
from tests.sockets import until

CLIENT = ("192.0.2.7", 5000)


class Transport:
    """What the connection asks of its transport."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return CLIENT if name == "peername" else default

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        """Nothing is read that a test does not send."""

    def resume_reading(self) -> None:
        """Nothing either."""


class Answer:
    """One answer: its status, its headers in their order without the time, its body."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class _Answers:
    """Reads answers out of what was written."""

    def __init__(self, written: bytes, methods: list[str]) -> None:
        self.whole: list[Answer] = []
        self._methods = iter(methods)
        self._answer = Answer()
        while written:
            # A parser of its own for each, because an answer to HEAD has no body whatever it says.
            self.parser = httptools.HttpResponseParser(self)
            end = written.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            self._answer = Answer()
            self.parser.feed_data(written[:end])
            self._answer.status = self.parser.get_status_code()
            length = int(self._answer.header("content-length") or 0)
            if self._answer.status != 100 and next(self._methods) == "HEAD":
                length = 0
            if len(written) < end + length:
                return
            self._answer.body = written[end : end + length]
            self.whole.append(self._answer)
            written = written[end + length :]

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() != b"date":
            self._answer.headers.append((name.decode().lower(), value.decode()))


class Wire:
    """One connection to an application; `api` as in tests/conftest.py."""

    def __init__(self, api: Any) -> None:
        config = Config(api.app, log_config=None, interface="asgi3", access_log=False)
        config.load()
        self.server = ServerState()
        self.server.default_headers = [(b"server", b"test"), (b"date", b"now")]
        state = {ARRIVAL_STATE: 60.0, WHOLE_STATE: api.app.state.whole_requests}
        self.connection = HttpConnection(config, self.server, state)
        self.connection.access_log = False
        self.connection._whole = api.app.state.whole_requests
        self.transport = Transport()
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]
        self._methods: list[str] = []

    def send(self, *pieces: bytes, methods: tuple[str, ...] = ("POST",)) -> None:
        """These bytes arrive, piece by piece; they are requests with these methods."""
        self._methods += methods
        for piece in pieces:
            self.connection.data_received(piece)

    @property
    def answers(self) -> list[Answer]:
        """All that have come whole."""
        return _Answers(self.transport.written, self._methods).whole

    async def answer(self, count: int = 1) -> Answer:
        """The last of so many, once they have come."""
        await until(lambda: len(self.answers) >= count)
        return self.answers[count - 1]

    async def idle(self) -> None:
        """Once nothing is under way."""
        while self.server.tasks:
            await asyncio.wait(self.server.tasks)


def request(
    body: bytes,
    *headers: str,
    method: str = "POST",
    path: str = "/graphql",
    version: str = "1.1",
    key: str | None = "test-write-key",
    media_type: str = "application/json",
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/{version}", "Host: test", f"Content-Type: {media_type}"]
    lines += [f"X-API-Key: {key}"] if key else []
    if not any(header.lower().startswith("transfer-encoding") for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body
