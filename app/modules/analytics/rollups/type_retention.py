"""Deletes events of the types that a site keeps for less long than the instance, in the background."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.background import again_and_again
from app.core.clock import Clock
from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.rollups.removal import KeepingRemoval
from app.modules.analytics.rollups.retention import DELETED_AFTER
from app.modules.analytics.rollups.turns import Turns
from app.repositories.events import EventRepository, Types
from app.repositories.leases import LeaseRepository
from app.repositories.marks import MarkRepository
from app.repositories.sites import SiteRepository
from app.schemas import Site

logger = logging.getLogger("footfall.rollups")

# Then others may roll up before it goes on.
TURN_SECONDS = 20.0
# Looked at together, so that no search runs for long.
STEP = timedelta(days=7)
# What was looked through is looked through again after so long: released events may be old.
AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Rule:
    """The types of a site that go after so many days, until all that go after `longer` days do."""

    site: str
    types: Types
    days: int
    longer: int | None


class TypeRetention:
    """What reports count of the events stays (removal.py).

    It holds the lease of the rollups: a quarter of an hour is taken only when nothing in it waits to be
    rolled up, so that its sessions are stored as they are to stay.
    """

    def __init__(
        self,
        removal: KeepingRemoval,
        events: EventRepository,
        marks: MarkRepository,
        sites: SiteRepository,
        leases: LeaseRepository,
        clock: Clock,
    ) -> None:
        self._removal = removal
        self._events = events
        self._marks = marks
        self._sites = sites
        self._turns = Turns(leases)
        self._clock = clock
        self._deleted = 0
        # Until when everything that was due is gone, and since when that is known.
        self._done: dict[_Rule, tuple[datetime, datetime]] = {}

    async def run(self, every_seconds: float) -> None:
        """Take turns, again and again, until cancelled.

        A look for what is due costs next to nothing: what was looked through is remembered, and a quarter
        of an hour becomes due at a time.
        """
        await again_and_again("deleting old events", self.turn, every_seconds, logger)

    async def turn(self, seconds: float = TURN_SECONDS) -> bool:
        """Delete what is due, for about so long; whether nothing is left.

        Nothing is done while another process rolls up.
        """
        self._turns.begin(seconds)
        self._deleted = 0
        nothing_left = True
        try:
            for site in await self._sites.all(archived=True):
                for rule in _rules(site):
                    nothing_left = await self._apply(rule) and nothing_left
        finally:
            await asyncio.shield(self.release())
            if self._deleted:
                logger.info("%d events older than their sites keep them are deleted", self._deleted)
        return nothing_left

    async def release(self) -> None:
        """Let others roll up."""
        await self._turns.end()

    async def _apply(self, rule: _Rule) -> bool:
        """Delete what is due by a rule; whether nothing is left."""
        now = self._clock.now()
        due = _due(now, rule.days)
        start, since = self._done.get(rule, (None, now))
        if start is None or now - since > AGAIN_AFTER:
            longer = None if rule.longer is None else _due(now, rule.longer)
            start, since = await self._events.first_at(rule.site, longer), now
        is_clean = True
        while start is not None and start < due:
            end = min(quarter_of(start) + STEP, due)
            for quarter in await self._events.quarters_between(rule.site, start, end, rule.types):
                if not await self._turns.may_go_on():
                    return False
                # Somebody may be writing to it. It is left for the next turn, and what follows is not.
                if await self._marks.is_dirty(rule.site, quarter, quarter + QUARTER):
                    is_clean = False
                else:
                    removed = await self._removal.remove_types(rule.site, quarter, rule.types)
                    self._deleted += removed.events
            start = await self._events.first_at(rule.site, end)
            if is_clean:
                self._done[rule] = (end, since)
        return is_clean


def _due(now: datetime, days: int) -> datetime:
    """Before when events that are kept so long go, in whole quarters of an hour."""
    return quarter_of(now - timedelta(days=days) - DELETED_AFTER)


def _rules(site: Site) -> Iterator[_Rule]:
    """What goes after so many days, with what goes before: each quarter of an hour is taken once."""
    longer = None
    for days in sorted(set(site.retention.values()), reverse=True):
        types = tuple(sorted(name for name, kept in site.retention.items() if kept <= days))
        yield _Rule(site.id, types, days, longer)
        longer = days
