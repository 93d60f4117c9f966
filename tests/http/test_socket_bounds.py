"""How many sockets may be open, for how long without a key, and what may be under way on one of them."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from app.http import socket_keys
from tests.sockets import Socket, connected

SITE = "{ site { id } }"


async def test_no_more_sockets_than_may_be(make_api: Any) -> None:
    """The one after them is answered 503 with Retry-After instead; when one ends there is room again."""
    api = await make_api(max_sockets=2)
    async with connected(api) as staying:
        async with connected(api, key="nobody"):
            refused = Socket(api.app)
            await refused.run()
            answer = await refused.closed
            assert (answer["type"], answer["status"]) == ("websocket.http.response.start", 503)
            assert b"retry-after" in dict(answer["headers"])
            assert await staying.data(staying.start(SITE)) == {"id": "demo"}
        async with connected(api) as another:
            assert await another.data(another.start(SITE)) == {"id": "demo"}


@pytest.mark.parametrize("payload", [None, {"Authorization": "Bearer nobody"}])
async def test_without_a_valid_key_nobody_stays(
    api: Any, payload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4401 after five seconds, in which an operation is told what is missing; others stay."""
    assert socket_keys.KEYLESS_SECONDS == 5
    monkeypatch.setattr(socket_keys, "KEYLESS_SECONDS", 0.01)
    async with connected(api) as known:
        socket = Socket(api.app)
        socket.tell({"type": "connection_init", "payload": payload})
        await socket.run()
        assert (await socket.closed)["code"] == 4401
        assert await known.data(known.start(SITE)) == {"id": "demo"}


async def test_fifty_operations_on_one_connection(api: Any) -> None:
    """The 51st is LIMIT_EXCEEDED while none of the others has ended, and all of these are answered."""
    async with connected(api) as socket:
        socket.hold()  # what is answered is not sent, so that nothing ends
        started = [socket.start(SITE) for _ in range(51)]
        await asyncio.sleep(0)
        socket.release()
        error = await socket.error(started.pop())
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "50 operations" in error["message"]
        assert await asyncio.gather(*map(socket.data, started)) == [{"id": "demo"}] * 50
        assert await socket.data(socket.start(SITE)) == {"id": "demo"}


async def test_ten_subscriptions_on_one_connection_and_a_hundred_of_a_site(api: Any) -> None:
    """One more on a connection is LIMIT_EXCEEDED, and so is one more of the site on a new connection;
    other sites and queries go on, and what is open stays so."""
    async with AsyncExitStack() as opened:
        sockets = [await opened.enter_async_context(connected(api)) for _ in range(11)]
        feeds = [await socket.feed() for socket in sockets[:10] for _ in range(10)]
        for socket, bound in ((sockets[0], "10 subscriptions"), (sockets[10], "100 subscriptions")):
            error = await socket.error(socket.start("subscription { eventFeed { kind } }"))
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert bound in error["message"]
            assert await socket.data(socket.start(SITE)) == {"id": "demo"}
        await api.track({"type": "PAGE_VIEW", "id": "a"})
        for place, feed in enumerate(feeds):
            assert (await sockets[place // 10].event(feed))["eventId"] == "a"
