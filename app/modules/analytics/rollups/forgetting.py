"""Takes a visitor or user out of everything that was computed of events."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.clock import Clock
from app.core.errors import UnavailableError
from app.core.ports import KeptEvents
from app.core.quarters import EPOCH, QUARTER, from_ms
from app.core.subjects import Subject
from app.modules.analytics.rollups.columns import TYPES, Columns, hash_of, unpacked
from app.modules.analytics.rollups.contents import contents_of
from app.modules.analytics.rollups.retention import Retention
from app.modules.analytics.rollups.roller import DAY_LENGTH, Roller, day_of
from app.modules.analytics.rollups.worker import (
    FOUR_WEEKS_LENGTH,
    LEASE,
    LEASE_SECONDS,
    WEEK_LENGTH,
)
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.base import Raw, Snapshot
from app.repositories.events import EventRepository
from app.repositories.leases import LeaseRepository
from app.repositories.marks import DAYS, FOUR_WEEKS, WEEKS, MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository

TRY_AGAIN_SECONDS = 0.25

Rows = npt.NDArray[np.bool_]


class Forgetting:
    """The ComputedOfEvents of core/ports.py.

    Columns have ids as hashes, and who knows an id knows its hash. Events that are still stored are
    erased first, and what was computed of them is computed anew. Of events that are gone their rows in
    the columns are all that is left: those are taken out. Either way the days and weeks, whose sketches
    cannot forget, are made again from columns that never knew the id.
    """

    def __init__(
        self,
        roller: Roller,
        events: EventRepository,
        marks: MarkRepository,
        quarters: QuarterHourRepository,
        sessions: SessionRollup,
        retention: Retention,
        leases: LeaseRepository,
        clock: Clock,
    ) -> None:
        self._roller = roller
        self._events = events
        self._marks = marks
        self._quarters = quarters
        self._sessions = sessions
        self._retention = retention
        self._leases = leases
        self._clock = clock

    @asynccontextmanager
    async def alone(self, patience: timedelta) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """While nobody else rolls up or derives sessions, who might write back what they read before.

        What it gives is to be called before each step. Raises UnavailableError where others do for
        longer than `patience`, or have taken over.
        """
        holder = uuid.uuid4().hex

        async def go_on() -> None:
            if not await self._leases.acquire(LEASE, holder, LEASE_SECONDS):
                raise UnavailableError("Another process is rolling up. Try again later.")

        until = time.monotonic() + patience.total_seconds()
        try:
            while not await self._leases.acquire(LEASE, holder, LEASE_SECONDS):
                if time.monotonic() > until:
                    raise UnavailableError("Another process is rolling up. Try again later.")
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            yield go_on
        finally:
            await asyncio.shield(self._leases.release(LEASE, holder))

    async def mark(self, site: str, quarters: Collection[datetime]) -> None:
        """Before events of these quarters of an hour are erased: reports go by the events from now on."""
        await self._marks.mark(site, quarters)

    async def forget_sessions(self, site: str, sessions: Collection[str]) -> None:
        """After events of these session ids were erased: their sessions are what the others make of them."""
        await self._sessions.forget(site, list(sessions))

    async def kept(
        self, site: str, subject: Subject, since: datetime | None
    ) -> AsyncIterator[KeptEvents]:
        """What is known of them from events that are gone themselves, by quarters of an hour, in order."""
        start, events = None, list[dict[str, Any]]()
        async for part, columns, theirs in self._parts(site, subject, since):
            if not self._is_all_there_is(part):
                continue
            if part["start"] != start:
                if start is not None:
                    yield KeptEvents(start, events)
                start, events = part["start"], []
            events += _readable(columns, theirs)
        if start is not None:
            yield KeptEvents(start, events)

    async def forget(
        self,
        site: str,
        subject: Subject,
        quarters: Collection[datetime],
        go_on: Callable[[], Awaitable[None]],
    ) -> int:
        """After the events of these quarters were erased: nothing computed knows of them any more.

        How many events were forgotten that are gone themselves. May be interrupted and repeated.
        """
        touched, forgotten = set(quarters), 0
        async for part, columns, theirs in self._parts(site, subject):
            touched.add(part["start"])
            if self._is_all_there_is(part):
                await go_on()
                await self._cut(site, part, columns.rows((~theirs).nonzero()[0]))
                forgotten += int(theirs.sum())
        days: dict[datetime, list[datetime]] = {}
        for quarter in sorted(touched):
            days.setdefault(day_of(quarter), []).append(quarter)
        for starts in days.values():
            await go_on()
            # Their marks stay: whoever relied on one may still be writing.
            await self._roller.roll_up_quarters(site, starts, [])
        await self._roll_up_marked(site, go_on)
        return forgotten

    async def _parts(
        self, site: str, subject: Subject, since: datetime | None = None
    ) -> AsyncIterator[tuple[Raw, Columns, Rows]]:
        """The parts of quarters that know them: as stored, their events, and which of those are theirs."""
        edges = await self._quarters.edges(site)
        if edges is None:
            return
        first = edges[0] if since is None else max(since, edges[0])
        field, known_as = subject.kind.value, np.uint64(hash_of(subject.id))
        async for found in self._quarters.of_range(site, first, edges[1], [field]):
            ids = np.frombuffer(found["columns"].get(field, b""), "<u8")
            if not (ids == known_as).any():
                continue
            part = await self._quarters.part(site, found["_id"])
            if part is not None:
                columns = unpacked(part["columns"], part["events"])
                yield part, columns, columns.ids[field] == known_as

    def _is_all_there_is(self, part: Mapping[str, Any]) -> bool:
        """Whether the events of a part are gone: deleted, or so old that it is not computed anew."""
        return bool(part["kept"]) or part["start"] < self._retention.events_since()

    async def _cut(self, site: str, part: Raw, left: Columns) -> None:
        """Make a part of events that are gone one of these that are left."""
        start: datetime = part["start"]

        async def in_transaction(session: Snapshot) -> None:
            if not part["kept"]:
                # Events of this age are deleted at any moment, and are counted by this part alone.
                await self._events.delete(site, start, start + QUARTER, session)
            await self._quarters.delete_part(site, part["_id"], session)
            await self._quarters.keep(site, start, contents_of(left), session)
            await self._marks.mark(site, [start], session=session)

        await self._quarters.in_transaction(in_transaction)

    async def _roll_up_marked(self, site: str, go_on: Callable[[], Awaitable[None]]) -> None:
        """Compute all marked days, weeks and four weeks of the site anew.

        Not only those of the quarters just computed: a day that waits for the worker may still know what
        its quarters know no more, of an event that was withdrawn or deleted before.
        """
        today = day_of(self._clock.now())
        for day in await self._marks.of_range(site, DAYS, EPOCH, today):
            await go_on()
            await self._roller.roll_up_day(site, day)
        for week in await self._marks.of_range(
            site, WEEKS, EPOCH, today - WEEK_LENGTH + DAY_LENGTH
        ):
            await go_on()
            await self._roller.roll_up_week(site, week)
        for weeks in await self._marks.of_range(
            site, FOUR_WEEKS, EPOCH, today - FOUR_WEEKS_LENGTH + DAY_LENGTH
        ):
            await go_on()
            await self._roller.roll_up_four_weeks(site, weeks)


def _readable(columns: Columns, rows: Rows) -> list[dict[str, Any]]:
    """Events of columns as a person can read them, with what reports know of each."""
    worth = dict(zip(columns.amounts.rows.tolist(), range(len(columns.amounts.rows)), strict=True))
    found = []
    for row in rows.nonzero()[0].tolist():
        event: dict[str, Any] = {
            "type": TYPES[columns.type[row]],
            "at": from_ms(int(columns.at[row])),
        }
        for name, coded in columns.dimensions.items():
            event[name] = coded.values[int(coded.codes[row])]
        for name in ("engagement", "scroll_depth", "weight"):
            numbers = getattr(columns, name)
            if numbers is not None and numbers[row] >= 0:
                event[name] = int(numbers[row])
        if row in worth:
            event["value"] = str(columns.amounts.values[worth[row]])
            event["currency"] = columns.amounts.currencies[worth[row]]
        found.append({name: value for name, value in event.items() if value is not None})
    return found
