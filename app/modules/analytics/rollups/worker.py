"""Rolls up what is marked, one process at a time."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.core.background import again_and_again
from app.core.clock import Clock
from app.core.errors import ErrorCode, FootfallError
from app.core.quarters import EPOCH, QUARTER, from_ms, quarter_of, to_ms
from app.modules.analytics.rollups.coverage import four_weeks_of, week_of
from app.modules.analytics.rollups.roller import DAY_LENGTH, Roller, day_of
from app.repositories.leases import LeaseRepository
from app.repositories.marks import (
    DAYS,
    FOUR_WEEKS,
    QUARTERS,
    RIPE_AFTER_SECONDS,
    WEEKS,
    Marked,
    MarkRepository,
)

logger = logging.getLogger("footfall.rollups")

LEASE = "rollups"
LEASE_SECONDS = 120
MARKS_AT_ONCE = 5_000
# A day that is over is rolled up when it has been quiet for so long: late events come in trickles,
# and until then its quarters are as good.
DAY_RIPE_AFTER_SECONDS = 120
WEEK_RIPE_AFTER_SECONDS = 600
WEEK_LENGTH = timedelta(days=7)
FOUR_WEEKS_LENGTH = 4 * WEEK_LENGTH

Progress = Callable[[int, int, int], None]  # days done, days in all, events


class LeaseLostError(FootfallError):
    """Another process rolls up now."""

    code = ErrorCode.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Another process is rolling up. Try again later.")


class RollupWorker:
    """Keeps the rollups of all sites."""

    def __init__(
        self,
        roller: Roller,
        marks: MarkRepository,
        leases: LeaseRepository,
        clock: Clock,
    ) -> None:
        self._roller = roller
        self._marks = marks
        self._leases = leases
        self._clock = clock
        self._holder = uuid.uuid4().hex

    async def run(self, every_seconds: float) -> None:
        """Roll up what there is, again and again, until cancelled."""

        async def turn() -> None:
            await self.roll_up()
            await self.release()

        await again_and_again("rolling up", turn, every_seconds, logger, LeaseLostError)

    async def roll_up(
        self,
        quarters_after: float = RIPE_AFTER_SECONDS,
        days_after: float = DAY_RIPE_AFTER_SECONDS,
        weeks_after: float = WEEK_RIPE_AFTER_SECONDS,
        sites: Sequence[str] | None = None,
    ) -> int:
        """Roll up the marks that are ripe after so many seconds; how many there were.

        Raises LeaseLostError where another process does.
        """
        await self._hold()
        done = 0
        while found := await self._marks.ripe(QUARTERS, quarters_after, MARKS_AT_ONCE, sites):
            for (site, _), marked in _by_day(found).items():
                await self._hold()
                await self._roller.roll_up_quarters(site, [m.start for m in marked], marked)
                done += len(marked)
        today = day_of(self._clock.now())
        for day in await self._marks.ripe(DAYS, days_after, MARKS_AT_ONCE, sites):
            if day.start < today:
                await self._hold()
                await self._roller.roll_up_day(day.site, day)
                done += 1
        for week in await self._marks.ripe(WEEKS, weeks_after, MARKS_AT_ONCE, sites):
            if await self._is_over(week, WEEK_LENGTH, DAYS):
                await self._hold()
                await self._roller.roll_up_week(week.site, week)
                done += 1
        for weeks in await self._marks.ripe(FOUR_WEEKS, weeks_after, MARKS_AT_ONCE, sites):
            if await self._is_over(weeks, FOUR_WEEKS_LENGTH, WEEKS):
                await self._hold()
                await self._roller.roll_up_four_weeks(weeks.site, weeks)
                done += 1
        return done

    async def _is_over(self, marked: Marked, length: timedelta, level: str) -> bool:
        """Whether a period of such a length is past, and what it is merged from is rolled up."""
        end = marked.start + length
        if end > day_of(self._clock.now()):
            return False
        return not await self._marks.of_range(marked.site, level, marked.start, end)

    async def rebuild(self, site: str, start: datetime, end: datetime, progress: Progress) -> int:
        """Compute everything of the site from start to end anew; how many events there are.

        Raises LeaseLostError where another process rolls up. What is interrupted is right all the
        same: days that were not reached are as they were.
        """
        await self._hold()
        start, end = quarter_of(start), -((-(end - EPOCH)) // QUARTER) * QUARTER + EPOCH
        events = 0
        days = list(_days(start, end))
        today = day_of(self._clock.now())
        async with asyncio.TaskGroup() as tasks:
            before: asyncio.Task[None] | None = None
            for number, day in enumerate(days):
                await self._hold()
                first, last = max(day, start), min(day + DAY_LENGTH, end)
                events += await self._rebuild_quarters(site, first, last)
                # A day is computed while the quarters of the next one are read.
                if before is not None:
                    await before
                if day < today:
                    before = tasks.create_task(self._rebuild_day(site, day))
                progress(number + 1, len(days), events)
            if before is not None:
                await before
        await self._rebuild_weeks(site, start, end)
        return events

    async def _rebuild_weeks(self, site: str, start: datetime, end: datetime) -> None:
        first = from_ms(week_of(to_ms(start)))
        for week in await self._marks.of_range(site, WEEKS, first, end):
            if await self._is_over(week, WEEK_LENGTH, DAYS):
                await self._hold()
                await self._roller.roll_up_week(site, week)
        first = from_ms(four_weeks_of(to_ms(start)))
        for weeks in await self._marks.of_range(site, FOUR_WEEKS, first, end):
            if await self._is_over(weeks, FOUR_WEEKS_LENGTH, WEEKS):
                await self._hold()
                await self._roller.roll_up_four_weeks(site, weeks)

    async def _rebuild_quarters(self, site: str, start: datetime, end: datetime) -> int:
        marked = await self._marks.of_range(site, QUARTERS, start, end)
        ripe = await self._marks.are_ripe(site, marked, RIPE_AFTER_SECONDS)
        # Somebody may still be writing to the others: their marks stay, and they are for later.
        unripe = {one.start for one in marked} - {one.start for one in ripe}
        starts = [start + number * QUARTER for number in range((end - start) // QUARTER)]
        wanted = [one for one in starts if one not in unripe]
        return await self._roller.roll_up_quarters(site, wanted, ripe)

    async def _rebuild_day(self, site: str, day: datetime) -> None:
        for mark in await self._marks.of_range(site, DAYS, day, day + DAY_LENGTH):
            await self._roller.roll_up_day(site, mark)

    async def extent(self, site: str) -> tuple[datetime, datetime] | None:
        """From when to when there is anything of the site; None where there is nothing."""
        return await self._roller.extent(site)

    async def hold(self, patience: timedelta) -> None:
        """Be the one that rolls up. Raises LeaseLostError where another does for longer than that."""
        until = time.monotonic() + patience.total_seconds()
        while not await self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
            if time.monotonic() > until:
                raise LeaseLostError
            await asyncio.sleep(0.25)

    async def release(self) -> None:
        """Let another process roll up."""
        await self._leases.release(LEASE, self._holder)

    async def _hold(self) -> None:
        if not await self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
            raise LeaseLostError


def _by_day(marked: Sequence[Marked]) -> dict[tuple[str, datetime], list[Marked]]:
    groups: dict[tuple[str, datetime], list[Marked]] = {}
    for one in marked:
        groups.setdefault((one.site, day_of(one.start)), []).append(one)
    return groups


def _days(start: datetime, end: datetime) -> list[datetime]:
    day = day_of(start)
    return [day + n * DAY_LENGTH for n in range(-(-(end - day) // DAY_LENGTH))]
