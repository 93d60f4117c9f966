"""The clients that people use, over real sockets: graphql-ws, Apollo Client, urql and Python's gql.

All of them listen at the same time while the server is killed, comes back, and revokes their key.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.conftest import LiveServer, free_port, start_server, stop_server

FOLDER = Path(__file__).parent
CLIENTS = {
    "graphql-ws": ["node", str(FOLDER / "client.js"), "graphql-ws"],
    "apollo": ["node", str(FOLDER / "client.js"), "apollo"],
    "urql": ["node", str(FOLDER / "client.js"), "urql"],
    "gql": [sys.executable, str(FOLDER / "client.py")],
}
CREATE = 'mutation { createKey(input: {scope: ADMIN, label: "clients"}) { key apiKey { id } } }'
REVOKE = "mutation ($id: ID!) { revokeKey(id: $id) { id } }"
TRACK = "mutation ($id: ID!) { trackPageView(input: {id: $id}) { verdict } }"


class Running:
    """One client's process, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[tuple[str, Any]] = []
        self._reading = asyncio.create_task(self._read())
        self._more = asyncio.Condition()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            async with self._more:
                self.said.append((told["step"], told["value"]))
                self._more.notify_all()

    async def until(self, step: str, value: Any, times: int = 1) -> None:
        """Wait until it has said this so often."""
        try:
            async with asyncio.timeout(30), self._more:
                await self._more.wait_for(lambda: self.said.count((step, value)) >= times)
        except TimeoutError:
            raise AssertionError(f"did not say {step} {value}, but {self.said}") from None

    async def exit_code(self) -> int:
        async with asyncio.timeout(60):
            await self._reading
            return await self._process.wait()


@asynccontextmanager
async def running(command: list[str], address: str, key: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *command, address, key, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def ask(server: LiveServer, query: str, **variables: Any) -> Any:
    """The data that the site's admin is answered over HTTP."""
    response = httpx.post(
        f"{server.url}/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {server.admin_key}"},
    )
    assert "errors" not in response.json(), response.text
    return response.json()["data"]


@pytest_asyncio.fixture(scope="module")
async def said(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, list[tuple[str, Any]]]]:
    """What each client has said from its first question to its end."""
    assert (FOLDER / "node_modules").exists(), "`make test` installs them"
    folder, port = tmp_path_factory.mktemp("clients"), free_port()
    database = f"{database_name}_clients"
    server = start_server(mongo_url, database, folder, port=port)
    try:
        made = ask(server, CREATE)["createKey"]
        address = server.url.replace("http", "ws") + "/graphql"
        async with AsyncExitStack() as stack:
            clients = {
                name: await stack.enter_async_context(running(command, address, made["key"]))
                for name, command in CLIENTS.items()
            }
            for client in clients.values():
                await client.until("STARTED", None)
            ask(server, TRACK, id="before")
            for client in clients.values():
                await client.until("EVENT", "before")
            server.process.kill()
            server.process.wait()
            server = start_server(mongo_url, database, folder, port=port)
            for client in clients.values():
                await client.until("STARTED", None, times=2)
            ask(server, TRACK, id="after")
            for client in clients.values():
                await client.until("EVENT", "after")
            ask(server, REVOKE, id=made["apiKey"]["id"])
            for client in clients.values():
                assert await client.exit_code() == 0
            yield {name: client.said for name, client in clients.items()}
    finally:
        stop_server(server)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("name", CLIENTS)
def test_queries_mutations_and_mistakes_go_over_the_socket(
    said: dict[str, list[tuple[str, Any]]], name: str
) -> None:
    """Each is answered as over HTTP, and an error brings its code along."""
    assert said[name][:3] == [
        ("query", "demo"),
        ("mutation", "ACCEPTED"),
        ("mistake", "BAD_USER_INPUT"),
    ]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_subscription_outlives_the_server(
    said: dict[str, list[tuple[str, Any]]], name: str
) -> None:
    """Killed and started again: the client is back by itself, with a new STARTED, and misses nothing after."""
    heard = [(step, value) for step, value in said[name][3:] if value in (None, "before", "after")]
    assert heard == [
        ("STARTED", None),
        ("EVENT", "before"),
        ("STARTED", None),
        ("EVENT", "after"),
    ]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_revoked_key_ends_the_subscription(
    said: dict[str, list[tuple[str, Any]]], name: str
) -> None:
    """UNAUTHENTICATED, and the client does not try again."""
    assert said[name][-1] == ("refused", "UNAUTHENTICATED")
