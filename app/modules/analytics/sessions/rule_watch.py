"""Divides stored sessions anew where a site has changed sessionEndsOnNewSource, in the background."""

import asyncio
import logging

from app.core.background import again_and_again
from app.modules.analytics.rollups.turns import Turns
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.leases import LeaseRepository
from app.repositories.sites import SiteRepository

logger = logging.getLogger("footfall.sessions")

# Then others may roll up before it goes on.
TURN_SECONDS = 20.0


class RuleWatch:
    """Looks for sessions of another rule than their site's. Answers are right before, but slower.

    It holds the lease of the rollups, because they derive sessions as well: of two that derive the same
    session at a time, the one that had read earlier might write last.
    """

    def __init__(
        self, rollup: SessionRollup, sites: SiteRepository, leases: LeaseRepository
    ) -> None:
        self._rollup = rollup
        self._sites = sites
        self._turns = Turns(leases)

    async def run(self, every_seconds: float) -> None:
        """Take turns, again and again, until cancelled."""
        await again_and_again("dividing sessions anew", self.turn, every_seconds, logger)

    async def turn(self, seconds: float = TURN_SECONDS) -> int:
        """Derive anew what there is, for about so long; how many sessions were stored or deleted.

        Nothing is done while another process rolls up.
        """
        self._turns.begin(seconds)
        changed = 0
        try:
            for site in await self._sites.names():
                changed += await self._rollup.refresh_another_rule(site, self._turns.may_go_on)
        finally:
            await asyncio.shield(self.release())
        return changed

    async def release(self) -> None:
        """Let others roll up."""
        await self._turns.end()
