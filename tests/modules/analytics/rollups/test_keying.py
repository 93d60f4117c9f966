"""Keys of periods, against clocks and calendars looked at quarter by quarter."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.quarters import DAY_MS, from_ms, to_ms
from app.modules.analytics.buckets import Granularity
from app.modules.analytics.query import Dimension, ReportQuery
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.rollups.coverage import PARTS, Stored, coverage
from app.modules.analytics.rollups.family import family_of
from app.modules.analytics.rollups.keying import Keying
from app.modules.analytics.zones import zone_named
from tests.modules.analytics import oracle
from tests.modules.analytics.rollups.test_coverage import lies

# Clocks are set in the middle of these days, or (Kathmandu, 1986; Apia, 2011) were for good.
TURNS = [
    ("Asia/Kathmandu", date(1985, 12, 31)),
    ("Asia/Kathmandu", date(2024, 3, 10)),
    ("Australia/Lord_Howe", date(2024, 4, 6)),
    ("Australia/Lord_Howe", date(2024, 10, 5)),
    ("America/New_York", date(2024, 3, 10)),
    ("America/New_York", date(2024, 11, 3)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("UTC", date(2024, 3, 31)),
]
CALENDARS: list[tuple[Dimension, ...]] = [
    (),
    (Dimension.HOUR_OF_DAY,),
    (Dimension.WEEKDAY,),
    (Dimension.WEEKDAY, Dimension.HOUR_OF_DAY),
    (Dimension.ITEM, Dimension.WEEKDAY),
]
STEP = timedelta(minutes=15)


def query_of(
    zone: str,
    start: datetime,
    end: datetime,
    granularity: str | None,
    dimensions: tuple[Dimension, ...],
) -> ReportQuery:
    return ReportQuery(
        TimeRange(start, end),
        zone_named(zone),
        "EUR",
        dimensions=dimensions,
        granularity=None if granularity is None else Granularity(granularity),
    )


@cache
def values_at(zone: str, instant: datetime, granularity: str | None) -> dict[str, Any]:
    """What clocks and calendar show, and which bucket it is."""
    local = instant.astimezone(ZoneInfo(zone))
    bucket = None
    if granularity == "MINUTE":
        bucket = instant.replace(second=0, microsecond=0)
    elif granularity == "HOUR":
        bucket = oracle.bucket_start(oracle.start_of_step(instant, "HOUR"), "HOUR", zone)
    elif granularity is not None:
        known = oracle.floor(instant, granularity, zone)
        day = known[0] if len(known) == 1 else date(*known, 1)
        bucket = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {"bucket": bucket, "HOUR_OF_DAY": str(local.hour), "WEEKDAY": str(local.isoweekday())}


def key_at(zone: str, instant: datetime, query: ReportQuery) -> tuple[Any, ...]:
    granularity = query.granularity.value if query.granularity else None
    values = values_at(zone, instant, granularity)
    return values["bucket"], *(values.get(dimension.value) for dimension in query.dimensions)


@pytest.mark.parametrize(("zone", "day"), TURNS)
@pytest.mark.parametrize("granularity", [None, "MINUTE", "HOUR", "DAY", "WEEK", "MONTH"])
def test_keys_change_at_boundaries_only_and_are_what_clocks_show(
    zone: str, day: date, granularity: str | None
) -> None:
    """Stepping through the days around a turn: the key of every instant, and where it changes."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=17, minutes=30)
    end = start + timedelta(days=1.9 if granularity == "MINUTE" else 3)
    step = timedelta(minutes=5) if granularity == "MINUTE" else STEP
    instants = [start + n * step for n in range(int((end - start) / step))]
    for dimensions in CALENDARS:
        query = query_of(zone, start, end, granularity, dimensions)
        keying = Keying(query, {})
        keys = [key_at(zone, instant, query) for instant in instants]
        assert keying.keys_at([to_ms(instant) for instant in instants]) == keys
        last = [to_ms(instant + step) - 1 for instant in instants]
        if granularity != "MINUTE":
            assert keying.keys_at(last) == keys
        boundaries = keying.boundaries(to_ms(start), to_ms(end))
        assert boundaries == sorted(set(boundaries))
        assert all(to_ms(start) < one < to_ms(end) for one in boundaries)
        changes = {
            to_ms(after)
            for (before, after) in pairwise(instants)
            if key_at(zone, before, query) != key_at(zone, after, query)
        }
        assert changes <= set(boundaries)
        if granularity != "MINUTE":
            # Beyond these only where clocks are set: more would keep rollups from being used.
            assert len(boundaries) <= len(changes) + 1


@pytest.mark.parametrize(("zone", "day"), TURNS)
@pytest.mark.parametrize("granularity", [None, "HOUR", "DAY", "WEEK", "MONTH"])
def test_all_of_a_rollup_that_is_used_has_one_key(
    zone: str, day: date, granularity: str | None
) -> None:
    """Weeks, days, parts of them and quarters, whole and cut: every quarter inside is in its row."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=9, hours=3)
    end = start + timedelta(days=19, minutes=20)
    levels_used = set()
    for dimensions in CALENDARS[:4]:
        query = query_of(zone, start, end, granularity, dimensions)
        family = family_of(query)
        assert family is not None
        keying = Keying(query, {})
        boundaries = keying.boundaries(to_ms(start), to_ms(end))
        stored = Stored(to_ms(start), to_ms(end), frozenset(), frozenset())
        found = coverage(to_ms(start), to_ms(end), stored, family.levels, boundaries)
        keys = keying.keys_at([unit.at for unit in found.units])
        for unit, key in zip(found.units, keys, strict=True):
            first, last = lies(unit)
            levels_used.add(unit.level if "-" not in unit.level else PARTS)
            at = from_ms(first)
            while at < from_ms(last):
                assert key_at(zone, at, query) == key
                at += STEP
    assert "quarter" in levels_used
    if granularity in (None, "WEEK", "MONTH"):
        assert "day" in levels_used


def test_a_day_has_no_single_hour() -> None:
    """By the hour of the day there is a boundary in every hour, so that no longer rollup serves."""
    start = datetime(2024, 3, 9, tzinfo=UTC)
    end = start + timedelta(days=3)
    for zone in ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe"):
        query = query_of(zone, start, end, None, (Dimension.HOUR_OF_DAY,))
        boundaries = Keying(query, {}).boundaries(to_ms(start), to_ms(end))
        assert len(boundaries) >= 71
        family = family_of(query)
        assert family is not None
        stored = Stored(to_ms(start), to_ms(end), frozenset(), frozenset())
        found = coverage(to_ms(start), to_ms(end), stored, family.levels, boundaries)
        assert {unit.level for unit in found.units} == {"quarter"}
    assert DAY_MS == 86_400_000
