"""Marks what earlier versions have stored and not rolled up: without a mark it would not be counted."""

import logging
from datetime import timedelta

from app.core.quarters import from_ms, to_ms
from app.modules.analytics.rollups.cells import FOUR_WEEKS_MS
from app.modules.analytics.rollups.coverage import four_weeks_of
from app.repositories.events import EventRepository
from app.repositories.marks import FOUR_WEEKS, MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.sites import SiteRepository
from app.repositories.upgrades import UpgradeRepository

logger = logging.getLogger("footfall.rollups")

EVENTS_ARE_MARKED = "events are marked"
FOUR_WEEKS_ARE_MARKED = "four weeks are marked"
# Looked at together, so that no search runs for long; a time without events is skipped.
STEP = timedelta(days=7)


class MarkingOfFourWeeks:
    """Marks all four weeks of what versions had rolled up that knew no longer period than a week.

    To be run as MarkingOfOldEvents is. Until they are rolled up, reports go on reading weeks.
    """

    def __init__(
        self,
        upgrades: UpgradeRepository,
        sites: SiteRepository,
        quarters: QuarterHourRepository,
        marks: MarkRepository,
    ) -> None:
        self._upgrades = upgrades
        self._sites = sites
        self._quarters = quarters
        self._marks = marks

    async def run(self) -> int:
        """Mark them; how many, 0 where that was done before."""
        if await self._upgrades.is_done(FOUR_WEEKS_ARE_MARKED):
            return 0
        marked = sum([await self._mark(site) for site in await self._sites.names()])
        await self._upgrades.record(FOUR_WEEKS_ARE_MARKED)
        return marked

    async def _mark(self, site: str) -> int:
        edges = await self._quarters.edges(site)
        if edges is None:
            return 0
        first, last = map(to_ms, edges)
        starts = [from_ms(at) for at in range(four_weeks_of(first), last, FOUR_WEEKS_MS)]
        await self._marks.mark_unmarked(site, starts, FOUR_WEEKS)
        return len(starts)


class MarkingOfOldEvents:
    """To be run before anything is answered, at every start: only the first one has something to do.

    Several processes may run it at once; a quarter that is marked twice is rolled up twice. Processes of
    an earlier version must have ended: what they write afterwards is not marked.
    """

    def __init__(
        self,
        upgrades: UpgradeRepository,
        sites: SiteRepository,
        events: EventRepository,
        marks: MarkRepository,
    ) -> None:
        self._upgrades = upgrades
        self._sites = sites
        self._events = events
        self._marks = marks

    async def run(self) -> int:
        """Mark every quarter of an hour that has events; how many, 0 where that was done before."""
        if await self._upgrades.is_done(EVENTS_ARE_MARKED):
            return 0
        marked = sum([await self._mark(site) for site in await self._sites.names()])
        await self._upgrades.record(EVENTS_ARE_MARKED)
        if marked:
            logger.warning("%d quarters of an hour that have events are to be rolled up", marked)
        return marked

    async def _mark(self, site: str) -> int:
        marked = 0
        start = await self._events.first_at(site)
        while start is not None:
            end = start + STEP
            quarters = await self._events.quarters_between(site, start, end)
            await self._marks.mark_unmarked(site, quarters)
            marked += len(quarters)
            start = await self._events.first_at(site, end)
        return marked
