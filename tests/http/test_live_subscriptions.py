"""Subscriptions of a real server with two processes, over real sockets."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets

from app.modules.analytics.realtime.entries import MAX_UNREAD
from tests.conftest import LiveServer, start_server, stop_server

FEED = "subscription { eventFeed { kind event { eventId } } }"
# What it takes to fill the buffers of both systems with few events.
PAGES = " ".join(f"page{number}: page" for number in range(30))
WIDE_FEED = f"subscription {{ eventFeed {{ kind event {{ eventId {PAGES} }} }} }}"
TRACK = "mutation ($input: BatchInput!) { trackBatch(input: $input) { accepted } }"


@pytest.fixture(scope="module")
def two_processes(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of two processes with a database of its own."""
    folder = tmp_path_factory.mktemp("two-processes")
    server = start_server(mongo_url, f"{database_name}_two", folder, FOOTFALL_WORKERS="2")
    yield server
    stop_server(server)


class Reader:
    """One subscription to the feed."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def next(self) -> Any:
        """The next message's payload; None at the end."""
        message = json.loads(await asyncio.wait_for(self._connection.recv(), 60))
        return message.get("payload")

    async def event_ids(self, number: int) -> list[str]:
        """The ids of the next events."""
        entries = [(await self.next())["data"]["eventFeed"] for _ in range(number)]
        return [entry["event"]["eventId"] for entry in entries]


@asynccontextmanager
async def reading(server: LiveServer, query: str, **options: Any) -> AsyncIterator[Reader]:
    """A connection of its own with a subscription that has started."""
    url = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(url, subprotocols=["graphql-transport-ws"], **options) as opened:
        key = {"Authorization": f"Bearer {server.read_key}"}
        await opened.send(json.dumps({"type": "connection_init", "payload": key}))
        assert json.loads(await opened.recv())["type"] == "connection_ack"
        subscribe = {"id": "1", "type": "subscribe", "payload": {"query": query}}
        await opened.send(json.dumps(subscribe))
        reader = Reader(opened)
        started = await reader.next()
        assert started["data"]["eventFeed"]["kind"] == "STARTED", started
        yield reader


def events(prefix: str, number: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"type": "CUSTOM", "name": "x", "id": f"{prefix}-{place}", **more}
        for place in range(number)
    ]


async def track(server: LiveServer, client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
    response = await client.post(
        f"{server.url}/graphql",
        json={"query": TRACK, "variables": {"input": {"events": batch}}},
        headers={"Authorization": f"Bearer {server.write_key}"},
        timeout=60,
    )
    assert response.json()["data"]["trackBatch"]["accepted"] == len(batch)


async def test_every_reader_sees_every_event_once(two_processes: LiveServer) -> None:
    """Whichever process a reader is connected to and whichever accepts the event."""

    async def send(connection: int) -> None:
        async with httpx.AsyncClient() as client:
            for turn in range(5):
                await track(two_processes, client, events(f"once-{connection}-{turn}", 20))

    async with (
        reading(two_processes, FEED) as one,
        reading(two_processes, FEED) as two,
        reading(two_processes, FEED) as three,
        reading(two_processes, FEED) as four,
    ):
        await asyncio.gather(*[send(connection) for connection in range(8)])
        seen = [Counter(await reader.event_ids(800)) for reader in (one, two, three, four)]
    sent = Counter(
        f"once-{connection}-{turn}-{place}"
        for connection in range(8)
        for turn in range(5)
        for place in range(20)
    )
    assert all(each == sent for each in seen)


async def test_a_reader_that_does_not_read_is_dropped(two_processes: LiveServer) -> None:
    """Nobody waits for it: tracking and another reader go on, and it learns what it has missed."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    host, port = two_processes.url.removeprefix("http://").split(":")
    narrow.connect((host, int(port)))
    wide = {"pageUrl": f"https://shop.example/{'x' * 1_900}"}
    total = 0
    options: dict[str, Any] = {"compression": None, "max_queue": 1, "sock": narrow}
    async with (
        reading(two_processes, WIDE_FEED, **options) as slow,
        reading(two_processes, FEED) as fast,
        httpx.AsyncClient() as client,
    ):
        for turn in range(2 + MAX_UNREAD // 1_000):
            batch = events(f"slow-{turn}", 1_000 if turn else 200, **({} if turn else wide))
            await track(two_processes, client, batch)
            assert await fast.event_ids(len(batch)) == [event["id"] for event in batch]
            total += len(batch)
        read = 0
        while "errors" not in (payload := await slow.next()):
            read += 1
        [error] = payload["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["message"].startswith(f"Too slow: {total - read:,} events of the site")
        assert 0 < read < 200
        assert await slow.next() is None
        await track(two_processes, client, events("after", 1))
        assert await fast.event_ids(1) == ["after-0"]


async def test_the_server_stops_although_somebody_listens(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Connections are closed with 1012, service restart, and the process ends as it should."""
    folder = tmp_path_factory.mktemp("stopping")
    server = start_server(mongo_url, f"{database_name}_two", folder)
    async with reading(server, FEED) as reader:
        code = await asyncio.to_thread(stop_server, server)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await reader.next()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert code == 0
    assert "Traceback" not in server.log.read_text()
