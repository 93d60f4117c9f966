"""When events are to be kept longer: what was rolled up of those that are gone already must stay."""

import logging
from datetime import datetime

from app.core.quarters import QUARTER
from app.repositories.base import Snapshot
from app.repositories.events import EventRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.sites import SiteRepository

logger = logging.getLogger("footfall.rollups")

AT_ONCE = 200


class KeepingOldQuarters:
    """To be run before a longer retention applies, from when on quarters of that age are computed anew.

    Several processes may run it at once, and it may be interrupted.
    """

    def __init__(
        self, sites: SiteRepository, events: EventRepository, quarters: QuarterHourRepository
    ) -> None:
        self._sites = sites
        self._events = events
        self._quarters = quarters

    async def run(self, events_since: datetime) -> int:
        """Make quarters that began before this ones of deleted events; how many.

        Their events that are left are deleted: they were due, and are in what is kept.
        """
        kept = sum([await self._keep(site, events_since) for site in await self._sites.names()])
        if kept:
            logger.info("%d quarters of an hour are kept, whose events may be deleted", kept)
        return kept

    async def _keep(self, site: str, before: datetime) -> int:
        kept = 0
        starts = await self._quarters.current(site, before, AT_ONCE)
        while starts:
            await self._keep_these(site, starts)
            kept += len(starts)
            starts = await self._quarters.current(site, before, AT_ONCE, after=starts[-1])
        return kept

    async def _keep_these(self, site: str, starts: list[datetime]) -> None:
        left = await self._events.quarters_between(site, starts[0], starts[-1] + QUARTER)

        async def in_transaction(session: Snapshot) -> None:
            for start in set(starts).intersection(left):
                await self._events.delete(site, start, start + QUARTER, session)
            await self._quarters.make_kept(site, starts, session)

        await self._quarters.in_transaction(in_transaction)
