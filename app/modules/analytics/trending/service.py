"""Trending items: what is more, or less, frequent than just before."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.queries import Queries, categories_of
from app.modules.analytics.ranges import RangeRequest
from app.modules.analytics.runner import Runner
from app.modules.analytics.trending.pipeline import trending
from app.modules.analytics.trending.query import (
    Periods,
    TrendRequest,
    check_has_a_before,
    periods,
)
from app.repositories.events import EventRepository


@dataclass(frozen=True, slots=True)
class Trend:
    """One item: its counts, and the interval of how many times as frequent it is now.

    `high` is None where there was none before: then it can be any number of times.
    """

    item: str
    current: int
    previous: int
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class Trends:
    """The items with the clearest trend first, and what was compared."""

    compared: Periods
    items: Sequence[Trend]
    sampled: bool


class TrendingService:
    """Answers from the raw events of a site, each answer of one instant."""

    def __init__(
        self, events: EventRepository, sites: SiteSettings, settings: Settings, clock: Clock
    ) -> None:
        self._queries = Queries(events, sites, settings, clock)
        self._runner = Runner(events, settings.report_timeout)

    async def trends(self, site: str, asked: RangeRequest, request: TrendRequest) -> Trends:
        """Raises BadInputError for a range without a before."""
        check_has_a_before(asked)
        query = await self._queries.query(site, asked, filter=request.filter)
        compared = periods(query.time_range, self._queries.latest)
        query = await self._queries.over(site, query, compared.both)
        async with self._runner.run(site) as run:
            categories = await categories_of(run, query)
            found = await run.aggregate(trending(query, categories, request, compared))
        return Trends(
            compared,
            [
                Trend(
                    row["_id"], int(row["current"]), int(row["previous"]), row["low"], row["high"]
                )
                for row in found
            ],
            sampled=query.sampled,
        )
