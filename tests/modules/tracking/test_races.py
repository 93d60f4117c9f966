"""Several processes at once, over real sockets."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from tests.conftest import LiveServer, start_server, stop_server

TRACK = """mutation ($input: TrackInput!) { trackImpression(input: $input) { verdict reason } }"""


@pytest.fixture(scope="module")
def servers(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[LiveServer]]:
    """Two servers on one database, one of them with two workers."""
    folder, database = tmp_path_factory.mktemp("races"), f"{database_name}_races"
    started = [
        start_server(mongo_url, database, folder),
        start_server(mongo_url, database, folder, FOOTFALL_WORKERS="2"),
    ]
    yield started
    for server in started:
        stop_server(server)


async def send_everywhere(
    servers: list[LiveServer], inputs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Send each input to the servers in turn, all at once, each over a connection of its own."""

    async def send(server: LiveServer, sent: dict[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=30) as client:
            response = await client.post(
                f"{server.url}/graphql",
                json={"query": TRACK, "variables": {"input": sent}},
                headers={"X-API-Key": server.write_key},
            )
            answer: dict[str, Any] = response.json()
            assert "errors" not in answer, answer
            result: dict[str, Any] = answer["data"]["trackImpression"]
            return result

    return await asyncio.gather(
        *[send(servers[place % len(servers)], sent) for place, sent in enumerate(inputs)]
    )


async def test_the_same_impression_200_times_at_once_counts_once(servers: list[LiveServer]) -> None:
    """Over three worker processes: 1 ACCEPTED, 199 DUPLICATE, one event stored."""
    for attempt in range(3):
        sent = {"itemId": f"lot-{attempt}", "sessionId": "crowd"}
        results = await send_everywhere(servers, [sent] * 200)
        assert Counter(r["verdict"] for r in results) == {"ACCEPTED": 1, "DUPLICATE": 199}
        with MongoClient(servers[0].mongo_url) as client:
            stored = client[servers[0].database]["events"].count_documents({"item": sent["itemId"]})
        assert stored == 1


async def test_one_id_at_once_counts_once_whatever_it_says(servers: list[LiveServer]) -> None:
    """The same event id with different items, everywhere at once: one is stored, the rest are replays,
    and no replay keeps the claim of an item that did not count."""
    inputs = [{"id": "same", "itemId": f"item-{n % 10}", "sessionId": "ids"} for n in range(60)]
    results = await send_everywhere(servers, inputs)
    assert Counter(r["verdict"] for r in results) == {"ACCEPTED": 1, "DUPLICATE": 59}
    fresh = [{"itemId": f"item-{n}", "sessionId": "ids"} for n in range(10)]
    again = await send_everywhere(servers, fresh)
    assert Counter(r["verdict"] for r in again) == {"ACCEPTED": 9, "DUPLICATE": 1}
