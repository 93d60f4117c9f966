"""No more requests at once than may be."""

import asyncio
from typing import Any

import pytest

from app.core.auth import Scope
from app.http.gate import Gate, Places
from tests.http.test_metrics import TOKEN, scrape, value
from tests.sockets import connected

SITE = "{ site { id } }"
PAGE_VIEW = {"type": "PAGE_VIEW"}
BATCH = "mutation ($input: BatchInput!) { trackBatch(input: $input) { accepted rejected } }"
BUSY = "footfall_refused_requests_total"
UNDER_WAY = "footfall_requests_under_way"


async def test_one_more_than_may_be_is_told_to_come_again(make_api: Any) -> None:
    """503 with Retry-After at once while the others are answered; then there is room again."""
    api = await make_api(metrics_token=TOKEN, max_concurrency=2)
    before = await scrape(api)
    go_on, begun = asyncio.Event(), [asyncio.Event(), asyncio.Event()]

    async def slow_body(began: asyncio.Event) -> Any:
        began.set()
        await go_on.wait()
        yield b'{"query": "{ site { id } }"}'

    headers = {"x-api-key": "test-read-key", "content-type": "application/json"}
    waiting = [
        asyncio.create_task(api.http.post("/graphql", content=slow_body(began), headers=headers))
        for began in begun
    ]
    await asyncio.gather(*(began.wait() for began in begun))
    refused = await api.http.get("/graphql")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert (await api.http.get("/health/live")).status_code == 200
    assert (await api.http.get("/health/ready")).status_code == 200

    go_on.set()
    for response in await asyncio.gather(*waiting):
        assert response.json()["data"]["site"]["id"] == "demo"
    after = await scrape(api)
    assert value(after, BUSY) - value(before, BUSY) >= 1
    assert value(after, UNDER_WAY) == value(before, UNDER_WAY)


async def test_operations_on_sockets_are_counted_as_well(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is worked on there is no room for another, on any connection and over HTTP; UNAVAILABLE
    is told at once, the connections stay, and then there is room again."""
    api = await make_api(metrics_token=TOKEN, max_concurrency=1)
    before = await scrape(api)
    begun, go_on = asyncio.Event(), asyncio.Event()
    get = api.services.sites.get

    async def slow_get(site: str) -> Any:
        begun.set()
        await go_on.wait()
        return await get(site)

    async with connected(api) as first, connected(api) as other:
        monkeypatch.setattr(api.services.sites, "get", slow_get)
        under_way = first.start(SITE)
        await begun.wait()
        for socket in (first, other):
            error = await socket.error(socket.start(SITE))
            assert error["extensions"]["code"] == "UNAVAILABLE"
            assert "under way" in error["message"]
        refused = await api.http.post(
            "/graphql", json={"query": SITE}, headers={"x-api-key": "test-read-key"}
        )
        assert refused.status_code == 503
        go_on.set()
        assert await first.data(under_way) == {"id": "demo"}
        for socket in (first, other):
            assert await socket.data(socket.start(SITE)) == {"id": "demo"}
    after = await scrape(api)
    assert value(after, BUSY) - value(before, BUSY) == 3
    assert value(after, UNDER_WAY) == value(before, UNDER_WAY)


async def test_a_request_keeps_operations_on_sockets_out(make_api: Any) -> None:
    """The room is one for both."""
    api = await make_api(max_concurrency=1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow_body() -> Any:
        begun.set()
        await go_on.wait()
        yield b'{"query": "{ site { id } }"}'

    headers = {"x-api-key": "test-read-key", "content-type": "application/json"}
    async with connected(api) as socket:
        waiting = asyncio.create_task(
            api.http.post("/graphql", content=slow_body(), headers=headers)
        )
        await begun.wait()
        error = await socket.error(socket.start(SITE))
        assert error["extensions"]["code"] == "UNAVAILABLE"
        go_on.set()
        assert (await waiting).json() == {"data": {"site": {"id": "demo"}}}
        assert await socket.data(socket.start(SITE)) == {"id": "demo"}


async def test_what_ends_in_any_way_gives_its_place_back(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription that has begun to send, one that is ended, an error, a batch that is asked twice, and
    a client that leaves in the middle of a query."""
    api = await make_api(metrics_token=TOKEN, max_concurrency=1)
    before = value(await scrape(api), UNDER_WAY)
    async with connected(api, Scope.ADMIN) as socket:
        feed = await socket.feed()
        await socket.feed()
        assert (await socket.error(socket.start("{ nothing }")))["message"]
        assert (await socket.error(socket.start("{")))["message"]
        batch = await socket.data(socket.start(BATCH, input={"events": [{"type": 1}, PAGE_VIEW]}))
        assert (batch["accepted"], batch["rejected"]) == (1, 1)
        socket.complete(feed)
        assert await socket.data(socket.start(SITE)) == {"id": "demo"}
    begun = asyncio.Event()

    async def endless(site: str) -> Any:
        begun.set()
        await asyncio.Event().wait()

    async with connected(api) as socket:
        monkeypatch.setattr(api.services.sites, "get", endless)
        socket.start(SITE)
        await begun.wait()
    monkeypatch.undo()
    assert value(await scrape(api), UNDER_WAY) == before
    async with connected(api) as socket:
        assert await socket.data(socket.start(SITE)) == {"id": "demo"}


async def test_a_request_that_fails_gives_its_place_back() -> None:
    """An exception below leaves the room as it was."""

    async def broken(*_: Any) -> None:
        raise RuntimeError

    gate = Gate(broken, Places(1))
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await gate({"type": "http", "path": "/graphql"}, None, None)  # type: ignore[arg-type]
