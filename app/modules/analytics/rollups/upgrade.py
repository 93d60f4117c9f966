"""Marks what was stored before there were rollups: without a mark or a rollup it would not be counted."""

import logging
from datetime import timedelta

from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from app.repositories.sites import SiteRepository
from app.repositories.upgrades import UpgradeRepository

logger = logging.getLogger("footfall.rollups")

EVENTS_ARE_MARKED = "events are marked"
# Looked at together, so that no search runs for long; a time without events is skipped.
STEP = timedelta(days=7)


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
