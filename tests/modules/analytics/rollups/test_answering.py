"""Answers from rollups with so many visitors and sessions that they are estimated."""

import random
from datetime import timedelta
from typing import Any

import pytest

from app.modules.analytics.rollups import answering
from app.modules.analytics.rollups.distinct import EXACT, STANDARD_ERROR
from app.repositories.marks import MarkRepository
from tests.conftest import NOW
from tests.modules.analytics.rollups.making import busy, from_events, insert, roll_up

DAYS = [NOW.replace(hour=0) - timedelta(days=n) for n in (9, 8)]
SPAN = {"start": DAYS[0].isoformat(), "end": (DAYS[1] + timedelta(days=1)).isoformat()}
ONE_DAY = {**SPAN, "end": DAYS[1].isoformat()}
LARGE = """query ($range: RangeInput, $by: [Dimension!], $granularity: Granularity,
  $filter: ReportFilter) {
  report(range: $range, by: $by, granularity: $granularity, filter: $filter) {
    totals { ...numbers } rows { dimensions { value } metrics { ...numbers } }
    meta { exact uniqueStandardError } } }
fragment numbers on Metrics { events uniqueVisitors uniqueSessions uniqueUsers bounceRate
  visitorConversionRate uniqueStandardError }"""
VISITORS = 3_000


def visits() -> list[dict[str, Any]]:
    """3,000 visitors on each of two days, half of them on both; each visit is a session."""
    chance = random.Random(5)
    events = []
    for place, day in enumerate(DAYS):
        for number in range(VISITORS):
            session = f"s{place}-{number}"
            at = day + timedelta(milliseconds=chance.randrange(86_400_000))
            visit = {"site": "demo", "visitor": f"v{number + place * VISITORS // 2}", "at": at,
                     "session": session, "received_at": at, "source": f"source {number % 5}",
                     "user": f"u{number % 700}"}  # fmt: skip
            kinds = ["PAGE_VIEW"] + ["CONVERSION"] * (number % 4 == 0) + ["PAGE_VIEW"] * (number % 3 == 0)  # fmt: skip
            events += [
                {**visit, "_id": f"demo:{session}-{n}", "type": kind}
                for n, kind in enumerate(kinds)
            ]
    return events


def near(found: float, known: float, share: float = 0.03) -> bool:
    return abs(found / known - 1) <= share


async def test_many_visitors_are_estimated_within_what_is_said(make_api: Any) -> None:
    """Counts stay exact; distinct numbers over days and merged ones are near, and say that they are
    estimates; those of rows that are few, and of days that are read from events, are exact."""
    api = await make_api(rollup_interval=3_600, report_cache_size=0)
    await insert(visits())
    asked = {"range": SPAN, "by": ["SOURCE"]}
    exact = (await from_events(api, LARGE, asked))["report"]
    assert exact["meta"] == {"exact": True, "uniqueStandardError": 0}
    # Nothing is rolled up yet.
    assert (await api.ask(LARGE, asked))["report"] == exact
    await roll_up(api)

    found = (await api.ask(LARGE, asked))["report"]
    percent = STANDARD_ERROR * 100
    assert 0 < percent <= 0.7
    assert found["meta"] == {"exact": False, "uniqueStandardError": percent}
    known, totals = exact["totals"], found["totals"]
    assert known["uniqueVisitors"] == VISITORS * 3 // 2
    assert known["uniqueSessions"] == 2 * VISITORS
    assert totals["uniqueStandardError"] == percent
    assert totals["events"] == known["events"]
    assert totals["uniqueUsers"] == known["uniqueUsers"] == 700
    assert near(totals["uniqueVisitors"], known["uniqueVisitors"])
    assert near(totals["uniqueSessions"], known["uniqueSessions"])
    assert abs(totals["bounceRate"] - known["bounceRate"]) <= 3
    assert abs(totals["visitorConversionRate"] - known["visitorConversionRate"]) <= 2
    # Of the rows each day has 600 visitors, so that all of them are known.
    assert len(found["rows"]) == 5
    for row, exactly in zip(found["rows"], exact["rows"], strict=True):
        assert row == exactly
        assert row["metrics"]["uniqueStandardError"] == 0
        assert row["metrics"]["uniqueVisitors"] <= EXACT

    # One day alone, several times: the same estimate whatever else is asked with it.
    days = [
        (await api.ask(LARGE, {"range": ONE_DAY, "granularity": g}))["report"]["totals"]
        for g in (None, "DAY", "HOUR")
    ]
    assert days[0] == days[1] == days[2]
    assert near(days[0]["uniqueVisitors"], VISITORS, 0.02)

    # A filter on one value is answered from its cells alone.
    filtered = {
        "range": SPAN,
        "filter": {"where": [{"dimension": "SOURCE", "values": ["source 1"]}]},
    }
    assert await api.ask(LARGE, filtered) == await from_events(api, LARGE, filtered)

    # One marked quarter: the rest of its day is merged from parts, near and still an estimate.
    await MarkRepository().mark("demo", [DAYS[0] + timedelta(hours=11)])
    merged = (await api.ask(LARGE, asked))["report"]
    assert merged["totals"]["events"] == known["events"]
    assert near(merged["totals"]["uniqueVisitors"], known["uniqueVisitors"])
    assert abs(merged["totals"]["bounceRate"] - known["bounceRate"]) <= 3
    assert merged["meta"]["exact"] is False
    # A range of hours has few, and is exact.
    hours = {"range": {**SPAN, "end": (DAYS[0] + timedelta(hours=6)).isoformat()}}
    assert await api.ask(LARGE, hours) == await from_events(api, LARGE, hours)


TOTALS = """query ($range: RangeInput) { report(range: $range) {
  totals { events uniqueVisitors uniqueSessions revenue } } }"""


@pytest.mark.parametrize(("rolled_up", "stays"), [(300, True), (20, False)])
async def test_a_busy_quarter_does_not_cost_all_of_history(
    make_api: Any, monkeypatch: pytest.MonkeyPatch, rolled_up: int, stays: bool
) -> None:
    """With more events that are not rolled up than are read one by one: where there are many times as
    many others, those are not read. Seen by withdrawing them from behind; a few are simply read."""
    monkeypatch.setattr(answering, "MOST_LIVE_EVENTS", 10)
    api = await make_api(rollup_interval=3_600, report_cache_size=0, data_retention_days=0)
    await insert(busy(DAYS[:1], rolled_up))
    await roll_up(api)
    late = busy(DAYS[1:], 60, seed=2)
    for place, event in enumerate(late):
        event["at"] = DAYS[1] + timedelta(seconds=place)
    await insert(late)
    asked = {"range": SPAN}
    known = await from_events(api, TOTALS, asked)
    assert known["report"]["totals"]["events"] == rolled_up + 60
    assert await api.ask(TOTALS, asked) == known
    old = {"at": {"$lt": DAYS[1]}}
    await api.database["events"].update_many(old, {"$set": {"void": {}}})
    assert (await api.ask(TOTALS, asked) == known) == stays
