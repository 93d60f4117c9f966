"""Reads the events of quarters of an hour that are rolled up, a stretch of time at once.

A stretch is read once, for its columns and for its sessions.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, compress
from typing import Any

from app.core.quarters import QUARTER, from_ms, quarter_of
from app.modules.analytics.rollups.columns import Columns, column_stages, columns_of, joined
from app.modules.analytics.sessions.at_once import NamedEvents
from app.repositories.events import WITHDRAWN, EventRepository, TooLargeError

# A stretch is made longer where it has far fewer events, and shorter where it has more.
ENOUGH_EVENTS = 30_000
# Names of so many events are held, at some 500 bytes each, so that sessions are derived from them.
MOST_EVENTS = 2 * ENOUGH_EVENTS
MOST_QUARTERS = 96

# What sessions need besides columns.
_NAMES = ("event", "session", "visitor", "user")

_FURTHER = {"event": "$_id", "withdrawn": WITHDRAWN}


@dataclass(slots=True)
class Stretch:
    """What was read of quarters in a row."""

    starts: Sequence[datetime]
    # The counted events of each quarter, in parts.
    columns: dict[datetime, list[Columns]] = field(default_factory=dict)
    # The session ids of the others.
    withdrawn: set[str] = field(default_factory=set)
    counted: int = 0
    _names: dict[datetime, list[Mapping[str, Sequence[Any]]]] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        return self.starts[-1] + QUARTER

    def take(self, groups: Sequence[dict[str, Any]]) -> None:
        """Take in what one of `column_stages` has made of further events."""
        for group in groups:
            counts = [not withdrawn for withdrawn in group["withdrawn"]]
            if not all(counts):
                self.withdrawn.update(
                    session
                    for session, counted in zip(group["session"], counts, strict=True)
                    if not counted
                )
                group = group | {
                    name: list(compress(values, counts))
                    for name, values in group.items()
                    if isinstance(values, list)
                }
            if group["at"]:
                self.counted += len(group["at"])
                quarter = quarter_of(from_ms(group["at"][0]))
                self.columns.setdefault(quarter, []).append(columns_of(group))
                names = {name: group[name] for name in _NAMES}
                self._names.setdefault(quarter, []).append(names)
        if self.counted > MOST_EVENTS:
            self._names = {}

    def named(self) -> NamedEvents | None:
        """All counted events; None where their names are too many to be held."""
        if self.counted > MOST_EVENTS:
            return None
        columns = joined([part for parts in self.columns.values() for part in parts])
        names = [part for parts in self._names.values() for part in parts]
        ids, sessions, visitors, users = (
            list(chain.from_iterable(part[name] for part in names)) for name in _NAMES
        )
        return NamedEvents(columns, ids, sessions, visitors, users)


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
        stretch = await self._read(site, starts[:number])
        if stretch.counted > ENOUGH_EVENTS:
            self._quarters = max(1, number // 2)
        elif stretch.counted < ENOUGH_EVENTS // 2 and number == self._quarters:
            self._quarters = min(MOST_QUARTERS, 2 * number)
        return stretch

    async def _read(self, site: str, starts: Sequence[datetime]) -> Stretch:
        async with self._events.snapshot() as snapshot:
            for stage in column_stages(**_FURTHER):
                stretch = Stretch(starts)
                groups = self._events.in_columns(site, starts[0], stretch.end, stage, snapshot)
                with suppress(TooLargeError):
                    async for portion in groups:
                        await asyncio.to_thread(stretch.take, portion)
                    return stretch
        raise TooLargeError
