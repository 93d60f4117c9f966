"""Reads the events of quarters of an hour that are rolled up, a stretch of time at once.

A stretch is read once, for its columns and for its sessions.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.rollups.columns import READ, Columns, columns_of_events
from app.repositories.events import EventRepository
from app.repositories.sessions import READ_OF_EVENTS

FIELDS = tuple(dict.fromkeys((*READ, *READ_OF_EVENTS)))
# A stretch is made longer where it has far fewer events, and shorter where it has more. An event
# takes 2 KB while it is held as it was read.
ENOUGH_EVENTS = 20_000
MOST_EVENTS = 2 * ENOUGH_EVENTS
MOST_QUARTERS = 96
# Columns are made of so many events and a portion at once.
MOST_IN_A_PART = 5_000

Event = dict[str, Any]

_at = itemgetter("at")


@dataclass(slots=True)
class Stretch:
    """What was read of quarters in a row: `events` also has the withdrawn ones, by time.

    It is None where there are more than MOST_EVENTS, which are not held.
    """

    starts: Sequence[datetime]
    columns: dict[datetime, list[Columns]] = field(default_factory=dict)
    events: list[Event] | None = field(default_factory=list)
    _quarter: datetime | None = None
    _waiting: list[Event] = field(default_factory=list)  # of this quarter, not yet in columns

    @property
    def end(self) -> datetime:
        return self.starts[-1] + QUARTER

    @property
    def counted(self) -> int:
        """How many of the events count."""
        return sum(len(part) for parts in self.columns.values() for part in parts)

    def take(self, events: list[Event]) -> None:
        """Take in the next events."""
        if self.events is not None:
            self.events += events
            if len(self.events) > MOST_EVENTS:
                self.events = None
        counted = [event for event in events if "void" not in event]
        while counted:
            quarter = quarter_of(counted[0]["at"])
            until = bisect_left(counted, quarter + QUARTER, key=_at)
            self._take(quarter, counted[:until])
            counted = counted[until:]

    def _take(self, quarter: datetime, events: list[Event]) -> None:
        if quarter != self._quarter or len(self._waiting) >= MOST_IN_A_PART:
            self.taken()
        self._quarter = quarter
        self._waiting += events

    def taken(self) -> None:
        """There are no more."""
        if self._quarter is not None:
            part = columns_of_events(self._waiting)
            self.columns.setdefault(self._quarter, []).append(part)
        self._quarter, self._waiting = None, []


class Stretches:
    """Reads one stretch after the other, each as long as those before it suggest."""

    def __init__(self, events: EventRepository) -> None:
        self._events = events
        self._quarters = 4

    async def read(self, site: str, starts: Sequence[datetime]) -> Stretch:
        """The first stretch of these quarters, which are in order, as a majority has it."""
        number = 1
        while number < min(len(starts), self._quarters) and (
            starts[number] == starts[number - 1] + QUARTER
        ):
            number += 1
        stretch = Stretch(starts[:number])
        async with self._events.snapshot() as snapshot:
            await self._events.in_order(
                site, starts[0], stretch.end, FIELDS, stretch.take, snapshot
            )
        stretch.taken()
        if stretch.counted > ENOUGH_EVENTS:
            self._quarters = max(1, number // 2)
        elif stretch.counted < ENOUGH_EVENTS // 2 and number == self._quarters:
            self._quarters = min(MOST_QUARTERS, 2 * number)
        return stretch
