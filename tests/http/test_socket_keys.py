"""Connections end with the key that they were made with."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core.auth import Scope
from app.core.errors import UnavailableError
from app.http import socket_keys
from tests.sockets import connected, until

REALTIME = "subscription { realtime { events } }"


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_keys, "CHECK_SECONDS", 0.02)


async def test_a_revoked_key_closes_its_connections(api: Any) -> None:
    """With 4401, whether anything is under way on them or not; those of other keys stay."""
    keys = api.services.keys
    made = await keys.create_key("demo", Scope.READ, "x")
    async with (
        connected(api, key=made.key) as busy,
        connected(api, key=made.key) as idle,
        connected(api) as other,
    ):
        await busy.data(busy.start(REALTIME))
        await keys.revoke_key("demo", made.stored.public_id)
        for socket in (busy, idle):
            closed = await asyncio.wait_for(socket.closed, 20)
            assert (closed["code"], closed["reason"]) == (4401, "The API key is no longer valid.")
        assert await other.data(other.start("{ site { id } }")) == {"id": "demo"}


async def test_an_expired_key_closes_its_connections(api: Any) -> None:
    """As if it had been revoked then."""
    end = {"expires_at": api.clock.now() + timedelta(seconds=10)}
    made = await api.services.keys.create_key("demo", Scope.READ, "x", end)
    async with connected(api, key=made.key) as socket:
        await socket.data(socket.start(REALTIME))
        api.clock.advance(seconds=10)
        assert (await asyncio.wait_for(socket.closed, 20))["code"] == 4401


async def test_while_the_database_is_away_connections_stay(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell then whether a key is valid."""
    looks = []

    async def away(principal: Any) -> bool:
        looks.append(principal)
        raise UnavailableError

    monkeypatch.setattr(api.services.keys, "is_valid", away)
    async with connected(api) as socket:
        await until(lambda: len(looks) >= 3)
        assert await socket.data(socket.start("{ site { id } }")) == {"id": "demo"}
        assert not socket.closed.done()


async def test_a_connection_without_a_key_is_not_looked_at(api: Any) -> None:
    """It can do nothing anyway."""
    async with connected(api, key="none-that-is-known") as socket:
        error = await socket.error(socket.start("{ site { id } }"))
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert not socket.closed.done()


@pytest.mark.usefixtures("_looks_often")
def test_keys_are_looked_at_often_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are promised; a look takes a second at most."""
    monkeypatch.undo()
    assert socket_keys.CHECK_SECONDS + 1 < 10
