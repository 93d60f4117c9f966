"""Funnels at their edges: which attempt counts, windows, ranges, weights, withdrawn events."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.errors import LimitExceededError
from app.modules.analytics.behaviour import funnel as funnels
from app.modules.analytics.behaviour.funnel import FunnelTally, Step, Steps, median_seconds
from tests.conftest import NOW
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.behaviour.asking import funnel, visitors

VIEW_CLICK_BUY = [{"type": "VIEW"}, {"type": "CLICK"}, {"type": "CONVERSION"}]
HOUR = timedelta(hours=1)
START = NOW - timedelta(days=3)


def at(hours: float) -> datetime:
    return START + hours * HOUR


async def test_each_visitor_counts_once_at_every_step_reached(api: Any) -> None:
    """Numbers, percentages, drop-off and median of three visitors, one of whom does it twice."""
    await store(
        event("VIEW", visitor="a", at=at(0)),
        event("CLICK", visitor="a", at=at(1)),
        event("CONVERSION", visitor="a", at=at(3)),
        event("VIEW", visitor="a", at=at(30)),
        event("CLICK", visitor="a", at=at(31)),
        event("VIEW", visitor="b", at=at(0)),
        event("CLICK", visitor="b", at=at(2)),
        event("CLICK", visitor="c", at=at(0)),
        event("VIEW", visitor="c", at=at(1)),
    )
    answer = await funnel(api, VIEW_CLICK_BUY)
    assert answer == {
        "steps": [
            {"step": 1, "visitors": 3, "conversionFromFirst": 100.0, "conversionFromPrevious": None,
             "dropOff": None, "dropOffPercent": None, "medianSeconds": None},
            {"step": 2, "visitors": 2, "conversionFromFirst": 200 / 3, "conversionFromPrevious": 200 / 3,
             "dropOff": 1, "dropOffPercent": 100 / 3, "medianSeconds": 5400.0},
            {"step": 3, "visitors": 1, "conversionFromFirst": 100 / 3, "conversionFromPrevious": 50.0,
             "dropOff": 1, "dropOffPercent": 50.0, "medianSeconds": 7200.0},
        ],
        "rows": [],
        "meta": {"exact": True, "rows": 0},
    }  # fmt: skip


async def test_of_nobody_there_are_zeros_and_nulls(api: Any) -> None:
    """No events: no division by zero."""
    steps = (await funnel(api, VIEW_CLICK_BUY))["steps"]
    assert visitors(steps) == [0, 0, 0]
    assert [step["dropOff"] for step in steps] == [None, 0, 0]
    assert {step["conversionFromFirst"] for step in steps} == {None}


async def test_the_window_ends_after_exactly_so_long(api: Any) -> None:
    """An hour after the first event counts, a millisecond more does not; it is counted from the first."""
    late = timedelta(milliseconds=1)
    await store(
        event("VIEW", visitor="in", at=at(0)),
        event("CLICK", visitor="in", at=at(0.5)),
        event("CONVERSION", visitor="in", at=at(1)),
        event("VIEW", visitor="out", at=at(0)),
        event("CLICK", visitor="out", at=at(0.5)),
        event("CONVERSION", visitor="out", at=at(1) + late),
    )
    assert visitors((await funnel(api, VIEW_CLICK_BUY, window=3600))["steps"]) == [2, 2, 1]
    assert visitors((await funnel(api, VIEW_CLICK_BUY, window=3601))["steps"]) == [2, 2, 2]


async def test_a_later_attempt_counts_where_it_gets_further(api: Any) -> None:
    """The first view is too early for the conversion, the second one is not; the row is the second's."""
    await store(
        event("VIEW", at=at(0), source="mail"),
        event("CLICK", at=at(1)),
        event("VIEW", at=at(20), source="search"),
        event("CLICK", at=at(22)),
        event("CONVERSION", at=at(30)),
    )
    answer = await funnel(api, VIEW_CLICK_BUY, by="SOURCE")
    assert visitors(answer["steps"]) == [1, 1, 1]
    assert [step["medianSeconds"] for step in answer["steps"]] == [None, 7200.0, 28800.0]
    assert [(row["value"], visitors(row["steps"])) for row in answer["rows"]] == [
        ("search", [1, 1, 1])
    ]


async def test_of_attempts_that_get_equally_far_the_earliest_counts(api: Any) -> None:
    """Both views lead to the same click: the first one counts, also for the time."""
    await store(
        event("VIEW", at=at(0), source="mail"),
        event("VIEW", at=at(1), source="search"),
        event("CLICK", at=at(2)),
    )
    answer = await funnel(api, VIEW_CLICK_BUY, by="SOURCE")
    assert [row["value"] for row in answer["rows"]] == ["mail"]
    assert answer["steps"][1]["medianSeconds"] == 7200.0


async def test_one_event_is_one_step(api: Any) -> None:
    """Two clicks are two steps of the same kind, one is not; at the same instant the ids decide."""
    twice = [{"type": "CLICK"}, {"type": "CLICK"}]
    await store(event("CLICK", visitor="a", at=at(0)))
    assert visitors((await funnel(api, twice))["steps"]) == [1, 0]
    await store(event("CLICK", visitor="a", at=at(0)))
    assert visitors((await funnel(api, twice))["steps"]) == [1, 1]
    await store(
        {**event("CLICK", visitor="b", at=at(0)), "_id": "demo:x"},
        {**event("VIEW", visitor="b", at=at(0)), "_id": "demo:y"},
    )
    click_view, view_click = [{"type": "CLICK"}, {"type": "VIEW"}], VIEW_CLICK_BUY[:2]
    assert visitors((await funnel(api, click_view))["steps"]) == [2, 1]
    assert visitors((await funnel(api, view_click))["steps"]) == [1, 0]


async def test_steps_by_name_category_item_and_page(api: Any) -> None:
    """All that a step says must hold; texts that look like fields are texts."""
    await api.database["items"].insert_one(
        {"_id": "demo:i", "site": "demo", "item": "i", "category": "$shoes"}
    )
    await store(
        event("PAGE_VIEW", page="$home", at=at(0)),
        event("CLICK", item="i", at=at(1)),
        event("CUSTOM", name="$add", item="i", at=at(2)),
        event("CUSTOM", name="$add", item="j", at=at(3)),
    )
    steps = [
        {"page": "$home"},
        {"category": "$shoes"},
        {"name": "$add", "category": "$shoes"},
        {"type": "CUSTOM", "itemId": "j"},
    ]
    assert visitors((await funnel(api, steps))["steps"]) == [1, 1, 1, 1]
    by_category = await funnel(api, steps[1:], by="CATEGORY")
    assert [row["value"] for row in by_category["rows"]] == ["$shoes"]
    filtered = {"where": [{"dimension": "CATEGORY", "values": ["$shoes"]}]}
    assert visitors((await funnel(api, steps[1:], filter=filtered))["steps"]) == [1, 1, 0]
    nothing = [{"type": "CLICK", "name": "$add"}, *steps]
    assert visitors((await funnel(api, nothing))["steps"]) == [0, 0, 0, 0, 0]


async def test_all_steps_lie_in_the_range(api: Any) -> None:
    """A view before it and a conversion at its end are not seen."""
    await store(
        event("VIEW", at=at(0)),
        event("CLICK", at=at(1)),
        event("CONVERSION", at=at(2)),
    )

    async def reached(start: datetime, end: datetime) -> list[int]:
        period = {"start": start.isoformat(), "end": end.isoformat()}
        return visitors((await funnel(api, VIEW_CLICK_BUY, range=period))["steps"])

    late = timedelta(milliseconds=1)
    assert await reached(at(0), at(2) + late) == [1, 1, 1]
    assert await reached(at(0), at(2)) == [1, 1, 0]
    assert await reached(at(0) + late, at(2) + late) == [0, 0, 0]


async def test_withdrawn_events_are_no_steps(api: Any) -> None:
    """Once the click is voided, the funnel ends before it."""
    await store(event("VIEW", at=at(0)), event("CLICK", source="bad", at=at(1)))
    assert visitors((await funnel(api, VIEW_CLICK_BUY))["steps"]) == [1, 1, 0]
    void = 'mutation { voidEvents(filter: {source: "bad"}, reason: "test") { voidId } }'
    await api.ask(void)
    assert visitors((await funnel(api, VIEW_CLICK_BUY))["steps"]) == [1, 0, 0]


async def test_a_sampled_visitor_stands_for_several(api: Any) -> None:
    """Visitors, rows and medians count the weight; of several weights the largest; meta says so."""
    await store(
        event("VIEW", visitor="a", at=at(0), weight=2, source="mail"),
        event("CLICK", visitor="a", at=at(1), weight=4),
        event("VIEW", visitor="b", at=at(0), source="mail"),
        event("CLICK", visitor="b", at=at(9)),
    )
    answer = await funnel(api, VIEW_CLICK_BUY, by="SOURCE")
    assert visitors(answer["steps"]) == [5, 5, 0]
    assert answer["rows"][0]["steps"] == answer["steps"]
    assert answer["steps"][1]["medianSeconds"] == 3600.0
    assert answer["meta"] == {"exact": False, "rows": 1}


async def test_rows_beyond_the_limit_are_counted(api: Any) -> None:
    """Most visitors first, of equals by value; meta has the number of all."""
    await store(
        *[event("VIEW", visitor=f"v{n}", source=source) for n, source in enumerate("abbc")],
        event("VIEW", visitor="w"),
    )
    answer = await funnel(api, VIEW_CLICK_BUY, by="SOURCE", limit=3)
    assert [(row["value"], row["steps"][0]["visitors"]) for row in answer["rows"]] == [
        ("b", 2),
        (None, 1),
        ("a", 1),
    ]
    assert answer["meta"]["rows"] == 4


def click(visitor: str, value: str | None = None) -> dict[str, Any]:
    return {"visitor": visitor, "at": 0, "steps": 3, "weight": 1, "value": value}


@pytest.mark.parametrize("bound", ["MAX_EVENTS_OF_VISITOR", "MAX_VALUES", "MAX_TIMES"])
def test_what_is_held_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """One more than the bound is refused with words that say what to ask instead."""
    monkeypatch.setattr(funnels, bound, 2)
    tally = FunnelTally(
        Steps((Step(name="a"), Step(name="b"))), broken_down=True, timed=bound == "MAX_TIMES"
    )
    same = bound == "MAX_EVENTS_OF_VISITOR"
    events = [
        each
        for n in range(3)
        for each in [click("v" if same else str(n), str(n))] * (1 if same else 2)
    ]
    last = 1 if same else 2
    tally.take(events[:-last])
    with pytest.raises(LimitExceededError, match="Ask for"):
        tally.take([*events[-last:], click("another")])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, None),
        ({1: [3000]}, 3.0),
        ({1: [3000, 1000]}, 2.0),
        ({2: [3000, 1000]}, 2.0),
        ({3: [3000, 1000, 7000]}, 3.0),
        ({1: [1000, 9000], 3: [2000]}, 2.0),
        ({1: [1000], 2: [9000]}, 9.0),
        ({1: [1000, 2000], 2: [9001]}, 5.5005),
    ],
)
def test_medians_count_weights(times: dict[int, Any], expected: float | None) -> None:
    """Of an even number the mean of the middle two; who stands for several counts several times."""
    assert median_seconds(times) == expected
