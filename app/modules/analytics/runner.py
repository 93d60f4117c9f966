"""Runs the aggregations of reports, all of one answer at one instant and within one time."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.core.database import is_out_of_time
from app.core.errors import LimitExceededError
from app.modules.analytics.measures import Measures, Part, report_currency
from app.modules.analytics.pipelines.dimensions import Categories, categories_from
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.planner import Plan
from app.modules.analytics.query import ReportQuery
from app.repositories.base import Snapshot
from app.repositories.events import EventRepository

_NO_CATEGORIES = Categories({})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a report: a value for each of its dimensions, and where its bucket begins."""

    values: tuple[str | None, ...]
    start: datetime | None
    measures: Measures


@dataclass(slots=True)
class Answer:
    """What was counted. `number_of_rows` is how many there are, of which `rows` may be the first."""

    query: ReportQuery
    totals: Measures
    rows: list[Row] = field(default_factory=list)
    number_of_rows: int = 0

    @property
    def currency(self) -> str:
        """The currency of the report's amounts."""
        every = (self.totals, *(row.measures for row in self.rows))
        return report_currency(every, self.query.site_currency)


class Runner:
    """Makes runs. `seconds` is how long the database may take for one."""

    def __init__(self, events: EventRepository, seconds: float) -> None:
        self._events = events
        self._seconds = seconds

    @asynccontextmanager
    async def run(self, site: str) -> AsyncIterator["Run"]:
        """`async with runner.run(site) as run:` all that is asked inside is of one instant."""
        async with self._events.snapshot() as snapshot:
            yield Run(self._events, site, snapshot, time.monotonic() + self._seconds)


class Run:
    """The aggregations of one answer."""

    def __init__(
        self, events: EventRepository, site: str, snapshot: Snapshot, deadline: float
    ) -> None:
        self._events = events
        self._site = site
        self._snapshot = snapshot
        self._deadline = deadline

    async def answer(self, plan: Plan) -> Answer:
        """Run a plan. Raises LimitExceededError when it takes too long."""
        categories = await self._categories(plan)
        answer = Answer(plan.query, await self._totals(plan, plan.totals, categories))
        if not plan.rows:
            return answer
        found = await self.aggregate(plan.first_row_stages(categories))
        wanted = found[: plan.row_limit]
        cut = len(wanted) < len(found)
        measures = {_key(row): Measures.none(plan.rows) for row in wanted}
        _take(measures, Part.COUNTS, wanted)
        for part in plan.rows[1:]:
            keys = [row["_id"] for row in wanted] if cut else None
            _take(
                measures,
                part,
                await self.aggregate(plan.more_row_stages(part, categories, keys)),
            )
        answer.rows = _rows(plan, measures)
        answer.number_of_rows = len(answer.rows)
        if cut and Part.COUNTS not in plan.totals:
            # The rows that are left out have a say in the currency.
            answer.totals = await self._totals(plan, (Part.COUNTS,), categories)
        if cut and plan.number_of_rows:
            [counted] = await self.aggregate(plan.number_of_rows_stages(categories))
            answer.number_of_rows = counted["rows"]
        return answer

    async def aggregate(self, pipeline: Sequence[Stage]) -> list[dict[str, Any]]:
        """Run one pipeline in what is left of the time. Raises LimitExceededError when that is too short."""
        left = self._deadline - time.monotonic()
        if left < 0.001:  # the database takes zero milliseconds for no limit
            raise _out_of_time()
        try:
            return await self._events.aggregate(
                self._site, pipeline, snapshot=self._snapshot, max_seconds=left
            )
        except Exception as error:
            if is_out_of_time(error):
                raise _out_of_time() from error
            raise

    async def _categories(self, plan: Plan) -> Categories:
        stages = plan.category_stages()
        return _NO_CATEGORIES if stages is None else categories_from(await self.aggregate(stages))

    async def _totals(
        self, plan: Plan, parts: Sequence[Part], categories: Categories
    ) -> Measures:
        totals = Measures.none(parts)
        for part in parts:
            for found in await self.aggregate(plan.total_stages(part, categories)):
                totals.take(part, found)
        return totals


def _out_of_time() -> LimitExceededError:
    return LimitExceededError(
        "The report takes longer than the server allows. Ask for a shorter range, fewer dimensions "
        "or fewer fields."
    )


def _key(found: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a row is found by: its bucket and its dimensions' values."""
    key = found["_id"] or {}
    return key.get("b"), key.get("d0"), key.get("d1")


def _take(
    measures: Mapping[tuple[Any, ...], Measures], part: Part, found: Sequence[dict[str, Any]]
) -> None:
    for row in found:
        measures[_key(row)].take(part, row)


def _rows(plan: Plan, measures: Mapping[tuple[Any, ...], Measures]) -> list[Row]:
    query = plan.query
    if query.is_series:
        return _series(plan, measures)
    buckets = query.timeline.buckets if query.timeline else ()
    starts = {bucket.key: bucket.start for bucket in buckets}
    return [
        Row(values[: len(query.dimensions)], starts.get(bucket), of_row)
        for (bucket, *values), of_row in ((key, measures[key]) for key in measures)
    ]


def _series(plan: Plan, measures: Mapping[tuple[Any, ...], Measures]) -> list[Row]:
    """A row for every bucket; empty ones that are still to come are left out at the end."""
    return []
