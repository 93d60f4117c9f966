"""Runs the aggregations of reports, all of one answer at one instant and within one time."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.core.database import is_out_of_time
from app.core.errors import LimitExceededError
from app.modules.analytics.answers import Answer, Rows
from app.modules.analytics.measures import Measures, Part
from app.modules.analytics.pipelines.dimensions import Categories, categories_from
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.planner import Plan
from app.repositories.base import Snapshot
from app.repositories.events import EventRepository

_NO_CATEGORIES = Categories({})


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
        answer = Answer(await self._totals(plan, plan.totals, categories))
        if plan.rows:
            await self._add_rows(answer, plan, categories)
        return answer

    async def _add_rows(self, answer: Answer, plan: Plan, categories: Categories) -> None:
        found = await self.aggregate(plan.first_row_stages(categories))
        rows = Rows(plan.query, plan.rows, found[: plan.row_limit])
        cut = len(rows) < len(found)
        these = rows.keys if cut or plan.query.only_ranked else None
        for part in plan.rows[1:]:
            for stages in plan.more_row_stages(part, categories, these):
                rows.take(part, await self.aggregate(stages))
        rows.add_to(answer)
        if cut and Part.COUNTS not in plan.totals:
            # The rows that are left out have a say in the report's currency.
            everything = await self._totals(plan, (Part.COUNTS,), categories)
            answer.currencies |= everything.currencies
        if cut and plan.number_of_rows:
            [counted] = await self.aggregate(plan.number_of_rows_stages(categories))
            answer.number_of_rows = counted["rows"]

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

    async def _totals(self, plan: Plan, parts: Sequence[Part], categories: Categories) -> Measures:
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
