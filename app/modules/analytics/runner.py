"""Runs the aggregations of reports, all of one answer at one instant and within one time."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

from app.core.database import is_out_of_time
from app.core.errors import LimitExceededError
from app.modules.analytics.answers import Answer, Rows
from app.modules.analytics.caching import Recall, ReportCache
from app.modules.analytics.measures import Measures, Part
from app.modules.analytics.pipelines.dimensions import Categories, categories_from
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.planner import Plan
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.rollups import answering
from app.modules.analytics.rollups.answering import NotFromRollupsError
from app.modules.analytics.rollups.reading import Reading, Stock
from app.repositories.base import Snapshot
from app.repositories.events import EventRepository

T = TypeVar("T")

_NO_CATEGORIES = Categories({})


class Runner:
    """Makes runs. `seconds` is how long the database may take for one."""

    def __init__(
        self,
        events: EventRepository,
        seconds: float,
        stock: Stock | None = None,
        cache: ReportCache | None = None,
    ) -> None:
        """`stock` is what there is besides events; without it all answers are from events alone."""
        self._events = events
        self._seconds = seconds
        self._stock = stock
        self._cache = cache

    @asynccontextmanager
    async def run(self, site: str) -> AsyncIterator["Run"]:
        """`async with runner.run(site) as run:` all that is asked inside is of one instant."""
        async with self._events.snapshot() as snapshot:
            deadline = time.monotonic() + self._seconds
            recall = None
            if self._cache is not None and self._stock is not None:
                recall = Recall(self._cache, site, snapshot)
            yield Run(self._events, site, snapshot, deadline, self._stock, recall)


class Run:
    """The aggregations of one answer."""

    def __init__(
        self,
        events: EventRepository,
        site: str,
        snapshot: Snapshot,
        deadline: float,
        stock: Stock | None,
        recall: Recall | None,
    ) -> None:
        self._events = events
        self._site = site
        self._snapshot = snapshot
        self._deadline = deadline
        self._stock = stock
        self._recall = recall

    async def answer(self, plan: Plan) -> Answer:
        """Run a plan, on rollups where they serve. Raises LimitExceededError when it takes too long.

        What was answered before, and has not changed since, is answered again without.
        """
        if self._recall is None:
            return await self._computed(plan)
        return await self._recall.answer(plan, lambda: self._computed(plan))

    async def fact(
        self,
        name: str,
        time_range: TimeRange,
        question: Callable[[Snapshot, float], Awaitable[bool]],
    ) -> bool:
        """`ask` whether something of this name is so in a range; remembered as answers are."""
        if self._recall is None:
            return await self.ask(question)
        return await self._recall.fact(name, time_range, lambda: self.ask(question))

    async def _computed(self, plan: Plan) -> Answer:
        if self._stock is not None:
            reading = Reading(self._stock, self._site, self._snapshot, self._seconds_left)
            with suppress(NotFromRollupsError), _in_time():
                return await answering.answer(reading, plan)
        return await self._answer_from_events(plan)

    async def _answer_from_events(self, plan: Plan) -> Answer:
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
        with _in_time():
            return await self._events.aggregate(
                self._site, pipeline, snapshot=self._snapshot, max_seconds=self._seconds_left()
            )

    async def stream(
        self, pipeline: Sequence[Stage], take: Callable[[list[dict[str, Any]]], None]
    ) -> None:
        """The same, with `take` given what it finds in portions; the time that it takes counts too."""

        def take_in_time(portion: list[dict[str, Any]]) -> None:
            take(portion)
            self._seconds_left()

        with _in_time():
            await self._events.stream(
                self._site,
                pipeline,
                take_in_time,
                snapshot=self._snapshot,
                max_seconds=self._seconds_left(),
            )

    async def ask(self, question: Callable[[Snapshot, float], Awaitable[T]]) -> T:
        """Ask another repository at the same instant; `question` is given it and the seconds left."""
        with _in_time():
            return await question(self._snapshot, self._seconds_left())

    def _seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left < 0.001:  # the database takes zero milliseconds for no limit
            raise _out_of_time()
        return left

    async def _categories(self, plan: Plan) -> Categories:
        stages = plan.category_stages()
        return _NO_CATEGORIES if stages is None else categories_from(await self.aggregate(stages))

    async def _totals(self, plan: Plan, parts: Sequence[Part], categories: Categories) -> Measures:
        totals = Measures.none(parts)
        for part in parts:
            for found in await self.aggregate(plan.total_stages(part, categories)):
                totals.take(part, found)
        return totals


@contextmanager
def _in_time() -> Iterator[None]:
    """What the database says when its time is over becomes a LimitExceededError."""
    try:
        yield
    except Exception as error:
        if is_out_of_time(error):
            raise _out_of_time() from error
        raise


def _out_of_time() -> LimitExceededError:
    return LimitExceededError(
        "The report takes longer than the server allows. Ask for a shorter range, fewer dimensions "
        "or fewer fields."
    )
