"""What rolling up tells Prometheus of its work."""

from collections.abc import Sequence
from datetime import datetime

from app.core.telemetry import (
    OLDEST_CHANGE_SECONDS,
    ROLLED_UP_EVENTS,
    ROLLUP_SECONDS,
    WAITING_MARKS,
)
from app.modules.analytics.rollups.roller import Roller
from app.repositories.marks import (
    DAYS,
    FOUR_WEEKS,
    QUARTERS,
    RIPE_AFTER_SECONDS,
    WEEKS,
    Marked,
    MarkRepository,
)


class MeasuredRoller(Roller):
    """A Roller that counts what it does."""

    async def roll_up_quarters(
        self, site: str, starts: Sequence[datetime], marked: Sequence[Marked]
    ) -> int:
        with ROLLUP_SECONDS.labels(QUARTERS).time():
            events = await super().roll_up_quarters(site, starts, marked)
        ROLLED_UP_EVENTS.inc(events)
        return events

    async def roll_up_day(self, site: str, marked: Marked) -> None:
        with ROLLUP_SECONDS.labels(DAYS).time():
            await super().roll_up_day(site, marked)

    async def roll_up_week(self, site: str, marked: Marked) -> None:
        with ROLLUP_SECONDS.labels(WEEKS).time():
            await super().roll_up_week(site, marked)

    async def roll_up_four_weeks(self, site: str, marked: Marked) -> None:
        with ROLLUP_SECONDS.labels(FOUR_WEEKS).time():
            await super().roll_up_four_weeks(site, marked)


class Backlog:
    """What waits to be rolled up, of all sites."""

    def __init__(self, marks: MarkRepository) -> None:
        self._marks = marks

    async def measure(self) -> None:
        """Set the gauges to what is so now."""
        for level in (QUARTERS, DAYS, WEEKS, FOUR_WEEKS):
            WAITING_MARKS.labels(level).set(await self._marks.waiting(level))
        age = await self._marks.oldest_age(QUARTERS)
        OLDEST_CHANGE_SECONDS.set(0 if age is None or age < RIPE_AFTER_SECONDS else age)
