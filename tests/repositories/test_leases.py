"""Leases in a real mongod: one holder at a time, whoever asks, until it lets go or is late."""

import asyncio
from typing import Any

from app.repositories.leases import LeaseRepository

SECONDS = 60


async def expire(api: Any, name: str) -> None:
    """Let the time of a lease be over."""
    over = {"$set": {"until": {"$subtract": ["$$NOW", 1]}}}
    await api.database["leases"].update_one({"_id": name}, [over])


async def test_one_holds_it_until_it_lets_go(api: Any) -> None:
    """The holder may hold it longer; others wait, and cannot give it back for the holder."""
    leases = LeaseRepository()
    assert await leases.acquire("work", "a", SECONDS)
    assert await leases.acquire("work", "a", SECONDS)
    assert not await leases.acquire("work", "b", SECONDS)
    await leases.release("work", "b")
    assert not await leases.acquire("work", "b", SECONDS)
    assert await leases.acquire("other work", "b", SECONDS)
    await leases.release("work", "a")
    assert await leases.acquire("work", "b", SECONDS)
    await leases.release("never leased", "b")


async def test_whoever_is_late_loses_it(api: Any) -> None:
    """By the database's time; who held it before learns that it is another's now."""
    leases = LeaseRepository()
    assert await leases.acquire("work", "a", SECONDS)
    await expire(api, "work")
    assert await leases.acquire("work", "b", SECONDS)
    assert not await leases.acquire("work", "a", SECONDS)
    # Nobody else came: it is held on.
    await expire(api, "work")
    assert await leases.acquire("work", "b", SECONDS)


async def test_of_many_at_once_one_gets_it(api: Any) -> None:
    """A new lease, and one whose time is over."""
    leases = LeaseRepository()
    for _ in range(4):
        taken = await asyncio.gather(
            *(leases.acquire("work", f"holder {n}", SECONDS) for n in range(12))
        )
        assert sum(taken) == 1
        await expire(api, "work")
