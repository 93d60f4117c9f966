"""What clients send is not in the log: nobody can write lines of their own into it, or secrets."""

import asyncio
import logging
import socket
from typing import Any

import httpx
import pytest

from app.core.auth import Scope
from app.core.background import again_and_again
from tests.conftest import KEYS

MARK = "forged7f3"
LINE = f"{MARK}\r\nERROR footfall: all is lost\x1b[2J"


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


async def test_nothing_that_a_client_sends_is_logged(
    api: Any, everything_logged: pytest.LogCaptureFixture
) -> None:
    """Not in events, ids, queries, keys, headers and addresses, whether they are taken or refused; and
    the keys that are right are not either."""
    api.http.headers["Referer"] = f"https://{MARK}.example/"
    for field in ("itemId", "source", "pageUrl", "userAgent", "referrer", "id"):
        await api.track({"type": "CLICK", "itemId": "lot-1", field: LINE})
        await api.track({"type": "CLICK", "itemId": "lot-1", field: MARK})
    track = {"type": "IMPRESSION", "itemId": "lot-1", "properties": {MARK: LINE}}
    await api.track(track, scope=Scope.WRITE)
    queries = [
        f"{{ {MARK} }}",
        f'{{ item(id: "{MARK}") {{ {MARK} }} }}',
        f"{{ {MARK}",
        f'{{ explainEvent(eventId: "{MARK}") {{ state }} }}',
        f'mutation {MARK} {{ updateSite(input: {{timezone: "{MARK}"}}) {{ id }} }}',
    ]
    for query in queries:
        await api.post(query)
    for key in (MARK, f"Bearer {MARK}"):
        await api.http.post("/graphql", json={"query": "{x}"}, headers={"X-API-Key": key})
    await api.http.get(f"/{MARK}%0d%0aERROR", headers={"X-Footfall-Site": MARK, "Origin": MARK})
    await api.http.post("/graphql", content=MARK, headers={"Content-Type": "application/json"})
    text = _footfalls_own(everything_logged)
    assert MARK not in text
    assert not [key for key in KEYS.values() if key in text]


def test_a_running_server_logs_nothing_of_it_either(live_server: Any) -> None:
    """Nor does what is below the application: paths, headers and bodies, whole ones and broken ones."""
    with httpx.Client(base_url=live_server.url) as client:
        client.get(f"/{MARK}%0d%0aERROR?{MARK}", headers={"User-Agent": MARK, "Referer": MARK})
        client.get("/graphql", params={"query": f"{{ {MARK} }}"}, headers={"X-API-Key": MARK})
        client.post("/graphql", content=MARK, headers={"Content-Type": f"application/{MARK}"})
    host, port = live_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"{MARK} {MARK}\r\n\r\n".encode())
        while connection.recv(4096):
            pass
    log = live_server.log.read_text()
    assert log  # it has said that it started
    assert MARK not in log


async def test_an_internal_error_is_logged_on_lines_of_its_own(
    api: Any, everything_logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an exception says may have come from a client: line ends and control characters are written
    as such, and only the beginning is."""

    async def fails(*_: Any) -> None:
        raise RuntimeError(LINE + "x" * 1_000)

    monkeypatch.setattr("app.modules.sites.service.SiteService.get", fails)
    error = await api.refused('{ explainEvent(eventId: "a") { state } site { id } }')
    assert error["extensions"]["code"] == "INTERNAL"
    text = _footfalls_own(everything_logged)
    assert "internal error" in text
    assert "\x1b" not in text
    assert "\nERROR footfall" not in text
    assert "x" * 200 not in text


async def test_what_fails_behind_an_answer_is_logged_in_the_same_way(
    api: Any, everything_logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracking that a search does not wait for, and work in the background."""

    async def fails(*_: Any) -> None:
        raise RuntimeError(LINE + "x" * 1_000)

    monkeypatch.setattr("app.modules.tracking.commit.GroupCommit.submit", fails)
    await api.ask('mutation { createItem(input: {id: "lot-1", title: "Vase"}) { id } }')
    await api.ask('{ items(tracking: {sessionId: "s"}) { pagination { total } } }')
    await api.services.tracking.finish_background()
    tries, again = 0, asyncio.Event()

    async def dust() -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            again.set()
        await fails()

    work = asyncio.create_task(again_and_again("dusting", dust, 0, logging.getLogger("footfall")))
    await again.wait()
    work.cancel()
    text = _footfalls_own(everything_logged)
    assert "dusting failed" in text
    assert "1 events of an answer were not tracked" in text
    assert "\nERROR footfall" not in text
    assert "x" * 200 not in text


def _footfalls_own(log: pytest.LogCaptureFixture) -> str:
    """What Footfall and its server say, exceptions too; the test's own HTTP client and the driver at DEBUG
    do not count."""
    others = ("httpx", "httpcore", "pymongo", "asyncio")
    written = logging.Formatter("%(message)s")
    return "\n".join(
        written.format(record) for record in log.records if not record.name.startswith(others)
    )
