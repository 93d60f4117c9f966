"""Reports of what visitors do one thing after another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.behaviour.attribution import (
    MAX_ATTRIBUTION_ROWS,
    Attribution,
    Conversions,
    Windows,
)
from app.modules.analytics.behaviour.credits import Credits
from app.modules.analytics.behaviour.funnel import (
    MAX_FUNNEL_ROWS,
    FunnelTally,
    Reached,
    Steps,
    median_seconds,
)
from app.modules.analytics.behaviour.paths import MAX_PATHS, Anchor, Path, Paths
from app.modules.analytics.behaviour.pipelines import attribution as attribution_pipeline
from app.modules.analytics.behaviour.pipelines import paths as path_pipeline
from app.modules.analytics.behaviour.pipelines.funnel import possible_steps
from app.modules.analytics.behaviour.pipelines.retention import periods_of_visitors, since_ever
from app.modules.analytics.behaviour.retention import Cohort, Cohorts, RetentionTable, Return
from app.modules.analytics.buckets import Granularity
from app.modules.analytics.measures import percent
from app.modules.analytics.pipelines.dimensions import Categories, categories_from, seen_items
from app.modules.analytics.queries import Queries, categories_of
from app.modules.analytics.query import Dimension, EventFilter, ReportQuery, check_limit
from app.modules.analytics.ranges import RangeRequest
from app.modules.analytics.runner import Run, Runner
from app.repositories.events import EventRepository


@dataclass(frozen=True, slots=True)
class Meta:
    """When a report was made, whether it is exact, and how many rows there are in all."""

    as_of: datetime
    exact: bool
    rows: int


@dataclass(frozen=True, slots=True)
class StepReached:
    """How many visitors reached a step. What there is none of before the first step is None."""

    visitors: int
    from_first: float | None
    from_previous: float | None
    drop_off: int | None
    drop_off_percent: float | None
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """All visitors, and those of each value that their first step has."""

    steps: list[StepReached]
    rows: list[tuple[str | None, list[StepReached]]]
    meta: Meta


@dataclass(frozen=True, slots=True)
class Retention:
    """The cohorts in order, and all of them together."""

    cohorts: list[Cohort]
    overall: list[Return]
    meta: Meta


@dataclass(frozen=True, slots=True)
class Attributed:
    """What was credited, and how many of its rows are wanted."""

    credited: Credits
    limit: int
    meta: Meta


@dataclass(frozen=True, slots=True)
class PathsFound:
    """Paths, and what they are."""

    paths: Paths
    meta: Meta


class BehaviourService:
    """Answers from the raw events of a site, each answer of one instant."""

    def __init__(
        self, events: EventRepository, sites: SiteSettings, settings: Settings, clock: Clock
    ) -> None:
        self._queries = Queries(events, sites, settings, clock)
        self._runner = Runner(events, settings.report_timeout)

    async def funnel(
        self,
        site: str,
        asked: RangeRequest,
        steps: Steps,
        *,
        by: Dimension | None,
        wanted: EventFilter,
        limit: int,
        timed: bool,
    ) -> Funnel:
        """How far visitors get; with the median times only where `timed`."""
        check_limit(limit, MAX_FUNNEL_ROWS)
        dimensions = {by} if by else set()
        if steps.need_categories:
            dimensions.add(Dimension.CATEGORY)
        query = await self._queries.query(
            site, asked, filter=wanted, dimensions=tuple(sorted(dimensions))
        )
        as_of = self._queries.now()
        tally = FunnelTally(steps, broken_down=by is not None, timed=timed)
        async with self._runner.run(site) as run:
            categories = await categories_of(run, query)
            await run.stream(possible_steps(query, steps, by, categories), tally.take)
        tally.finish()
        rows = sorted(tally.rows.items(), key=_most_visitors_first)
        meta = Meta(as_of, exact=not query.sampled, rows=len(rows))
        # Medians of many visitors are sorted for a while.
        return await asyncio.to_thread(_funnel, tally.total, rows[:limit], meta)

    async def retention(
        self,
        site: str,
        asked: RangeRequest,
        granularity: Granularity,
        *,
        timezone: str | None,
        wanted: EventFilter,
        periods: int,
    ) -> Retention:
        """How many of the visitors who were new in a period came back in those after it."""
        query = await self._queries.query(site, asked, timezone, filter=wanted)
        cohorts = Cohorts.of(query, granularity, periods)
        now = self._queries.now()
        ever = await self._queries.over(site, query, since_ever(query.time_range))
        async with self._runner.run(site) as run:
            found = []
            if cohorts.timeline.buckets:
                categories = await categories_of(run, ever)
                found = await run.aggregate(periods_of_visitors(ever, cohorts, categories))
        table = RetentionTable(cohorts, found, now)
        rows = table.cohorts()
        meta = Meta(now, exact=not ever.sampled, rows=len(rows))
        return Retention(rows, table.overall(), meta)

    async def attribution(
        self,
        site: str,
        asked: RangeRequest,
        windows: Windows,
        *,
        by: Dimension,
        wanted: EventFilter,
        limit: int,
    ) -> Attributed:
        """What conversions are credited to."""
        check_limit(limit, MAX_ATTRIBUTION_ROWS)
        query = await self._queries.query(site, asked, filter=wanted)
        as_of = self._queries.now()
        conversions = Conversions(query.site_currency)
        async with self._runner.run(site) as run:
            categories = await categories_of(run, query)
            await run.stream(attribution_pipeline.conversions(query, categories), conversions.take)
            attribution = Attribution(conversions, windows)
            if conversions.all:
                await _touched(run, attribution, conversions, query, windows, by)
            credited = await asyncio.to_thread(attribution.finish)
        meta = Meta(as_of, exact=not query.sampled, rows=len(credited.by_value))
        return Attributed(credited, limit, meta)

    async def paths(self, site: str, asked: RangeRequest, anchor: Anchor, limit: int) -> PathsFound:
        """Where sessions went from an item or page, or came from."""
        check_limit(limit, MAX_PATHS)
        query = await self._queries.query(site, asked)
        as_of = self._queries.now()
        async with self._runner.run(site) as run:
            [found] = await run.aggregate(path_pipeline.paths(query, anchor, limit))
        those = [Path(each["_id"], each["sessions"]) for each in found["paths"]]
        sessions = ended = rows = 0
        for together in found["all"]:
            sessions, ended, rows = together["sessions"], together["ended"], together["rows"]
        others = sessions - ended - sum(path.sessions for path in those)
        return PathsFound(
            Paths(those, ended, others), Meta(as_of, exact=not query.sampled, rows=rows)
        )


def _most_visitors_first(row: tuple[str | None, Reached]) -> tuple[int, bool, str]:
    value, reached = row
    return -reached.visitors[0], value is not None, value or ""


def _funnel(total: Reached, rows: Sequence[tuple[str | None, Reached]], meta: Meta) -> Funnel:
    return Funnel(
        _steps_reached(total), [(value, _steps_reached(row)) for value, row in rows], meta
    )


def _steps_reached(reached: Reached) -> list[StepReached]:
    visitors = reached.visitors
    steps = [StepReached(visitors[0], percent(visitors[0], visitors[0]), None, None, None, None)]
    for place in range(1, len(visitors)):
        here, before = visitors[place], visitors[place - 1]
        steps.append(
            StepReached(
                here,
                percent(here, visitors[0]),
                percent(here, before),
                before - here,
                percent(before - here, before),
                median_seconds(reached.times[place]),
            )
        )
    return steps


async def _touched(
    run: Run,
    attribution: Attribution,
    conversions: Conversions,
    query: ReportQuery,
    windows: Windows,
    by: Dimension,
) -> None:
    """Give the attribution the touches of everybody who converted, in order."""
    matching = attribution_pipeline.touches_match(
        query, windows, conversions.visitors, conversions.users
    )
    categories = Categories({})
    if by is Dimension.CATEGORY:
        categories = categories_from(await run.aggregate(seen_items(matching)))
    longer = attribution_pipeline.reaching_back(query, windows)
    stages = attribution_pipeline.touches(longer, matching, by, categories)
    await run.stream(stages, attribution.take)
