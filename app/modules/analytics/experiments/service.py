"""Experiments: what was counted of each variant, and how sure the differences are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.experiments import pipelines
from app.modules.analytics.experiments.findings import Finding, findings
from app.modules.analytics.experiments.query import MAX_EXPERIMENTS, CountBy, ExperimentRequest
from app.modules.analytics.experiments.results import Results, assess, counts_from
from app.modules.analytics.queries import Queries
from app.modules.analytics.query import check_limit
from app.modules.analytics.ranges import RangeRequest
from app.modules.analytics.runner import Runner
from app.repositories.events import EventRepository


@dataclass(frozen=True, slots=True)
class Assessed:
    """The results of an experiment, what to mind in them, and as of when."""

    results: Results
    findings: Sequence[Finding]
    as_of: datetime
    # False where a sample of the visitors was counted.
    exact: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """An experiment of which events were tracked. `variants` may be the first of them."""

    experiment: str
    variants: Sequence[str]
    number_of_variants: int
    events: int
    first_at: datetime
    last_at: datetime


class ExperimentService:
    """Answers from the raw events of a site, each answer of one instant."""

    def __init__(
        self, events: EventRepository, sites: SiteSettings, settings: Settings, clock: Clock
    ) -> None:
        self._queries = Queries(events, sites, settings, clock)
        self._runner = Runner(events, settings.report_timeout)

    async def experiment(
        self, site: str, asked_range: RangeRequest, asked: ExperimentRequest
    ) -> Assessed:
        """One experiment. One of which there are no events has no variants."""
        query = await self._queries.query(site, asked_range)
        as_of = self._queries.now()
        visitors: list[dict[str, Any]] = []
        async with self._runner.run(site) as run:
            found = await run.aggregate(pipelines.counts(asked, query.time_range))
            if asked.count_by is CountBy.IMPRESSION:
                visitors = await run.aggregate(pipelines.visitors(asked, query.time_range))
        counts = counts_from(asked, found, visitors)
        # In a thread: the first time it imports scipy, and some exact tests take their time.
        results = await asyncio.to_thread(assess, asked, counts)
        return Assessed(
            results, findings(results, sampled=query.sampled), as_of, exact=not query.sampled
        )

    async def experiments(self, site: str, asked_range: RangeRequest, limit: int) -> list[Seen]:
        """The experiments of which there are events, the one with the latest event first."""
        check_limit(limit, MAX_EXPERIMENTS)
        query = await self._queries.query(site, asked_range)
        async with self._runner.run(site) as run:
            found = await run.aggregate(pipelines.experiments(query.time_range, limit))
        return [
            Seen(
                one["_id"],
                [variant for variant in one["variants"] if variant is not None],
                one["number_of_variants"],
                one["events"],
                one["first"],
                one["last"],
            )
            for one in found
        ]
