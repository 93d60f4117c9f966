"""Engagement: how long and how far people read, and where they click."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.clock import Clock
from app.core.config import Settings
from app.core.errors import BadInputError
from app.core.ports import SiteSettings
from app.modules.analytics.engagement import click_map, pipelines, spread
from app.modules.analytics.engagement.click_map import ClickMap, ClickMapRequest, Grid
from app.modules.analytics.engagement.distributions import (
    PERCENTILES,
    STEP,
    Depths,
    Durations,
    depths_of,
    durations_of,
)
from app.modules.analytics.engagement.spread import Key, Spread
from app.modules.analytics.pipelines.dimensions import Categories
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.queries import Queries, categories_of
from app.modules.analytics.query import Dimension, EventFilter, ReportQuery
from app.modules.analytics.ranges import RangeRequest
from app.modules.analytics.runner import Run, Runner
from app.repositories.events import EventRepository

MAX_ROWS = 50


@dataclass(frozen=True, slots=True)
class EngagementRequest:
    """What of engagement is asked for. Without a dimension there are no rows. Raises BadInputError."""

    filter: EventFilter
    by: Dimension | None = None
    limit: int = 10
    durations: bool = True
    depths: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_ROWS:
            raise BadInputError(f"must be from 1 to {MAX_ROWS}", "limit")


@dataclass(frozen=True, slots=True)
class Engagement:
    """Durations and depths of all events, or of those of one value; None where not asked for."""

    durations: Durations | None
    depths: Depths | None


@dataclass(frozen=True, slots=True)
class EngagementReport:
    """The whole, and the values of a dimension, those with the most events first."""

    whole: Engagement
    rows: Sequence[tuple[Key, Engagement]]
    sampled: bool


class EngagementService:
    """Answers from the raw events of a site, each answer of one instant."""

    def __init__(
        self, events: EventRepository, sites: SiteSettings, settings: Settings, clock: Clock
    ) -> None:
        self._queries = Queries(events, sites, settings, clock)
        self._runner = Runner(events, settings.report_timeout)

    async def engagement(
        self, site: str, asked: RangeRequest, request: EngagementRequest
    ) -> EngagementReport:
        """How durations and scroll depths are spread. Raises LimitExceededError when it takes too long."""
        dimensions = () if request.by is None else (request.by,)
        query = await self._queries.query(site, asked, filter=request.filter, dimensions=dimensions)
        async with self._runner.run(site) as run:
            categories = await categories_of(run, query)
            passes = _Passes(run, query, categories, request)
            [whole] = await passes.engagement(None)
            these: list[Key] = []
            if request.by is not None:
                most = pipelines.most_engaged(query, categories, request.limit)
                these = [found["_id"] for found in await run.aggregate(most)]
            of_these = await passes.engagement(these) if these else []
        return EngagementReport(
            whole, list(zip(these, of_these, strict=True)), sampled=query.sampled
        )

    async def click_map(
        self, site: str, asked: RangeRequest, wanted: EventFilter, request: ClickMapRequest
    ) -> ClickMap:
        """Where was clicked. Raises LimitExceededError when it takes too long."""
        query = await self._queries.query(site, asked, filter=wanted)
        async with self._runner.run(site) as run:
            categories = await categories_of(run, query)
            grid = await _grid(run, query, categories, request)
            found = await run.aggregate(click_map.by_cell(query, categories, request, grid))
        return click_map.click_map_from(grid, found, sampled=query.sampled)


@dataclass(frozen=True, slots=True)
class _Passes:
    """The aggregations of one engagement report. `these` are values of its dimension; None: the whole."""

    run: Run
    query: ReportQuery
    categories: Categories
    request: EngagementRequest

    async def engagement(self, these: Sequence[Key] | None) -> list[Engagement]:
        """One for each of these, in their order."""
        keys: Sequence[Key] = (None,) if these is None else these
        durations = await self._durations(keys, these) if self.request.durations else {}
        depths = await self._depths(keys, these) if self.request.depths else {}
        return [Engagement(durations.get(key), depths.get(key)) for key in keys]

    async def _durations(
        self, keys: Sequence[Key], these: Sequence[Key] | None
    ) -> dict[Key, Durations]:
        stages = pipelines.durations(self.query, self.categories, these)
        spreads, values = await _spread(self.run, stages, STEP, PERCENTILES)
        return {key: durations_of(spreads.get(key, Spread()), values.get(key, {})) for key in keys}

    async def _depths(self, keys: Sequence[Key], these: Sequence[Key] | None) -> dict[Key, Depths]:
        pages: dict[Key, dict[int, int]] = {key: {} for key in keys}
        stages = pipelines.depths(self.query, self.categories, these)
        for found in await self.run.aggregate(stages):
            pages[found["_id"]["key"]][found["_id"]["depth"]] = int(found["pages"])
        return {key: depths_of(counts) for key, counts in pages.items()}


_Values = dict[Key, dict[int, dict[int, int]]]


async def _spread(
    run: Run, stages: Sequence[Stage], step: int, percentiles: Sequence[int]
) -> tuple[dict[Key, Spread], _Values]:
    """Both passes over the documents that these stages give."""
    spreads = spread.spreads_from(await run.aggregate([*stages, *spread.by_step(step)]))
    steps = {key: each.steps(percentiles) for key, each in spreads.items()}
    if not any(steps.values()):
        return spreads, {}
    found = await run.aggregate([*stages, *spread.by_value(step, steps)])
    return spreads, spread.values_from(found)


async def _grid(
    run: Run, query: ReportQuery, categories: Categories, asked: ClickMapRequest
) -> Grid:
    """The area asked for, and where it is open as much as was clicked; at least a pixel a cell."""
    width, height = asked.width, asked.height
    if width is None or height is None:
        reached = await _reached(run, click_map.positions(query, categories, asked))
        width = width or max(reached.get("x", 0) + 1, asked.columns)
        height = height or max(reached.get("y", 0) + 1, asked.rows)
    return Grid(asked.columns, asked.rows, width, height)


async def _reached(run: Run, positions: Sequence[Stage]) -> dict[Key, int]:
    """The furthest pixel of each axis that is not far out; of no clicks, none."""
    spreads, values = await _spread(run, positions, click_map.STEP, (click_map.USUAL,))
    if not spreads:
        return {}
    usual = {key: each.quantile(click_map.USUAL, values[key]) for key, each in spreads.items()}
    found = await run.aggregate([*positions, *click_map.furthest(usual)])
    return {row["_id"]: int(row["furthest"]) for row in found}
