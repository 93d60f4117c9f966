"""No more requests at once than may be."""

import asyncio
from typing import Any

import pytest

from app.http.gate import Gate, Places
from tests.http.test_metrics import TOKEN, scrape, value

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


async def test_a_request_that_fails_gives_its_place_back() -> None:
    """An exception below leaves the room as it was."""

    async def broken(*_: Any) -> None:
        raise RuntimeError

    gate = Gate(broken, Places(1))
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await gate({"type": "http", "path": "/graphql"}, None, None)  # type: ignore[arg-type]
