"""Reads the events of quarters of an hour that are rolled up, a stretch of time at once.

A stretch is read once, for its columns and for its sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
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

Event = dict[str, Any]


@dataclass(slots=True)
class Stretch:
    """What was read of quarters in a row: `events` also has the withdrawn ones, by time.

    It is None where there are more than MOST_EVENTS, which are not held.
    """

    starts: Sequence[datetime]
    columns: dict[datetime, list[Columns]] = field(default_factory=dict)
    events: list[Event] | None = field(default_factory=list)

    @property
    def end(self) -> datetime:
        return self.starts[-1] + QUARTER

    @property
    def counted(self) -> int:
        """How many of the events count."""
        return sum(len(part) for parts in self.columns.values() for part in parts)

    def take(self, events: list[Event]) -> None:
        """Take in the next events."""
        counted = [event for event in events if "void" not in event]
        for quarter, its in groupby(counted, lambda event: quarter_of(event["at"])):
            self.columns.setdefault(quarter, []).append(columns_of_events(list(its)))
        if self.events is not None:
            self.events += events
            if len(self.events) > MOST_EVENTS:
                self.events = None


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
        if stretch.counted > ENOUGH_EVENTS:
            self._quarters = max(1, number // 2)
        elif stretch.counted < ENOUGH_EVENTS // 2 and number == self._quarters:
            self._quarters = min(MOST_QUARTERS, 2 * number)
        return stretch
