"""`footfall keys`, against a server of two processes."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from app.schemas.api_key import PUBLIC_ID_LENGTH
from tests.conftest import LiveServer, start_server, stop_server

PROGRAM = Path(sys.executable).parent / "footfall"
REALTIME = "subscription { realtime { events } }"
LOG = """{ adminActions(range: {preset: ALL}) { data {
  action keyId keyLabel target result code changes { name new } } } }"""


@pytest.fixture(scope="module")
def server(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of two processes with a database of its own."""
    folder = tmp_path_factory.mktemp("keys")
    server = start_server(mongo_url, f"{database_name}_keys", folder, FOOTFALL_WORKERS="2")
    yield server
    stop_server(server)


def keys(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `footfall keys`."""
    environment = {
        **os.environ,
        "FOOTFALL_MONGO_URL": server.mongo_url,
        "FOOTFALL_DATABASE": server.database,
        "COLUMNS": "250",
    }
    return subprocess.run(
        [PROGRAM, "keys", *arguments],
        env=environment, cwd=server.log.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def made(server: LiveServer, *arguments: str) -> str:
    """Run it where it makes a key: the key, which is all that it prints."""
    done = keys(server, *arguments)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"ff_[a-z]+_[\w-]{32}\n", done.stdout)
    return done.stdout.strip()


def line_of(server: LiveServer, key: str) -> str:
    """What `list` says of a key."""
    lines = keys(server, "list").stdout.splitlines()
    [found] = [line for line in lines if key[:14] in line]
    assert key not in found
    return found


def id_of(server: LiveServer, key: str) -> str:
    found = re.search(rf"[0-9a-f]{{{PUBLIC_ID_LENGTH}}}", line_of(server, key))
    assert found is not None
    return found[0]


def ask(server: LiveServer, key: str, query: str, **headers: str) -> Any:
    response = httpx.post(
        f"{server.url}/graphql",
        json={"query": query},
        headers={"Authorization": f"Bearer {key}", **headers},
        timeout=30,
    )
    return response.json()


async def listening(server: LiveServer, key: str, stack: AsyncExitStack) -> Any:
    """A connection with a subscription that has told something."""
    url = server.url.replace("http", "ws") + "/graphql"
    opened = await stack.enter_async_context(
        websockets.connect(url, subprotocols=["graphql-transport-ws"])
    )
    payload = {"Authorization": f"Bearer {key}"}
    await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": REALTIME}}
    await opened.send(json.dumps(subscribe))
    for expected in ("connection_ack", "next"):
        assert json.loads(await asyncio.wait_for(opened.recv(), 30))["type"] == expected
    return opened


async def close_code(opened: Any) -> Any:
    """What the connection is closed with."""
    with suppress(websockets.ConnectionClosed):
        while True:
            await asyncio.wait_for(opened.recv(), 60)
    return opened.close_code


async def test_a_key_that_a_command_revokes_is_gone_everywhere(server: LiveServer) -> None:
    """Every open connection with it, in whichever process, is closed with 4401; that of another key
    is not, and the log of admin actions has it all."""
    key, other = made(server, "create", "read", "--label", "gone"), server.read_key
    key_id = id_of(server, key)
    async with AsyncExitStack() as stack:
        sockets = await asyncio.gather(*(listening(server, key, stack) for _ in range(12)))
        kept = await listening(server, other, stack)
        done = await asyncio.to_thread(keys, server, "revoke", key_id)
        assert (done.returncode, done.stdout) == (0, f"revoked {key_id}: read, gone\n")
        codes = await asyncio.gather(*(close_code(opened) for opened in sockets))
        assert codes == [4401] * 12
        await kept.send('{"type": "ping"}')
        while json.loads(await asyncio.wait_for(kept.recv(), 30))["type"] != "pong":
            pass
    for _ in range(10):
        assert ask(server, key, "{ site { id } }")["errors"][0]["extensions"]["code"] == (
            "UNAUTHENTICATED"
        )
    actions = ask(server, server.admin_key, LOG)["data"]["adminActions"]["data"]
    [revoked, created] = [action for action in actions if action["target"] == key_id]
    by_hand = {"keyId": None, "keyLabel": None, "result": "DONE", "code": None, "target": key_id}
    assert revoked == {"action": "revokeKey", "changes": [], **by_hand}
    changes = {change["name"]: change["new"] for change in created.pop("changes")}
    assert created == {"action": "createKey", **by_hand}
    assert (changes["scope"], changes["label"]) == ("read", "gone")


def test_a_key_made_by_a_command_has_what_it_was_given(server: LiveServer) -> None:
    """Origins, a rate and an end; they hold, and the list shows them."""
    key = made(
        server, "create", "write", "--label", "shop", "--origin", "https://Shop.example/",
        "--rate", "2/minute", "--days", "30",
    )  # fmt: skip
    line = line_of(server, key)
    assert all(text in line for text in ("write", "shop", "https://shop.example", "2/minute"))
    track = "mutation { trackPageView(input: {}) { verdict } }"
    answer = ask(server, key, track)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "errors" not in ask(server, key, track, Origin="https://shop.example")


def test_a_key_is_rotated(server: LiveServer) -> None:
    """By its id or its first characters: the new one is printed, the old one is revoked."""
    old = made(server, "create", "read", "--label", "rotated")
    new = made(server, "rotate", old[:14])
    again = made(server, "rotate", id_of(server, new), "--grace", "3600")
    assert "revoked" in line_of(server, old)
    for key in (new, again):
        assert "errors" not in ask(server, key, "{ site { id } }")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("revoke", "ff_read_unknown"), "no key"),
        (("rotate", "0" * 16), "no key"),
        (("create", "read", "--rate", "many"), "rate"),
        (("create", "read", "--origin", "shop"), "origins"),
        (("create", "owner"), "write, read or admin"),
    ],
)
def test_what_a_command_cannot_do(
    server: LiveServer, arguments: tuple[str, ...], message: str
) -> None:
    """It says why in a line or two, and ends with an error."""
    done = keys(server, *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
