"""Reports: one engine, of which all other analytics are presets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.core.quarters import QUARTER
from app.modules.analytics.answers import Answer
from app.modules.analytics.buckets import Granularity
from app.modules.analytics.caching import ReportCache
from app.modules.analytics.measures import Measures, Part, report_currency
from app.modules.analytics.pipelines.users import of_user
from app.modules.analytics.planner import Wanted, plan
from app.modules.analytics.query import (
    ANY_EVENT,
    Dimension,
    EventFilter,
    Rank,
    ReportQuery,
    check_limit,
)
from app.modules.analytics.ranges import Edges, RangeRequest, TimeRange
from app.modules.analytics.rollups.reading import Stock
from app.modules.analytics.runner import Run, Runner
from app.modules.analytics.site_ranges import SiteRanges
from app.repositories.base import Snapshot

ALL_PARTS = frozenset(Part)
MAX_POPULAR_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, and the currency that its amounts are given in."""

    measures: Measures
    currency: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A range and the one of equal length just before it."""

    current: Counted
    previous: Counted


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report is asked for, besides its range and which of its numbers are wanted."""

    dimensions: tuple[Dimension, ...] = ()
    granularity: Granularity | None = None
    timezone: str | None = None
    filter: EventFilter = ANY_EVENT
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Reported:
    """A report, its rows in order."""

    answer: Answer
    currency: str
    as_of: datetime
    # False where a sample of the visitors stands for all of them, or distinct ids are estimated.
    exact: bool
    estimated: bool


@dataclass(frozen=True, slots=True)
class UserActivity:
    """What one user did; items are counted once each."""

    impressions: int = 0
    clicks: int = 0
    viewed_items: int = 0
    clicked_items: int = 0


class AnalyticsService:
    """Answers the reports of a site, each of one instant."""

    def __init__(
        self,
        stock: Stock,
        sites: SiteSettings,
        settings: Settings,
        clock: Clock,
        cache: ReportCache | None = None,
    ) -> None:
        self._stock = stock
        self._events = stock.events
        self._clock = clock
        self._ranges = SiteRanges(sites, settings, clock, self._edges)
        self._runner = Runner(stock.events, settings.report_timeout, stock, cache)

    async def totals(
        self, site: str, asked: RangeRequest, wanted: EventFilter, parts: frozenset[Part]
    ) -> Counted:
        """The numbers of all events that the filter leaves."""
        async with self._asking(site, asked, filter=wanted) as (run, query):
            answer = await run.answer(plan(query, Wanted(totals=parts)))
        return Counted(answer.totals, report_currency(answer.currencies, query.site_currency))

    async def of_items(
        self, site: str, asked: RangeRequest, items: Sequence[str], parts: frozenset[Part]
    ) -> dict[str, Counted]:
        """The same for many items in one pass, by item; each is a report of its own."""
        wanted = EventFilter(items=tuple(items))
        asking = self._asking(site, asked, filter=wanted, dimensions=(Dimension.ITEM,))
        async with asking as (run, query):
            answer = await run.answer(plan(query, Wanted(rows=parts)))
        found = {row.values[0]: row.measures for row in answer.rows}
        counted = {item: found.get(item) or Measures.none(parts) for item in items}
        return {
            item: Counted(measures, report_currency(measures.currencies, query.site_currency))
            for item, measures in counted.items()
        }

    async def of_user(self, site: str, asked: RangeRequest, user: str) -> UserActivity:
        """What one user did."""
        async with self._asking(site, asked, filter=EventFilter(user=user)) as (run, query):
            for found in await run.aggregate(of_user(query)):
                names = ("impressions", "clicks", "viewed_items", "clicked_items")
                return UserActivity(**{name: found[name] for name in names})
        return UserActivity()

    async def popular_items(
        self, site: str, asked: RangeRequest, by: Rank, limit: int, parts: frozenset[Part]
    ) -> list[tuple[str, Measures]]:
        """The items with the most of something, best first, and their numbers."""
        asking = self._asking(
            site,
            asked,
            filter=EventFilter(with_item=True),
            dimensions=(Dimension.ITEM,),
            rank=by,
            only_ranked=True,
            limit=check_limit(limit, MAX_POPULAR_ITEMS),
        )
        async with asking as (run, query):
            if by is Rank.REVENUE:
                any_row = replace(query, rank=Rank.EVENTS, only_ranked=False, limit=1)
                counted = await run.answer(plan(any_row, Wanted(rows=frozenset({Part.COUNTS}))))
                currency = report_currency(counted.currencies, query.site_currency)
                query = replace(query, rank_currency=currency)
            answer = await run.answer(plan(query, Wanted(rows=parts)))
        return [(str(row.values[0]), row.measures) for row in answer.rows]

    async def time_series(
        self, site: str, asked: RangeRequest, request: ReportRequest, parts: frozenset[Part]
    ) -> list[tuple[datetime, Counted]]:
        """The numbers of every bucket, those without events too."""
        asking = self._asking(
            site,
            asked,
            request.timezone,
            filter=request.filter,
            granularity=request.granularity,
        )
        async with asking as (run, query):
            answer = await run.answer(plan(query, Wanted(rows=parts)))
        currency = report_currency(answer.currencies, query.site_currency)
        rows = answer.rows  # of a series, so that each of them has a start
        return [(row.start, Counted(row.measures, currency)) for row in rows if row.start]

    async def overview(
        self,
        site: str,
        asked: RangeRequest,
        wanted: EventFilter,
        current_parts: frozenset[Part],
        previous_parts: frozenset[Part],
    ) -> Comparison:
        """A range against the one of equal length just before it, both in one currency."""
        async with self._asking(site, asked, filter=wanted) as (run, query):
            earlier = query.time_range.before()
            sampled = await self._is_sampled(run, site, earlier)
            before = replace(query, time_range=earlier, sampled=sampled)
            current = await run.answer(plan(query, Wanted(totals=current_parts)))
            previous = await run.answer(plan(before, Wanted(totals=previous_parts)))
        currency = report_currency(current.currencies | previous.currencies, query.site_currency)
        return Comparison(Counted(current.totals, currency), Counted(previous.totals, currency))

    async def report(
        self, site: str, asked: RangeRequest, request: ReportRequest, wanted: Wanted
    ) -> Reported:
        """Any numbers, broken down by dimensions and time."""
        as_of = self._clock.now()
        asking = self._asking(
            site,
            asked,
            request.timezone,
            filter=request.filter,
            dimensions=request.dimensions,
            granularity=request.granularity,
            limit=request.limit,
        )
        async with asking as (run, query):
            answer = await run.answer(plan(query, wanted))
        currency = report_currency(answer.currencies, query.site_currency)
        counted = (answer.totals, *(row.measures for row in answer.rows))
        estimated = not all(measures.exact for measures in counted)
        return Reported(
            answer, currency, as_of, exact=not (query.sampled or estimated), estimated=estimated
        )

    async def events_since(self, site: str, start: datetime, end: datetime) -> datetime:
        """From when on all events from start to end are stored; what is before is rolled up only."""
        kept = await self._stock.quarters.last_kept(site, start, end)
        gone = [start, self._stock.events_since()]
        if kept is not None:
            gone.append(kept + QUARTER)
        return min(max(gone), end)

    @asynccontextmanager
    async def _asking(
        self, site: str, asked: RangeRequest, timezone: str | None = None, **details: Any
    ) -> AsyncIterator[tuple[Run, ReportQuery]]:
        """A run, and a report of the site to be run, in this time zone or the site's."""
        async with self._runner.run(site) as run:
            yield run, await self._query(run, site, asked, timezone, **details)

    async def _query(
        self,
        run: Run,
        site: str,
        asked: RangeRequest,
        timezone: str | None,
        **details: Any,
    ) -> ReportQuery:
        found = await self._ranges.of(site, asked, timezone)
        sampled = await self._is_sampled(run, site, found.time_range)
        return ReportQuery(
            found.time_range, found.zone, found.rules.currency, sampled=sampled, **details
        )

    async def _is_sampled(self, run: Run, site: str, time_range: TimeRange) -> bool:
        """Whether events of the range stand for more than themselves."""
        start, end = time_range.start, time_range.end

        async def look(snapshot: Snapshot, _: float) -> bool:
            return await self._events.has_sample(site, start, end, snapshot) or (
                await self._stock.quarters.has_weighted(site, start, end, snapshot)
            )

        return await run.fact("sampled", time_range, look)

    async def _edges(self, site: str) -> Edges:
        """When the first and the last event happened, those that are rolled up only too."""
        stored = [await self._events.first_at(site), await self._events.last_at(site)]
        return Edges.of([*stored, *await self._stock.quarters.first_and_last(site)])
