"""Reports: one engine, of which all other analytics are presets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.answers import Answer
from app.modules.analytics.buckets import Granularity
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
from app.modules.analytics.ranges import Edges, Moment, RangeRequest, TimeRange, resolve
from app.modules.analytics.runner import Runner
from app.modules.analytics.zones import zone_named
from app.repositories.events import EventRepository

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
    # False where a sample of the visitors stands for all of them.
    exact: bool


@dataclass(frozen=True, slots=True)
class UserActivity:
    """What one user did; items are counted once each."""

    impressions: int = 0
    clicks: int = 0
    viewed_items: int = 0
    clicked_items: int = 0


class AnalyticsService:
    """Answers from the raw events of a site, each answer of one instant."""

    def __init__(
        self, events: EventRepository, sites: SiteSettings, settings: Settings, clock: Clock
    ) -> None:
        self._events = events
        self._sites = sites
        self._clock = clock
        self._tolerance = timedelta(seconds=settings.clock_tolerance)
        self._runner = Runner(events, settings.report_timeout)

    async def totals(
        self, site: str, asked: RangeRequest, wanted: EventFilter, parts: frozenset[Part]
    ) -> Counted:
        """The numbers of all events that the filter leaves."""
        query = await self._query(site, asked, filter=wanted)
        async with self._runner.run(site) as run:
            answer = await run.answer(plan(query, Wanted(totals=parts)))
        return Counted(answer.totals, report_currency(answer.currencies, query.site_currency))

    async def of_items(
        self, site: str, asked: RangeRequest, items: Sequence[str], parts: frozenset[Part]
    ) -> dict[str, Counted]:
        """The same for many items in one pass, by item; each is a report of its own."""
        query = await self._query(
            site, asked, filter=EventFilter(items=tuple(items)), dimensions=(Dimension.ITEM,)
        )
        async with self._runner.run(site) as run:
            answer = await run.answer(plan(query, Wanted(rows=parts)))
        found = {row.values[0]: row.measures for row in answer.rows}
        counted = {item: found.get(item) or Measures.none(parts) for item in items}
        return {
            item: Counted(measures, report_currency(measures.currencies, query.site_currency))
            for item, measures in counted.items()
        }

    async def of_user(self, site: str, asked: RangeRequest, user: str) -> UserActivity:
        """What one user did."""
        query = await self._query(site, asked, filter=EventFilter(user=user))
        async with self._runner.run(site) as run:
            for found in await run.aggregate(of_user(query)):
                names = ("impressions", "clicks", "viewed_items", "clicked_items")
                return UserActivity(**{name: found[name] for name in names})
        return UserActivity()

    async def popular_items(
        self, site: str, asked: RangeRequest, by: Rank, limit: int, parts: frozenset[Part]
    ) -> list[tuple[str, Measures]]:
        """The items with the most of something, best first, and their numbers."""
        query = await self._query(
            site,
            asked,
            filter=EventFilter(with_item=True),
            dimensions=(Dimension.ITEM,),
            rank=by,
            only_ranked=True,
            limit=check_limit(limit, MAX_POPULAR_ITEMS),
        )
        async with self._runner.run(site) as run:
            if by is Rank.REVENUE:
                counted = await run.answer(plan(query, Wanted(totals=frozenset({Part.COUNTS}))))
                currency = report_currency(counted.currencies, query.site_currency)
                query = replace(query, rank_currency=currency)
            answer = await run.answer(plan(query, Wanted(rows=parts)))
        return [(str(row.values[0]), row.measures) for row in answer.rows]

    async def time_series(
        self, site: str, asked: RangeRequest, request: ReportRequest, parts: frozenset[Part]
    ) -> list[tuple[datetime, Counted]]:
        """The numbers of every bucket, those without events too."""
        query = await self._query(
            site,
            asked,
            request.timezone,
            filter=request.filter,
            granularity=request.granularity,
        )
        async with self._runner.run(site) as run:
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
        query = await self._query(site, asked, filter=wanted)
        earlier = query.time_range.before()
        before = replace(query, time_range=earlier, sampled=await self._is_sampled(site, earlier))
        async with self._runner.run(site) as run:
            current = await run.answer(plan(query, Wanted(totals=current_parts)))
            previous = await run.answer(plan(before, Wanted(totals=previous_parts)))
        currency = report_currency(current.currencies | previous.currencies, query.site_currency)
        return Comparison(Counted(current.totals, currency), Counted(previous.totals, currency))

    async def report(
        self, site: str, asked: RangeRequest, request: ReportRequest, wanted: Wanted
    ) -> Reported:
        """Any numbers, broken down by dimensions and time."""
        query = await self._query(
            site,
            asked,
            request.timezone,
            filter=request.filter,
            dimensions=request.dimensions,
            granularity=request.granularity,
            limit=request.limit,
        )
        as_of = self._clock.now()
        async with self._runner.run(site) as run:
            answer = await run.answer(plan(query, wanted))
        currency = report_currency(answer.currencies, query.site_currency)
        return Reported(answer, currency, as_of, exact=not query.sampled)

    async def _query(
        self, site: str, asked: RangeRequest, timezone: str | None = None, **details: Any
    ) -> ReportQuery:
        """A report of the site, in this time zone or the site's."""
        defaults = await self._sites.get(site)
        zone = zone_named(defaults.timezone if timezone is None else timezone)
        moment = Moment(self._clock.now(), self._tolerance, zone)
        time_range = await self._range(site, asked, moment)
        sampled = await self._is_sampled(site, time_range)
        return ReportQuery(time_range, zone, defaults.currency, sampled=sampled, **details)

    async def _is_sampled(self, site: str, time_range: TimeRange) -> bool:
        return await self._events.has_sample(site, time_range.start, time_range.end)

    async def _range(self, site: str, asked: RangeRequest, moment: Moment) -> TimeRange:
        edges = Edges()
        if asked.needs_edges:
            edges = Edges(await self._events.first_at(site), await self._events.last_at(site))
        return resolve(asked, moment, edges)
