"""Marks what is about to change, so that reports do not take a rollup for more than it is."""

import time
from collections.abc import Iterable
from datetime import datetime

from cachetools import TTLCache

from app.core.quarters import quarter_of
from app.repositories.marks import REUSED_FOR_SECONDS, MarkRepository

REMEMBERED = 10_000


class Touching:
    """Marks quarters of an hour; one that this process marked a moment ago is not marked again."""

    def __init__(self, marks: MarkRepository) -> None:
        self._marks = marks
        # The time counts from before the mark was written: it is at least that young.
        self._marked: TTLCache[tuple[str, datetime], bool] = TTLCache(
            REMEMBERED, REUSED_FOR_SECONDS, timer=time.monotonic
        )

    async def touch(self, site: str, instants: Iterable[datetime]) -> None:
        """Before a write of events that happened then: when this returns, their quarters are marked."""
        quarters = {quarter_of(instant) for instant in instants}
        fresh = {quarter for quarter in quarters if (site, quarter) not in self._marked}
        if not fresh:
            return
        before = time.monotonic()
        await self._marks.mark(site, fresh)
        if time.monotonic() - before < REUSED_FOR_SECONDS / 5:
            for quarter in fresh:
                self._marked[site, quarter] = True

    def forget(self) -> None:
        """Mark everything anew from now on."""
        self._marked.clear()
