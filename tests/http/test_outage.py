"""The database away: answered in time, nothing lost, and back by itself."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.embedded import EmbeddedMongo, find_mongod
from tests.conftest import (
    LiveServer,
    free_port,
    start_server,
    stop_server,
    wait_until_live,
    wait_until_ready,
)

TRACK = 'mutation { trackClick(input: {itemId: "a", id: "%s"}) { verdict reason } }'


def track(server: LiveServer, event_id: str) -> dict[str, Any]:
    response = httpx.post(
        f"{server.url}/graphql",
        json={"query": TRACK % event_id},
        headers={"X-API-Key": server.write_key},
        timeout=8,
    )
    answer: dict[str, Any] = response.json()
    return answer


def mongod_pid(folder: Path) -> int:
    return int(json.loads((folder / "mongo" / "mongod.json").read_text())["pid"])


@pytest.mark.timeout(120)
def test_a_frozen_database_is_unavailable_within_five_seconds(tmp_path: Path) -> None:
    """While mongod hangs: UNAVAILABLE in time and not ready, but alive; the same id counts once after."""
    with EmbeddedMongo(tmp_path, cache_gb=0.25) as url:
        server = start_server(url, "outage", tmp_path)
        try:
            assert track(server, "before")["data"]["trackClick"]["verdict"] == "ACCEPTED"
            os.kill(mongod_pid(tmp_path), signal.SIGSTOP)
            try:
                began = time.monotonic()
                answer = track(server, "during")
                assert time.monotonic() - began < 5.5
                assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
                assert httpx.get(f"{server.url}/health/ready", timeout=5).status_code == 503
                assert httpx.get(f"{server.url}/health/live", timeout=5).status_code == 200
            finally:
                os.kill(mongod_pid(tmp_path), signal.SIGCONT)
            wait_until_ready(server)
            # Whether the write that hung came through or not, sending it again settles it.
            verdicts = {track(server, "during")["data"]["trackClick"]["verdict"] for _ in range(2)}
            assert verdicts <= {"ACCEPTED", "DUPLICATE"}
            assert track(server, "during")["data"]["trackClick"]["verdict"] == "DUPLICATE"
        finally:
            assert stop_server(server) == 0


@pytest.mark.timeout(120)
def test_a_server_starts_without_its_database_and_waits_for_it(tmp_path: Path) -> None:
    """Live but not ready while MongoDB is away; ready by itself when it comes back."""
    with EmbeddedMongo(tmp_path, cache_gb=0.25) as url:
        os.kill(mongod_pid(tmp_path), signal.SIGSTOP)
        server = start_server(url, "late", tmp_path, wait=False)
        try:
            wait_until_live(server)
            assert httpx.get(f"{server.url}/health/ready", timeout=5).status_code == 503
            assert track(server, "early")["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            os.kill(mongod_pid(tmp_path), signal.SIGCONT)
            wait_until_ready(server)
            assert track(server, "early")["data"]["trackClick"]["verdict"] == "ACCEPTED"
        finally:
            os.kill(mongod_pid(tmp_path), signal.SIGCONT)
            assert stop_server(server) == 0


@pytest.mark.timeout(120)
def test_a_lone_server_is_told_what_it_lacks(tmp_path: Path) -> None:
    """A mongod that is no replica set cannot keep what it acknowledges: not ready, and the reason says how."""
    port = free_port()
    (tmp_path / "db").mkdir()
    arguments = ["--dbpath", str(tmp_path / "db"), "--port", str(port), "--bind_ip", "127.0.0.1"]
    with subprocess.Popen(
        [find_mongod(), *arguments, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
        stdout=subprocess.DEVNULL,
    ) as mongod:
        server = start_server(f"mongodb://127.0.0.1:{port}/", "lone", tmp_path, wait=False)
        try:
            wait_until_live(server)
            deadline = time.monotonic() + 20
            reason = ""
            while "replica set" not in reason and time.monotonic() < deadline:
                reason = httpx.get(f"{server.url}/health/ready", timeout=5).json()["reason"]
                time.sleep(0.1)
            assert "--replSet" in reason
            assert track(server, "early")["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        finally:
            assert stop_server(server) == 0
            mongod.terminate()
