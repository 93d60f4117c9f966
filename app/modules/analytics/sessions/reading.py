"""Reads sessions for one answer: stored ones where nothing has changed, else from raw events.

All reads of an answer see the database at one instant and share one time.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, Protocol

from app.core.database import is_out_of_time
from app.core.errors import LimitExceededError, UnavailableError
from app.core.quarters import QUARTER
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.ranges import EARLIEST, LATEST
from app.modules.analytics.sessions.derivation import Session, session_of
from app.modules.analytics.sessions.resolution import PORTION, Differences, Resolver
from app.repositories.base import Snapshot
from app.repositories.sessions import SessionEvents, SessionRepository, Span

# Of so many session ids at most sessions are derived for one answer.
MAX_CHANGED = 100_000
# So many spans of time are searched at once.
SPANS_AT_ONCE = 100


class DirtyQuarters(Protocol):
    """Knows in which quarters of an hour something has changed since it was rolled up."""

    async def dirty(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> list[datetime]:
        """The starts of the marked quarters that touch start to end, in order."""


def spans_of(quarters: Iterable[datetime]) -> list[Span]:
    """Quarters of an hour, given in order, as few spans of time."""
    spans: list[Span] = []
    for start in quarters:
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], start + QUARTER)
        else:
            spans.append((start, start + QUARTER))
    return spans


class SessionReader:
    """Makes readings. `seconds` is how long the database may take for one."""

    def __init__(
        self,
        sessions: SessionRepository,
        events: SessionEvents,
        dirty: DirtyQuarters,
        seconds: float,
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._dirty = dirty
        self._seconds = seconds

    @asynccontextmanager
    async def read(self, site: str, by_source: bool) -> AsyncIterator["Reading"]:
        """`async with reader.read(...) as reading:` all that is read inside is of one instant."""
        async with self._sessions.snapshot() as snapshot:
            deadline = time.monotonic() + self._seconds
            yield Reading(
                self._sessions, self._events, self._dirty, site, by_source, snapshot, deadline
            )


class Reading:
    """What one answer reads. Everything raises LimitExceededError when it takes too long."""

    def __init__(
        self,
        sessions: SessionRepository,
        events: SessionEvents,
        dirty: DirtyQuarters,
        site: str,
        by_source: bool,
        snapshot: Snapshot,
        deadline: float,
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._resolver = Resolver(sessions, events)
        self._dirty = dirty
        self._site = site
        self._by_source = by_source
        self._snapshot = snapshot
        self._deadline = deadline

    async def differences(self, span: Span) -> Differences:
        """Which stored sessions are not right any more, and which should be there instead.

        Of all session ids with events in quarters of an hour that are not rolled up, and of those
        that were derived by another rule in this span of time. Raises UnavailableError where these
        are more than MAX_CHANGED.
        """
        found = Differences()
        ids = await self._changed(span)
        for place in range(0, len(ids), PORTION):
            with self._in_time():
                found.add(
                    await self._resolver.differences(
                        self._site, ids[place : place + PORTION], self._by_source, **self._reading()
                    )
                )
        return found

    async def _changed(self, span: Span) -> list[str]:
        ids: set[str] = set()
        quarters = await self._dirty.dirty(self._site, EARLIEST, LATEST, self._snapshot)
        spans = spans_of(quarters)
        with self._in_time():
            for place in range(0, len(spans), SPANS_AT_ONCE):
                some = spans[place : place + SPANS_AT_ONCE]
                async for portion in self._events.sessions_in(self._site, some, **self._reading()):
                    _take(ids, portion)
            async for portion in self._sessions.of_another_rule(
                self._site, self._by_source, span, **self._reading()
            ):
                _take(ids, portion)
        return sorted(ids)

    async def aggregate(self, pipeline: Sequence[Stage]) -> list[dict[str, Any]]:
        """Run a pipeline over the stored sessions."""
        with self._in_time():
            return await self._sessions.aggregate(self._site, pipeline, **self._reading())

    async def of_visitors(self, visitors: Sequence[str], before: datetime) -> list[Session]:
        """The stored sessions of these visitors that started before this instant."""
        found: list[Session] = []
        for place in range(0, len(visitors), PORTION):
            some = visitors[place : place + PORTION]
            with self._in_time():
                async for portion in self._sessions.of_visitors(
                    self._site, some, before, **self._reading()
                ):
                    found += map(session_of, portion)
        return found

    async def newest(
        self, match: dict[str, Any], number: int, wanted: Callable[[Session], bool]
    ) -> list[Session]:
        """The stored sessions that match and are wanted, those that started last first."""
        found: list[Session] = []
        with self._in_time():
            async for document in self._sessions.newest(
                self._site, match, number, **self._reading()
            ):
                session = session_of(document)
                if wanted(session):
                    found.append(session)
                if len(found) == number:
                    break
        return found

    def _reading(self) -> dict[str, Any]:
        left = self._deadline - time.monotonic()
        if left < 0.001:  # the database takes zero milliseconds for no limit
            raise _out_of_time()
        return {"snapshot": self._snapshot, "max_seconds": left}

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if is_out_of_time(error):
                raise _out_of_time() from error
            raise


def _take(ids: set[str], portion: Sequence[str]) -> None:
    ids.update(portion)
    if len(ids) > MAX_CHANGED:
        raise UnavailableError(
            "Too many sessions have changed and are still being put together. Try again later."
        )


def _out_of_time() -> LimitExceededError:
    return LimitExceededError(
        "The report takes longer than the server allows. Ask for a shorter range or fewer fields."
    )
