"""How reports are run: with indexes, at one instant, in bounded time, and no more than is needed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bson import json_util
from pymongo.errors import ExecutionTimeout

from app.core.errors import LimitExceededError
from app.modules.analytics import planner
from app.modules.analytics.measures import Part
from app.modules.analytics.pipelines.dimensions import Categories
from app.modules.analytics.pipelines.users import of_user
from app.modules.analytics.planner import Wanted, plan
from app.modules.analytics.query import Condition, Dimension, EventFilter, ReportQuery
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.runner import Runner
from app.modules.analytics.zones import zone_named
from app.repositories.events import EventRepository
from tests.modules.analytics.asking import event, store, utc

RANGE = TimeRange(utc("2026-06-01"), utc("2026-06-15"))


def query(**details: Any) -> ReportQuery:
    return ReportQuery(RANGE, zone_named("UTC"), "EUR", **details)


def indexes_in(explained: Any) -> set[str]:
    """The names of the indexes that the winning plan of an explanation uses."""
    found = set()
    if isinstance(explained, dict):
        if "indexName" in explained:
            found.add(explained["indexName"])
        for name, value in explained.items():
            if name != "rejectedPlans":
                found |= indexes_in(value)
    elif isinstance(explained, list):
        for value in explained:
            found |= indexes_in(value)
    return found


async def explained(api: Any, stages: list[Any]) -> Any:
    """How the database runs a pipeline, as the repository sends it."""
    sent: list[Any] = []

    class Recorder(EventRepository):
        async def _aggregate(self, site: str, pipeline: Any, **more: Any) -> list[Any]:
            sent.extend([{"$match": {"site": site}}, *pipeline])
            return []

    await Recorder().aggregate("demo", stages)
    command = {"aggregate": "events", "pipeline": sent, "cursor": {}, "allowDiskUse": True}
    return await api.database.command("explain", command, verbosity="queryPlanner")


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (EventFilter(), "by_time"),
        (EventFilter(items=("i1",)), "by_item"),
        (EventFilter(items=("i1", "i2", "i3")), "by_item"),
        (EventFilter(user="u1"), "by_user"),
        (EventFilter(visitor="v1"), "by_time"),
        (EventFilter(where=(Condition(Dimension.ITEM, ("i1",)),)), "by_item"),
        (EventFilter(where=(Condition(Dimension.CATEGORY, ("c",)),)), "by_item"),
        (EventFilter(where=(Condition(Dimension.HOUR_OF_DAY, ("1",)),)), "by_time"),
    ],
)
@pytest.mark.parametrize("part", Part)
async def test_reports_use_an_index(api: Any, wanted: EventFilter, index: str, part: Part) -> None:
    """Never all events of the collection: those of the item or user, else those of the time."""
    days = [utc(f"{month}-{day:02}") for month in ("2026-06", "2025-06") for day in range(1, 29)]
    await store(
        *[event(item=f"i{n}", user=f"u{n}", at=days[n % len(days)]) for n in range(4 * len(days))]
    )
    categories = Categories({"i1": "c", "i2": "d"})
    found = plan(query(filter=wanted, dimensions=(Dimension.SOURCE,)), Wanted(rows=frozenset(Part)))
    for stages in (
        found.total_stages(part, categories),
        *found.more_row_stages(part, categories, None),
        found.first_row_stages(categories),
    ):
        explanation = await explained(api, stages)
        used = indexes_in(explanation)
        # Of users there are few: the index that has only events with one may serve as well.
        assert used == {index} or (part is Part.USERS and used == {"by_user"})
        assert "COLLSCAN" not in json.dumps(explanation, default=str)


async def test_one_users_events_are_found_by_an_index(api: Any) -> None:
    """The same for userAnalytics."""
    await store(*[event(user=f"u{n}", item="i", at=utc("2026-06-03")) for n in range(50)])
    stages = of_user(query(filter=EventFilter(user="u1")))
    assert indexes_in(await explained(api, stages)) == {"by_user"}


def test_pipelines_are_plain_and_the_same_each_time() -> None:
    """Builders are pure: lists of documents that could be written down, from the query alone."""
    asked = query(dimensions=(Dimension.CATEGORY, Dimension.WEEKDAY))
    categories = Categories({"i": "c"})
    found = plan(asked, Wanted(frozenset(Part), frozenset(Part), True))
    for build in (
        lambda: found.category_stages(),
        lambda: found.total_stages(Part.VISITORS, categories),
        lambda: found.first_row_stages(categories),
        lambda: found.more_row_stages(Part.USERS, categories, [{"d0": "c", "d1": "1"}]),
        lambda: found.number_of_rows_stages(categories),
    ):
        assert json_util.dumps(build()) == json_util.dumps(build())


@pytest.mark.parametrize(
    ("wanted", "totals", "rows"),
    [
        (Wanted(), "", ""),
        (Wanted(totals=frozenset({Part.USERS, Part.COUNTS})), "COUNTS USERS", ""),
        (Wanted(rows=frozenset({Part.SESSIONS})), "", "COUNTS SESSIONS"),
        (Wanted(number_of_rows=True), "", "COUNTS"),
        (Wanted(frozenset({Part.VISITORS}), frozenset({Part.COUNTS})), "VISITORS", "COUNTS"),
    ],
)
def test_only_what_is_wanted_is_planned(wanted: Wanted, totals: str, rows: str) -> None:
    """COUNTS come first of the rows, because they say which rows there are."""
    found = plan(query(), wanted)
    assert (" ".join(found.totals), " ".join(found.rows)) == (totals, rows)
    assert found.category_stages() is None


@pytest.mark.parametrize(
    ("selected", "aggregations"),
    [
        ("meta { asOf exact }", 0),
        ("__typename", 0),
        ("totals { events revenue clickThroughRate }", 1),
        ("totals { uniqueVisitors visitorConversionRate }", 1),
        ("meta { rows }", 1),
        ("rows { start }", 1),
        ("rows { metrics { bounceRate uniqueSessions } }", 1),
        ("totals { uniqueUsers } rows { metrics { events } }", 2),
    ],
)
async def test_only_what_is_selected_is_run(
    api: Any, monkeypatch: pytest.MonkeyPatch, selected: str, aggregations: int
) -> None:
    """A field that nobody asked for costs nothing."""
    ran = []
    aggregate = EventRepository.aggregate

    async def counted(self: Any, site: str, pipeline: Any, **more: Any) -> Any:
        ran.append(pipeline)
        return await aggregate(self, site, pipeline, **more)

    monkeypatch.setattr(EventRepository, "aggregate", counted)
    await store(event())
    await api.ask(f"{{ report(by: [ITEM]) {{ {selected} }} }}")
    assert len(ran) == aggregations


def test_keys_go_in_portions_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in their order, none of the portions larger than a command may be."""
    monkeypatch.setattr(planner, "MAX_PORTION_BYTES", 1_000)
    keys = [{"d0": "é" * n, "d1": None} for n in (1, 300, 2, 600, 3, 400)]
    found = planner._portions(keys)
    assert [key for portion in found for key in portion] == keys
    assert [len(portion) for portion in found] == [3, 1, 1, 1]
    assert planner._portions([]) == []


class SlowRepository(EventRepository):
    """Whose database ends everything because its time is over."""

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Any]:
        yield None

    async def aggregate(self, *_: Any, **__: Any) -> list[Any]:
        raise ExecutionTimeout("operation exceeded time limit", 50)


async def test_a_report_that_takes_too_long_says_so() -> None:
    """LIMIT_EXCEEDED and what to do, not that the database is away."""
    async with Runner(SlowRepository(), 30).run("demo") as run:
        with pytest.raises(LimitExceededError, match="shorter range"):
            await run.aggregate([])


async def test_the_database_ends_a_report_in_time(api: Any) -> None:
    """What is left of the time goes with every aggregation; a real server keeps to it."""
    await store(event())
    million = {"$range": [0, 1_000_000]}
    endless = [
        {"$set": {"n": million}},
        {"$unwind": "$n"},
        {"$set": {"m": million}},
        {"$unwind": "$m"},
    ]
    async with Runner(EventRepository(), 0.05).run("demo") as run:
        with pytest.raises(LimitExceededError):
            await run.aggregate([*endless, {"$count": "events"}])


async def test_no_time_is_not_endless_time(make_api: Any) -> None:
    """Less than a millisecond, which the database would take for no limit, is over already."""
    api = await make_api(report_timeout=0.0001)
    error = await api.refused("{ report { totals { events } } }")
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_all_numbers_of_an_answer_are_of_one_instant(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that come between two aggregations of an answer are in none of its numbers."""
    aggregate = EventRepository.aggregate

    async def with_events_in_between(self: Any, site: str, pipeline: Any, **more: Any) -> Any:
        found = await aggregate(self, site, pipeline, **more)
        await store(event(visitor=f"v{len(found)}", item="late"))
        return found

    await store(event(item="early"))
    monkeypatch.setattr(EventRepository, "aggregate", with_events_in_between)
    answer = await api.ask(
        """{ report(by: [ITEM]) {
          totals { events uniqueVisitors uniqueSessions }
          rows { dimensions { value } metrics { events uniqueVisitors } } meta { rows } } }"""
    )
    assert answer["report"] == {
        "totals": {"events": 1, "uniqueVisitors": 1, "uniqueSessions": 1},
        "rows": [
            {"dimensions": [{"value": "early"}], "metrics": {"events": 1, "uniqueVisitors": 1}}
        ],
        "meta": {"rows": 1},
    }
    monkeypatch.undo()
    after = await api.ask("{ report { totals { events } } }")
    assert after["report"]["totals"]["events"] == 3
