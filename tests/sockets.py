"""A graphql-transport-ws client of the application itself, without a network in between.

It decides when the application may send: a reader that does not read is one that holds.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from app.core.auth import Scope
from tests.conftest import KEYS

FEED = """subscription ($types: [EventType!], $itemId: ID) { eventFeed(types: $types, itemId: $itemId) {
  kind at event { eventId type name itemId page source device browser os country timestamp receivedAt
                  visitor session } } }"""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what another task brings about."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # there is nothing that would tell
            await asyncio.sleep(0.005)


class Socket:
    """One connection."""

    def __init__(self, app: Any, headers: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = [
            (name.lower().encode(), value.encode()) for name, value in (headers or {}).items()
        ]
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._arrived: dict[str, asyncio.Queue[dict[str, Any]]] = defaultdict(asyncio.Queue)
        self._may_send = asyncio.Event()
        self._may_send.set()
        self._ids = count(1)
        # The message that ended the connection, or refused it.
        self.closed: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.sent = 0
        self.failed = False
        self._fails = False
        self._leaves_at: int | None = None

    async def run(self) -> None:
        """The application's side of the connection."""
        scope = {
            "type": "websocket", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"",
            "root_path": "", "scheme": "ws", "headers": self._headers, "client": ("192.0.2.1", 5000),
            "server": ("test", 80), "subprotocols": ["graphql-transport-ws"],
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        await self._app(scope, self._to_app.get, self._send)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._may_send.wait()
        if self._fails:
            self.failed = True
            raise OSError("the client has gone")
        if message["type"] in ("websocket.close", "websocket.http.response.start"):
            self.closed.set_result(message)
            self.leave()
        elif message["type"] == "websocket.send":
            self.sent += 1
            told = json.loads(message["text"])
            self._arrived[told.get("id", told["type"])].put_nowait(told)
            if self.sent == self._leaves_at:
                self.leave()

    def hold(self) -> None:
        """Read nothing more: the application's next send waits."""
        self._may_send.clear()

    def release(self) -> None:
        """Read again."""
        self._may_send.set()

    def tell(self, message: Any) -> None:
        """Send a message, of any shape."""
        self._to_app.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def fail(self) -> None:
        """Be gone, without a word: the application's next send fails."""
        self._fails = True

    def leave_when(self, sent: int) -> None:
        """Leave after so many messages."""
        self._leaves_at = sent

    def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def next(self, operation: str) -> dict[str, Any]:
        """The next message of an operation, by its id, or of a type that has none."""
        return await asyncio.wait_for(self._arrived[operation].get(), 20)

    def start(self, query: str, **variables: Any) -> str:
        """Begin an operation; its id."""
        operation = str(next(self._ids))
        payload = {"query": query, "variables": variables}
        self.tell({"id": operation, "type": "subscribe", "payload": payload})
        return operation

    def complete(self, operation: str) -> None:
        """End an operation."""
        self.tell({"id": operation, "type": "complete"})

    async def data(self, operation: str) -> Any:
        """What the root field of the next message has, which must be without errors."""
        message = await self.next(operation)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        [value] = message["payload"]["data"].values()
        return value

    async def error(self, operation: str) -> dict[str, Any]:
        """The error that an operation ends with, which must be its next message."""
        message = await self.next(operation)
        if message["type"] == "error":
            [error] = message["payload"]
        else:
            [error] = message["payload"]["errors"]
            assert (await self.next(operation))["type"] == "complete"
        found: dict[str, Any] = error
        return found

    async def feed(self, **variables: Any) -> str:
        """Subscribe to eventFeed; its id once STARTED has come."""
        operation = self.start(FEED, **variables)
        entry = await self.data(operation)
        assert (entry["kind"], entry["event"]) == ("STARTED", None)
        return operation

    async def event(self, operation: str) -> dict[str, Any]:
        """The next event of a feed."""
        entry = await self.data(operation)
        assert entry["kind"] == "EVENT", entry
        found: dict[str, Any] = entry["event"]
        return found

    def waiting(self, operation: str) -> int:
        """How many messages of the operation have come and were not looked at."""
        return self._arrived[operation].qsize()


@asynccontextmanager
async def connected(
    api: Any,
    scope: Scope = Scope.READ,
    keys: dict[Scope, str] = KEYS,
    key: str | None = None,
    payload: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Socket]:
    """A connection with a key, or with another payload of connection_init."""
    socket = Socket(api.app, headers)
    running = asyncio.create_task(socket.run())
    try:
        socket.tell(
            {
                "type": "connection_init",
                "payload": payload or {"Authorization": f"Bearer {key or keys[scope]}"},
            }
        )
        await socket.next("connection_ack")
        yield socket
    finally:
        socket.release()
        socket.leave()
        await asyncio.wait_for(running, 10)
