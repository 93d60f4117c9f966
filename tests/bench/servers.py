"""What is measured: a mongod, the API in front of it, and a bare server to compare it with."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pymongo import MongoClient

from app.core.embedded import EmbeddedMongo
from tests.conftest import LiveServer, free_port, start_server, stop_server

ROOT = Path(__file__).parents[2]
WORKERS = 2
SITE = "demo"
DATABASE = "bench"
METRICS_TOKEN = "bench-metrics-token"
START_SECONDS = 60
STOP_SECONDS = 15
STARTED = "Application startup complete."


@dataclass(frozen=True, slots=True)
class Servers:
    """Everything that runs; `mongod_pid` is the process of `mongo_url`."""

    mongo_url: str
    mongod_pid: int
    api: LiveServer
    bare_port: int
    bare: "subprocess.Popen[bytes]"

    @property
    def api_port(self) -> int:
        return int(self.api.url.rpartition(":")[2])


@contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Start all of them in this folder; they are ended, and only they, when the block is left."""
    with (
        EmbeddedMongo(folder) as mongo_url,
        _api(mongo_url, folder) as api,
        _bare_server(folder) as (bare_port, bare),
    ):
        with MongoClient(mongo_url) as client:
            mongod_pid = int(client.admin.command("serverStatus")["pid"])
        yield Servers(mongo_url, mongod_pid, api, bare_port, bare)


def workers(pid: int) -> list[int]:
    """The processes of a uvicorn server that answer requests."""
    children = psutil.Process(pid).children()
    return [c.pid for c in children if any("spawn_main" in word for word in c.cmdline())]


@contextmanager
def _api(mongo_url: str, folder: Path) -> Iterator[LiveServer]:
    server = start_server(
        mongo_url,
        DATABASE,
        folder,
        FOOTFALL_WORKERS=str(WORKERS),
        FOOTFALL_METRICS_TOKEN=METRICS_TOKEN,
    )
    try:
        _wait_for_workers(server.process, server.log)
        yield server
    finally:
        try:
            stop_server(server)
        except subprocess.TimeoutExpired:
            _kill(server.process)


@contextmanager
def _bare_server(folder: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    port = free_port()
    log = folder / "bare.log"
    command = [
        *(sys.executable, "-m", "uvicorn", "tests.bench.bare:app", "--no-access-log"),
        *("--port", str(port), "--workers", str(WORKERS)),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        _wait_for_workers(process, log)
        yield port, process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)


def _wait_for_workers(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until every worker has said that it is ready: the port answers when the first one is."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if log.read_text().count(STARTED) >= WORKERS:
            return
        time.sleep(0.05)
    raise TimeoutError(f"a server did not start:\n{log.read_text()}")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a server that does not end by itself, with its workers."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()
