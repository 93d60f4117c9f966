"""Work in the background on what the rollups are made of, a while at a time."""

import time
import uuid

from app.modules.analytics.rollups.worker import LEASE, LEASE_SECONDS
from app.repositories.leases import LeaseRepository


class Turns:
    """Holds the lease of the rollups for a while, so that nobody rolls up meanwhile, and gives it back."""

    def __init__(self, leases: LeaseRepository) -> None:
        self._leases = leases
        self._holder = uuid.uuid4().hex
        self._holds = False
        self._until = 0.0

    def begin(self, seconds: float) -> None:
        """A new turn of about so long."""
        self._until = time.monotonic() + seconds

    async def may_go_on(self) -> bool:
        """To be asked before each portion of work: whether there is time left and nobody else rolls up."""
        if time.monotonic() >= self._until:
            return False
        self._holds = await self._leases.acquire(LEASE, self._holder, LEASE_SECONDS)
        return self._holds

    async def end(self) -> None:
        """Let others roll up."""
        if self._holds:
            await self._leases.release(LEASE, self._holder)
            self._holds = False
