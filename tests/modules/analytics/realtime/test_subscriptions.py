"""How subscriptions end, what they outlive, and how many there may be."""

from typing import Any

import pytest

from app.core.auth import Scope
from app.core.errors import UnavailableError
from app.modules.analytics.realtime import key_watch
from app.modules.analytics.realtime.seats import Seats
from tests.conftest import OTHER_SITE_KEYS
from tests.modules.analytics.realtime.test_event_feed import clicks, live_feed
from tests.sockets import FEED, connected, until


@pytest.mark.parametrize("query", [FEED, "subscription { realtime { events } }"])
async def test_a_revoked_key_ends_its_subscriptions(
    api: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """UNAUTHENTICATED, although the connection was made with a good key; other keys go on."""
    monkeypatch.setattr(key_watch, "CHECK_SECONDS", 0.02)
    made = await api.services.keys.create_key("demo", Scope.READ, "x")
    async with connected(api, key=made.key) as socket, connected(api) as other:
        operation, kept = socket.start(query), await other.feed()
        await socket.data(operation)
        await api.services.keys.revoke_key("demo", made.stored.public_id)
        error = await socket.error(operation)
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        # Nor is anything else answered on this connection.
        for again in (query, "{ site { id } }"):
            error = await socket.error(socket.start(again))
            assert error["extensions"]["code"] == "UNAUTHENTICATED"
        await api.track(*clicks("a"))
        assert (await other.event(kept))["eventId"] == "a"


def test_a_key_is_looked_at_often_enough() -> None:
    """Ten seconds are promised; a look takes a second at most."""
    assert key_watch.CHECK_SECONDS + 1 < 10


async def test_while_the_database_is_away_subscriptions_stay(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell then whether a key is valid, and a failover must not end anything."""
    monkeypatch.setattr(key_watch, "CHECK_SECONDS", 0.01)
    looks = []

    async def away(principal: Any) -> bool:
        looks.append(principal)
        raise UnavailableError

    monkeypatch.setattr(api.services.keys, "is_valid", away)
    async with connected(api) as socket:
        operation = await socket.feed()
        await until(lambda: len(looks) >= 3)
        await api.track(*clicks("a"))
        assert (await socket.event(operation))["eventId"] == "a"


async def test_when_the_server_stops_subscriptions_end(api: Any) -> None:
    """UNAVAILABLE: subscribe again, there or elsewhere. Who comes too late is told the same."""
    async with connected(api) as socket:
        operation = await socket.feed()
        await live_feed(api).stop()
        assert (await socket.error(operation))["extensions"]["code"] == "UNAVAILABLE"
        error = await socket.error(socket.start(FEED))
        assert error["extensions"]["code"] == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"per_connection": 2}, "connection"),
        ({"per_site": 2}, "site"),
        ({"per_process": 2}, "process"),
    ],
)
async def test_subscriptions_are_bounded(
    api: Any, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], field: str
) -> None:
    """LIMIT_EXCEEDED beyond so many on one connection, of one site, in one process; ended ones make room."""
    monkeypatch.setitem(api.services.registry, Seats, Seats(**limits))
    async with connected(api) as socket:
        first, _second = await socket.feed(), await socket.feed()
        error = await socket.error(socket.start(FEED))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert field in error["message"]
        if field != "process":
            keys = OTHER_SITE_KEYS if field == "site" else None
            async with connected(api, **({"keys": keys} if keys else {})) as other:
                await other.feed()
        socket.complete(first)
        await until(lambda: api.services.registry[Seats].taken == 1)
        await socket.feed()
