"""What the tests share: a real mongod, an application with a clock that stands still, a running server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pymongo
import pytest
import pytest_asyncio
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorDatabase

from app.core.auth import SITE_SCOPES, Scope
from app.core.clock import FixedClock
from app.core.config import Settings
from app.core.embedded import EmbeddedMongo
from app.main import create_app

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
KEYS = {scope: f"test-{scope.value}-key" for scope in SITE_SCOPES}
OWNER_KEY = "test-key-of-the-owner-of-all-sites"
OTHER_SITE_KEYS = {scope: f"other-{scope.value}-key" for scope in SITE_SCOPES}

hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("searching", derandomize=False)
hypothesis.settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no worker is still at it when the others have ended."""
    items.sort(key=lambda item: "properties" not in item.path.parts)


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """Settings of the machine must not decide what the tests see."""
    for name in list(os.environ):
        if name.startswith(("FOOTFALL_", "ANALYTICS_")) and name != "FOOTFALL_CHROMIUM":
            del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _no_certificates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test speaks TLS, and reading the machine's certificates takes each HTTP client 20 ms."""
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = str(tmp_path_factory.mktemp("no-certificates"))


@pytest.fixture(autouse=True, scope="session")
def the_version_is_asked_once() -> Iterator[None]:
    """Beanie asks the server for its version twice for each kind of document, whenever an application
    starts: a sixth of the time of a short test."""
    ask: Any = AsyncIOMotorDatabase.command
    told: list[Any] = []

    async def command(database: Any, command: Any, *arguments: Any, **named: Any) -> Any:
        if command != {"buildInfo": 1}:
            return await ask(database, command, *arguments, **named)
        if not told:
            told.append(await ask(database, command))
        return told[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncIOMotorDatabase, "command", command)
        yield


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real mongod, one for all test workers of this run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    # The tests' clock stands still at NOW, which is long ago for the server's: nothing may expire.
    with EmbeddedMongo(shared / "mongod", cache_gb=0.5, expires=False) as url:
        yield url


@pytest.fixture(scope="session")
def database_name() -> str:
    """Each worker has its own database."""
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@dataclass
class Api:
    """The application, asked over HTTP as a client would, without a socket in between."""

    app: FastAPI
    clock: FixedClock
    settings: Settings
    http: httpx.AsyncClient

    @property
    def services(self) -> Any:
        return self.app.state.services

    @property
    def database(self) -> Any:
        return self.app.state.client[self.settings.database]

    async def post(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        scope: Scope = Scope.ADMIN,
        keys: dict[Scope, str] = KEYS,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The whole answer: data and errors."""
        response = await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {keys[scope]}", **(headers or {})},
        )
        answer: dict[str, Any] = response.json()
        return answer

    async def ask(self, query: str, variables: dict[str, Any] | None = None, **kw: Any) -> Any:
        """The data of an answer that must have no errors."""
        answer = await self.post(query, variables, **kw)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refused(self, query: str, variables: dict[str, Any] | None = None, **kw: Any) -> Any:
        """The first error of an answer that must have one."""
        answer = await self.post(query, variables, **kw)
        assert answer.get("errors"), answer
        return answer["errors"][0]

    async def track(self, *events: dict[str, Any], **kw: Any) -> list[dict[str, Any]]:
        """Track events in one batch; their results."""
        data = await self.ask(
            """mutation ($input: BatchInput!) { trackBatch(input: $input) {
                 accepted duplicates rejected
                 results { verdict eventId reason message } } }""",
            {"input": {"events": list(events)}},
            **kw,
        )
        results: list[dict[str, Any]] = data["trackBatch"]["results"]
        return results


@asynccontextmanager
async def api_maker(mongo_url: str, database_name: str) -> AsyncIterator[Any]:
    """Makes applications, and closes them in the end: see `make_api`."""
    opened: list[Any] = []

    async def make(*, empty: bool = True, clock: FixedClock | None = None, **changes: Any) -> Api:
        settings = Settings(
            _env_file=None,
            **{
                "mongo_url": mongo_url,
                "database": database_name,
                "rate_limit": "off",
                "rollup_interval": 3600,  # a test that wants to have something rolled up says so
                "owner_key": OWNER_KEY,
                **{f"demo_{scope.value}_key": key for scope, key in KEYS.items()},
                **changes,
            },
        )
        if empty:
            empty_database(mongo_url, settings.database)
        clock = clock or FixedClock(NOW)
        app = create_app(settings, clock)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        await app.state.started.wait()  # a busy machine needs more than one try
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=("192.0.2.1", 5000)), base_url="http://test"
        )
        opened.append((lifespan, http))
        services = app.state.services
        await services.sites.ensure_site("other", "Another site")
        for scope, key in OTHER_SITE_KEYS.items():
            await services.keys.ensure_key("other", scope, key)
        return Api(app, clock, settings, http)

    yield make
    for lifespan, http in reversed(opened):
        await http.aclose()
        await lifespan.__aexit__(None, None, None)


@pytest_asyncio.fixture
async def make_api(mongo_url: str, database_name: str) -> AsyncIterator[Any]:
    """`await make_api(impression_cooldown=10)`: an application on an empty database of a real mongod."""
    async with api_maker(mongo_url, database_name) as make:
        yield make


@pytest_asyncio.fixture
async def api(make_api: Any) -> Api:
    """An application with default settings on an empty database of a real mongod; the clock says NOW."""
    made: Api = await make_api()
    return made


def empty_database(mongo_url: str, database: str) -> None:
    """Remove all documents; the indexes stay, because making them is what takes time."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        for name in client[database].list_collection_names():
            client[database][name].delete_many({})


@dataclass
class LiveServer:
    """A `footfall serve` process with the site demo."""

    url: str
    write_key: str
    read_key: str
    admin_key: str
    mongo_url: str
    database: str
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_server(
    mongo_url: str,
    database: str,
    folder: Path,
    *,
    wait: bool = True,
    port: int | None = None,
    **changes: str,
) -> LiveServer:
    """Start `footfall serve`, and wait until it is ready. The caller ends its process."""
    port = port or free_port()
    keys = {scope: f"live-{scope.value}-key" for scope in SITE_SCOPES}
    log = folder / f"serve-{port}.log"
    environment = {
        **os.environ,
        "FOOTFALL_MONGO_URL": mongo_url,
        "FOOTFALL_DATABASE": database,
        "FOOTFALL_PORT": str(port),
        "FOOTFALL_RATE_LIMIT": "off",
        **{f"FOOTFALL_DEMO_{scope.name}_KEY": key for scope, key in keys.items()},
        **changes,
    }
    program = Path(sys.executable).parent / "footfall"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve"], env=environment, cwd=folder, stdout=output, stderr=output
        )
    server = LiveServer(
        f"http://127.0.0.1:{port}",
        keys[Scope.WRITE],
        keys[Scope.READ],
        keys[Scope.ADMIN],
        mongo_url,
        database,
        process,
        log,
    )
    if wait:
        wait_until_ready(server)
    return server


def wait_until_ready(server: LiveServer, path: str = "/health/ready", seconds: float = 30) -> None:
    """Raises AssertionError with the server's log when it is not ready in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}{path}", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the server did not become ready:\n{server.log.read_text()}")


def wait_until_live(server: LiveServer) -> None:
    """The same for a server whose database is away."""
    wait_until_ready(server, "/health/live")


def stop_server(server: LiveServer) -> int:
    """End the server as an operator would; its exit code."""
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(timeout=15)


@pytest.fixture(scope="session")
def live_server(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server in a process of its own, with a database of its own."""
    server = start_server(mongo_url, f"{database_name}_live", tmp_path_factory.mktemp("live"))
    yield server
    stop_server(server)
