"""Turns at what the rollups are made of: one process at a time, and never for long."""

from typing import Any

from app.modules.analytics.rollups.turns import Turns
from app.modules.analytics.rollups.worker import LEASE
from app.repositories.leases import LeaseRepository


async def test_a_turn_that_is_over_is_given_back(api: Any) -> None:
    """Also one that ended because its time was over: others need not wait until the lease runs out."""
    leases = LeaseRepository()
    turns, others = Turns(leases), Turns(leases)
    turns.begin(600)
    others.begin(600)
    assert await turns.may_go_on()
    assert not await others.may_go_on()
    turns.begin(0)
    assert not await turns.may_go_on()
    await turns.end()
    assert await others.may_go_on()


async def test_ending_takes_nothing_from_others(api: Any) -> None:
    """A turn that never began has nothing to give back."""
    leases = LeaseRepository()
    assert await leases.acquire(LEASE, "another", 60)
    turns = Turns(leases)
    turns.begin(600)
    assert not await turns.may_go_on()
    await turns.end()
    assert not await leases.acquire(LEASE, "a third", 60)


async def test_sessions_are_divided_anew_only_in_turns(api: Any) -> None:
    """While another process rolls up nothing is done; afterwards the lease is free again."""
    leases = LeaseRepository()
    watch = api.services.session_rules
    update = "mutation { updateSite(input: {sessionEndsOnNewSource: true}) { id } }"
    await api.track({"type": "PAGE_VIEW", "sessionId": "s", "visitorId": "v"})
    await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()
    await api.ask(update)
    assert await leases.acquire(LEASE, "another", 60)
    assert await watch.turn() == 0
    await leases.release(LEASE, "another")
    assert await watch.turn() == 1
    assert await leases.acquire(LEASE, "another", 60)
