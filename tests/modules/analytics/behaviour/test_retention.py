"""Retention at its edges: who is new, what is still to come, calendars, weights."""

from datetime import timedelta
from typing import Any

from app.core.clock import FixedClock
from tests.conftest import NOW
from tests.modules.analytics.asking import event, store, utc
from tests.modules.analytics.behaviour.asking import retention

DAYS = {"range": {"start": "2026-06-12", "end": "2026-06-16"}, "granularity": "DAY"}


def numbers(cohorts: list[dict[str, Any]]) -> list[list[int | None]]:
    return [[cell["visitors"] for cell in cohort["periods"]] for cohort in cohorts]


async def test_cohorts_and_who_came_back(api: Any) -> None:
    """Four days up to today, which is not over: numbers, percentages, nulls and what is complete."""
    await store(
        event(visitor="a", at=utc("2026-06-12T01:00")),
        event(visitor="a", at=utc("2026-06-13T00:00")),
        event(visitor="a", at=utc("2026-06-15T09:00")),
        event(visitor="b", at=utc("2026-06-12T23:59:59.999")),
        event(visitor="b", at=utc("2026-06-12T23:59:59.999")),
        event(visitor="c", at=utc("2026-06-14T12:00")),
    )
    answer = await retention(api, **DAYS, periods=3)
    assert [cohort["start"][:10] for cohort in answer["cohorts"]] == [
        "2026-06-12",
        "2026-06-13",
        "2026-06-14",
        "2026-06-15",
    ]
    assert numbers(answer["cohorts"]) == [
        [2, 1, 0, 1],
        [0, 0, 0, None],
        [1, 0, None, None],
        [0, None, None, None],
    ]
    first = answer["cohorts"][0]["periods"]
    assert [cell["percent"] for cell in first] == [100.0, 50.0, 0.0, 50.0]
    assert [cell["complete"] for cell in first] == [True, True, True, False]
    assert answer["cohorts"][1]["periods"][1]["percent"] is None
    assert [(cell["visitors"], cell["percent"]) for cell in answer["overall"]] == [
        (3, 100.0),
        (1, 100 / 3),
        (0, 0.0),
        (1, 50.0),
    ]
    assert answer["meta"] == {"exact": True, "rows": 4}


async def test_who_was_there_before_is_not_new(api: Any) -> None:
    """An event long before the range, or a millisecond before it, keeps a visitor out of all cohorts."""
    start = utc("2026-06-12")
    await store(
        event(visitor="old", at=start - timedelta(days=80)),
        event(visitor="old", at=start),
        event(visitor="just", at=start - timedelta(milliseconds=1)),
        event(visitor="just", at=start),
        event(visitor="new", at=start),
        event(visitor="voided", at=start - timedelta(days=1), void={"id": "x"}),
        event(visitor="voided", at=start),
    )
    answer = await retention(api, **DAYS, periods=1)
    assert numbers(answer["cohorts"])[0] == [2, 0]


async def test_a_filter_decides_what_is_known(api: Any) -> None:
    """With a filter a visitor is new at the first event that it leaves."""
    await store(
        event(visitor="a", item="x", at=utc("2026-05-01")),
        event(visitor="a", item="y", at=utc("2026-06-12")),
        event(visitor="a", item="y", at=utc("2026-06-13")),
        event(visitor="a", item="x", at=utc("2026-06-14")),
    )
    assert numbers((await retention(api, **DAYS, periods=2))["cohorts"])[0] == [0, 0, 0]
    of_item = await retention(api, **DAYS, periods=2, filter={"itemId": "y"})
    assert numbers(of_item["cohorts"])[0] == [1, 1, 0]


async def test_days_are_those_of_the_time_zone(api: Any) -> None:
    """In Kathmandu the evening of UTC is the next day; the last day of the range may be whole there."""
    await store(
        event(visitor="a", at=utc("2026-06-12T18:14:59")),
        event(visitor="a", at=utc("2026-06-12T18:15")),
    )
    period = {"start": "2026-06-11T18:15:00Z", "end": "2026-06-13T18:15:00Z"}
    answer = await retention(
        api, range=period, granularity="DAY", timezone="Asia/Kathmandu", periods=1
    )
    assert [cohort["start"] for cohort in answer["cohorts"]] == [
        "2026-06-11T18:15:00.000Z",
        "2026-06-12T18:15:00.000Z",
    ]
    assert numbers(answer["cohorts"]) == [[1, 1], [0, None]]
    assert [cell["complete"] for cell in answer["cohorts"][0]["periods"]] == [True, True]


async def test_weeks_and_months(api: Any) -> None:
    """Weeks begin on Monday; a range that begins inside of one has a first cohort that is not whole."""
    await store(
        event(visitor="a", at=utc("2026-05-31T23:00")),
        event(visitor="a", at=utc("2026-06-01")),
        event(visitor="b", at=utc("2026-06-14T23:00")),
    )
    weeks = await retention(api, range={"start": "2026-05-27"}, periods=1)
    assert [cohort["start"][:10] for cohort in weeks["cohorts"]] == [
        "2026-05-25",
        "2026-06-01",
        "2026-06-08",
        "2026-06-15",
    ]
    assert numbers(weeks["cohorts"]) == [[1, 1], [0, 0], [1, 0], [0, None]]
    assert [cohort["periods"][0]["complete"] for cohort in weeks["cohorts"]] == [
        False,
        True,
        True,
        False,
    ]
    months = await retention(api, range={"start": "2026-05-01"}, granularity="MONTH", periods=2)
    assert numbers(months["cohorts"]) == [[1, 1, None], [1, None, None]]


async def test_a_period_to_come_is_shown_where_it_has_events(api: Any) -> None:
    """Of a range beyond now the days to come are no cohorts, unless a clock is ahead."""
    ahead = {"range": {"start": "2026-06-15", "end": "2026-06-18"}, "granularity": "DAY"}
    await store(event(visitor="a", at=NOW))
    assert numbers((await retention(api, **ahead, periods=1))["cohorts"]) == [[1, None]]
    await store(event(visitor="a", at=utc("2026-06-16")))
    cohorts = (await retention(api, **ahead, periods=1))["cohorts"]
    assert numbers(cohorts) == [[1, 1], [0, None]]


async def test_a_period_begins_with_its_first_instant(make_api: Any) -> None:
    """At midnight today is there, with zeros, and yesterday is complete."""
    api = await make_api(clock=FixedClock(utc("2026-06-15")))
    cohorts = (await retention(api, **DAYS, periods=1))["cohorts"]
    assert numbers(cohorts)[2:] == [[0, 0], [0, None]]
    assert [cohort["periods"][0]["complete"] for cohort in cohorts[2:]] == [True, False]


async def test_a_sampled_visitor_stands_for_several(api: Any) -> None:
    """With the largest weight of all the visitor's events, and meta says that it is not exact."""
    await store(
        event(visitor="a", at=utc("2026-06-12"), weight=2),
        event(visitor="a", at=utc("2026-06-13"), weight=5),
        event(visitor="b", at=utc("2026-06-12")),
    )
    answer = await retention(api, **DAYS, periods=1)
    assert numbers(answer["cohorts"])[0] == [6, 5]
    assert answer["meta"]["exact"] is False


async def test_of_a_site_without_events(api: Any) -> None:
    """ALL of nothing has no cohorts, and the periods are null."""
    answer = await retention(api, range={"preset": "ALL"}, periods=1)
    assert answer["cohorts"] == []
    assert [cell["visitors"] for cell in answer["overall"]] == [None, None]
