"""What the reports of one topic start with: the query of a site, and the categories that it needs."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.pipelines.dimensions import Categories, categories_from, seen_items
from app.modules.analytics.pipelines.matching import covered_in_any_category
from app.modules.analytics.query import Dimension, ReportQuery
from app.modules.analytics.ranges import Edges, RangeRequest, TimeRange
from app.modules.analytics.runner import Run
from app.modules.analytics.site_ranges import SiteRanges
from app.repositories.events import EventRepository


class Queries:
    """Makes queries: resolves ranges and reads what the site says where a request says nothing."""

    def __init__(
        self, events: EventRepository, sites: SiteSettings, settings: Settings, clock: Clock
    ) -> None:
        self._events = events
        self._ranges = SiteRanges(sites, settings, clock, self._edges)

    async def query(
        self, site: str, asked: RangeRequest, timezone: str | None = None, **details: Any
    ) -> ReportQuery:
        """A report of the site over a range, in this time zone or the site's. Raises BadInputError."""
        found = await self._ranges.of(site, asked, timezone)
        start, end = found.time_range.start, found.time_range.end
        sampled = await self._events.has_sample(site, start, end)
        return ReportQuery(
            found.time_range, found.zone, found.rules.currency, sampled=sampled, **details
        )

    async def over(self, site: str, query: ReportQuery, time_range: TimeRange) -> ReportQuery:
        """The same query over another range."""
        sampled = await self._events.has_sample(site, time_range.start, time_range.end)
        return replace(query, time_range=time_range, sampled=sampled)

    def now(self) -> datetime:
        return self._ranges.now()

    @property
    def latest(self) -> datetime:
        """The instant before which every accepted event lies."""
        return self._ranges.latest

    async def _edges(self, site: str) -> Edges:
        return Edges.of([await self._events.first_at(site), await self._events.last_at(site)])


async def categories_of(run: Run, query: ReportQuery) -> Categories:
    """The categories that the query's dimensions and conditions need; none where they need none."""
    conditions = (condition.dimension for condition in query.filter.where)
    if Dimension.CATEGORY not in (*query.dimensions, *conditions):
        return Categories({})
    return categories_from(await run.aggregate(seen_items(covered_in_any_category(query))))
