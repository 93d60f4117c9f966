"""Sessions counted over a range, and looked at one by one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.clock import Clock
from app.core.config import Settings
from app.core.errors import BadInputError
from app.core.ports import SiteSettings
from app.core.quarters import from_ms, to_ms
from app.modules.analytics.query import check_limit
from app.modules.analytics.ranges import Edges, RangeRequest, TimeRange
from app.modules.analytics.sessions.counting import Counting, Row
from app.modules.analytics.sessions.derivation import Session
from app.modules.analytics.sessions.numbers import NO_VISITORS, ByPeriod, VisitorCounts
from app.modules.analytics.sessions.query import (
    EVERY_SESSION,
    MAX_ROWS,
    Breakdown,
    Narrowing,
    Period,
    Periods,
)
from app.modules.analytics.sessions.reading import DirtyQuarters, Reading, SessionReader
from app.modules.analytics.site_ranges import SiteRanges
from app.repositories.events import EventRepository
from app.repositories.sessions import SessionEvents, SessionRepository

MAX_PAGE = 500
# Milliseconds since 1970 and the digest of an `_id`, in the order of a page.
_CURSOR = re.compile(r"(-?[0-9]{1,13})\.([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which numbers are asked for besides the totals, and how many rows of each breakdown."""

    medians: bool = True
    visitors: bool = True
    breakdowns: frozenset[Breakdown] = frozenset(Breakdown)
    limit: int = 10


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """What was counted. Durations are in milliseconds; what was not asked for is empty."""

    totals: ByPeriod
    as_of: datetime
    medians: Mapping[Period, float | None] = field(default_factory=lambda: dict.fromkeys(Period))
    visitors: Mapping[Period, VisitorCounts] = field(default_factory=lambda: dict(NO_VISITORS))
    rows: Mapping[Breakdown, Sequence[Row]] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether no session stands for more than itself."""
        return not any(counts["sampled"] for counts in self.totals.values())


@dataclass(frozen=True, slots=True)
class Page:
    """Sessions, and the cursor of the next page."""

    sessions: Sequence[Session]
    next_cursor: str | None


class SessionService:
    """Answers from stored sessions and, where something has changed since, from raw events."""

    def __init__(
        self,
        sessions: SessionRepository,
        events: EventRepository,
        dirty: DirtyQuarters,
        sites: SiteSettings,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._ranges = SiteRanges(sites, settings, clock, self._edges)
        self._reader = SessionReader(sessions, SessionEvents(), dirty, settings.report_timeout)

    async def metrics(
        self,
        site: str,
        asked: RangeRequest,
        timezone: str | None = None,
        narrowing: Narrowing = EVERY_SESSION,
        wanted: Wanted | None = None,
    ) -> SessionCounts:
        """The numbers of the sessions that started in the range and in the one just before."""
        wanted = wanted or Wanted()
        check_limit(wanted.limit, MAX_ROWS)
        found = await self._ranges.of(site, asked, timezone)
        periods = Periods.of(found.time_range)
        as_of = self._ranges.now()
        by_source = found.rules.session_ends_on_new_source
        async with self._reader.read(site, by_source) as reading:
            counting = Counting(reading, site, periods, narrowing)
            await counting.begin()
            return SessionCounts(
                totals=await counting.totals(),
                as_of=as_of,
                medians=await counting.medians() if wanted.medians else dict.fromkeys(Period),
                visitors=await counting.visitors() if wanted.visitors else NO_VISITORS,
                rows={
                    breakdown: await counting.rows(breakdown, wanted.limit)
                    for breakdown in Breakdown
                    if breakdown in wanted.breakdowns
                },
            )

    async def page(
        self,
        site: str,
        asked: RangeRequest,
        narrowing: Narrowing = EVERY_SESSION,
        limit: int = 50,
        after: str | None = None,
    ) -> Page:
        """Sessions that started in the range, those that started last first.

        Raises BadInputError for a limit or cursor that is none.
        """
        check_limit(limit, MAX_PAGE)
        below = None if after is None else _read_cursor(site, after)
        found = await self._ranges.of(site, asked)
        by_source = found.rules.session_ends_on_new_source
        async with self._reader.read(site, by_source) as reading:
            newest = await _newest(reading, found.time_range, narrowing, limit + 1, below)
        page = newest[:limit]
        return Page(page, _cursor(page[-1]) if len(newest) > limit else None)

    async def _edges(self, site: str) -> Edges:
        """When the first and the last event happened; sessions may be left of earlier ones."""
        stored = [await self._events.first_at(site), await self._events.last_at(site)]
        return Edges.of([*stored, *(await self._sessions.starts(site) or ())])


async def _newest(
    reading: Reading,
    time_range: TimeRange,
    narrowing: Narrowing,
    number: int,
    below: tuple[datetime, str] | None,
) -> list[Session]:
    """So many sessions of the range, newest first, those that come after `below`."""
    differences = await reading.differences((time_range.start, time_range.end))
    wrong = {session.id for session in differences.wrong}
    end = (
        time_range.end
        if below is None
        else min(time_range.end, below[0] + timedelta(milliseconds=1))
    )
    match = {"start": {"$gte": time_range.start, "$lt": end}, **narrowing.conditions}

    def is_next(session: Session) -> bool:
        return below is None or _order(session) < below

    stored = await reading.newest(
        match, number, lambda session: session.id not in wrong and is_next(session)
    )
    missing = [
        session
        for session in differences.missing
        if time_range.start <= session.start < end
        and narrowing.holds_for(session)
        and is_next(session)
    ]
    return sorted([*stored, *missing], key=_order, reverse=True)[:number]


def _order(session: Session) -> tuple[datetime, str]:
    return session.start, session.id


def _cursor(session: Session) -> str:
    return f"{to_ms(session.start)}.{session.id.rpartition(':')[2]}"


def _read_cursor(site: str, cursor: str) -> tuple[datetime, str]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadInputError("must be a nextCursor that was answered before", "after")
    return from_ms(int(found[1])), f"{site}:{found[2]}"
