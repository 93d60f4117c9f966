"""Time series: the buckets of every zone, whatever its clocks do, and what is counted in them."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import LimitExceededError
from app.modules.analytics.buckets import MAX_BUCKETS, Granularity, timeline
from app.modules.analytics.ranges import MILLISECOND, TimeRange
from app.modules.analytics.zones import zone_named
from tests.conftest import NOW
from tests.modules.analytics.asking import METRICS, event, report, series, store, utc

QUARTER = timedelta(minutes=15)

# Zone, granularity, start and end of the range (UTC), and the buckets: when they begin and how many
# quarters of an hour of the range they have.
PECULIAR = {
    "a plain day": ("UTC", "DAY", "2026-06-14", "2026-06-15", [("2026-06-14T00:00", 96)]),
    "quarters past the hour": (
        "Asia/Kathmandu", "HOUR", "2026-06-14T00:00", "2026-06-14T02:00",
        [("2026-06-13T23:15", 1), ("2026-06-14T00:15", 4), ("2026-06-14T01:15", 3)],
    ),
    "a day that begins at 18:15": (
        "Asia/Kathmandu", "DAY", "2026-06-14", "2026-06-15",
        [("2026-06-13T18:15", 73), ("2026-06-14T18:15", 23)],
    ),
    "clocks set forward, by day": (
        "Europe/Berlin", "DAY", "2026-03-27T23:00", "2026-03-30T22:00",
        [("2026-03-27T23:00", 96), ("2026-03-28T23:00", 92), ("2026-03-29T22:00", 96)],
    ),
    "clocks set forward, by hour": (
        "Europe/Berlin", "HOUR", "2026-03-29T00:00", "2026-03-29T03:00",
        [("2026-03-29T00:00", 4), ("2026-03-29T01:00", 4), ("2026-03-29T02:00", 4)],
    ),
    "clocks set back, by day": (
        "Europe/Berlin", "DAY", "2026-10-24T22:00", "2026-10-26T23:00",
        [("2026-10-24T22:00", 100), ("2026-10-25T23:00", 96)],
    ),
    "clocks set back, by hour: 2:00 twice": (
        "Europe/Berlin", "HOUR", "2026-10-24T23:30", "2026-10-25T02:30",
        [("2026-10-24T23:00", 2), ("2026-10-25T00:00", 4), ("2026-10-25T01:00", 4), ("2026-10-25T02:00", 2)],
    ),
    "a midnight that did not happen": (
        "America/Sao_Paulo", "DAY", "2018-11-03T12:00", "2018-11-05T12:00",
        [("2018-11-03T03:00", 60), ("2018-11-04T03:00", 92), ("2018-11-05T02:00", 40)],
    ),
    "a midnight that happened twice": (
        "America/Havana", "DAY", "2024-11-03T03:00", "2024-11-04T06:00",
        [("2024-11-02T04:00", 4), ("2024-11-03T04:00", 100), ("2024-11-04T05:00", 4)],
    ),
    "half an hour set back: a shorter hour": (
        "Australia/Lord_Howe", "HOUR", "2026-04-04T14:00", "2026-04-04T16:30",
        [("2026-04-04T14:00", 4), ("2026-04-04T15:00", 2), ("2026-04-04T15:30", 4)],
    ),
    "half an hour set forward: another one": (
        "Australia/Lord_Howe", "HOUR", "2026-10-03T14:30", "2026-10-03T17:00",
        [("2026-10-03T14:30", 4), ("2026-10-03T15:30", 2), ("2026-10-03T16:00", 4)],
    ),
    "half an hour, by day": (
        "Australia/Lord_Howe", "DAY", "2026-04-03T13:00", "2026-04-05T13:30",
        [("2026-04-03T13:00", 96), ("2026-04-04T13:00", 98)],
    ),
    "a day that did not happen": (
        "Pacific/Apia", "DAY", "2011-12-29T00:00", "2012-01-01T00:00",
        [("2011-12-28T10:00", 40), ("2011-12-29T10:00", 96), ("2011-12-30T10:00", 96), ("2011-12-31T10:00", 56)],
    ),
    "a day of 47 hours": (
        "Pacific/Kwajalein", "DAY", "1969-09-29T13:00", "1969-10-02T12:00",
        [("1969-09-29T13:00", 188), ("1969-10-01T12:00", 96)],
    ),
    "weeks from Monday": (
        "Europe/Berlin", "WEEK", "2026-03-25T00:00", "2026-04-07T00:00",
        [("2026-03-22T23:00", 472), ("2026-03-29T22:00", 672), ("2026-04-05T22:00", 104)],
    ),
    "a week over the new year": (
        "UTC", "WEEK", "2026-12-31T00:00", "2027-01-05T00:00",
        [("2026-12-28T00:00", 384), ("2027-01-04T00:00", 96)],
    ),
    "months": (
        "Europe/Berlin", "MONTH", "2024-02-10T00:00", "2024-04-01T00:00",
        [("2024-01-31T23:00", 1916), ("2024-02-29T23:00", 2972), ("2024-03-31T22:00", 8)],
    ),
    "minutes": (
        "Asia/Kathmandu", "MINUTE", "2026-06-14T00:14:30", "2026-06-14T00:16",
        [("2026-06-14T00:14", 0), ("2026-06-14T00:15", 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PECULIAR)
async def test_buckets_of_peculiar_zones(make_api: Any, case: str) -> None:
    """The buckets begin when their local time begins, and have just the events of that local time."""
    zone, granularity, start, end, buckets = PECULIAR[case]
    api = await make_api(data_retention_days=0)
    # An event every quarter of an hour, also before the range and after it.
    at, last, events = (
        utc(start).replace(minute=0, second=0) - 4 * QUARTER,
        utc(end) + 4 * QUARTER,
        [],
    )
    while at < last:
        events.append(event(at=at))
        at += QUARTER
    await store(*events)
    found = await series(
        api, range={"start": start, "end": end}, granularity=granularity, timezone=zone
    )
    assert found == [(f"{utc(at):%Y-%m-%dT%H:%M:%S.000Z}", count) for at, count in buckets]


@pytest.mark.parametrize("case", PECULIAR)
def test_a_bucket_ends_where_the_next_begins(case: str) -> None:
    """Also for a range of one millisecond on either side of a boundary."""
    zone, granularity, _, _, buckets = PECULIAR[case]
    for start, _ in buckets[1:]:
        edge = utc(start)
        for instant, first in ((edge, True), (edge - MILLISECOND, False)):
            moment = TimeRange(instant, instant + MILLISECOND)
            found = timeline(moment, Granularity(granularity), zone_named(zone))
            [bucket] = found.buckets
            assert (bucket.start == edge) is first


async def test_empty_buckets_are_there_with_zeros_and_nulls(api: Any) -> None:
    """Every day of the range has a bucket, in order, whether anything happened or not."""
    await store(event(at=utc("2026-06-02T10:00")))
    asked = {"start": "2026-06-01", "end": "2026-06-05"}
    answer = await report(api, range=asked, granularity="DAY")
    assert [row["start"] for row in answer["rows"]] == [
        f"2026-06-0{day}T00:00:00.000Z" for day in (1, 2, 3, 4)
    ]
    empty = answer["rows"][0]["metrics"]
    assert empty == answer["rows"][3]["metrics"]
    assert {name for name, value in empty.items() if value is None} == {
        "clickThroughRate", "viewRate", "conversionRate", "visitorConversionRate", "bounceRate",
        "revenuePerClick", "revenuePerImpression", "averageConversionValue",
        "averageEngagement", "averageScrollDepth",
    }  # fmt: skip
    assert empty["events"] == empty["uniqueVisitors"] == empty["uniqueSessions"] == 0
    assert (empty["revenue"], empty["revenueByCurrency"], empty["currency"]) == ("0", [], "EUR")
    assert answer["meta"]["rows"] == 4


async def test_buckets_of_uniques_are_not_added_up(api: Any) -> None:
    """One visitor on three days is one visitor of the range, and one of each day."""
    await store(*[event(at=utc(f"2026-06-0{day}")) for day in (1, 2, 3)])
    answer = await report(api, range={"start": "2026-06-01"}, granularity="DAY", limit=3)
    assert answer["totals"]["uniqueVisitors"] == answer["totals"]["uniqueSessions"] == 1
    assert [row["metrics"]["uniqueVisitors"] for row in answer["rows"]] == [1, 1, 1]


async def test_series_up_to_now_end_with_now(api: Any) -> None:
    """No bucket begins after now, unless an event that lies a little ahead is in it."""
    hours = {"range": {"preset": "LAST_24_HOURS"}, "granularity": "HOUR"}
    found = await series(api, **hours)
    assert (found[0][0], found[-1][0], len(found)) == (
        "2026-06-14T12:00:00.000Z", "2026-06-15T12:00:00.000Z", 25,
    )  # fmt: skip
    minutes = {"range": {"start": "2026-06-15T11:58"}, "granularity": "MINUTE"}
    assert [start[11:16] for start, _ in await series(api, **minutes)] == [
        "11:58",
        "11:59",
        "12:00",
    ]
    await store(event(at=NOW + timedelta(minutes=2)))
    assert [(start[11:16], events) for start, events in await series(api, **minutes)] == [
        ("11:58", 0), ("11:59", 0), ("12:00", 0), ("12:01", 0), ("12:02", 1),
    ]  # fmt: skip


async def test_calendar_ranges_have_all_their_buckets(api: Any) -> None:
    """TODAY has 24 hours from its beginning on, also those to come; THIS_MONTH has all its days."""
    assert len(await series(api, range={"preset": "TODAY"}, granularity="HOUR")) == 24
    assert len(await series(api, range={"preset": "THIS_MONTH"})) == 30
    assert len(await series(api, range={"preset": "LAST_MONTH"})) == 31


async def test_default_is_days_of_the_last_30_days(api: Any) -> None:
    """30 times 24 hours from noon touch 31 days. A null granularity is the default."""
    for granularity in ({}, {"granularity": None}):
        found = await series(api, **granularity)
        assert (found[0][0], found[-1][0], len(found)) == (
            "2026-05-16T00:00:00.000Z", "2026-06-15T00:00:00.000Z", 31,
        )  # fmt: skip


async def test_a_series_has_the_filter_and_every_metric(api: Any) -> None:
    """What a report by time says, a time series says."""
    await store(
        event(item="a"),
        event("CLICK", item="a", user="u"),
        event("CLICK", item="b"),
        event("CONVERSION", item="a", value="3.50", at=NOW - timedelta(days=1)),
    )
    arguments = {"range": {"start": "2026-06-13"}, "filter": {"itemId": "a"}}
    query = f"""query ($range: RangeInput, $filter: ReportFilter) {{
      timeSeries(range: $range, filter: $filter) {{ start metrics {{ {METRICS} }} }} }}"""
    found = (await api.ask(query, arguments))["timeSeries"]
    rows = (await report(api, granularity="DAY", **arguments))["rows"]
    assert found == [{"start": row["start"], "metrics": row["metrics"]} for row in rows]
    assert [bucket["metrics"]["events"] for bucket in found] == [0, 1, 2]


async def test_series_may_be_cut_to_a_limit(api: Any) -> None:
    """A report by time shows the first buckets and says how many there are; its currency is that of all."""
    await store(event("CONVERSION", value="1", currency="CHF", at=utc("2026-06-09")))
    answer = await report(
        api, range={"start": "2026-06-01", "end": "2026-06-11"}, granularity="DAY", limit=2
    )
    assert [row["start"][:10] for row in answer["rows"]] == ["2026-06-01", "2026-06-02"]
    assert answer["meta"]["rows"] == 10
    assert answer["rows"][0]["metrics"]["currency"] == "CHF"


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kwajalein"])
def test_too_many_buckets_are_refused(granularity: Granularity, zone: str) -> None:
    """A range that has more than a report may have is LIMIT_EXCEEDED; the most there may be is not."""
    most = MAX_BUCKETS[granularity]
    known = timeline(
        TimeRange(utc("1900-01-01"), utc("1900-01-01T00:00:01")), granularity, zone_named(zone)
    )
    start = known.buckets[0].start
    length = {
        "MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1), "DAY": timedelta(days=1),
        "WEEK": timedelta(days=7), "MONTH": timedelta(days=365.2425 / 12),
    }[granularity.value]  # fmt: skip
    fits = timeline(TimeRange(start, start + (most - 1) * length), granularity, zone_named(zone))
    assert most - 1 <= len(fits.buckets) <= most
    for too_long in (start + (most + 2) * length, utc("2201-01-01")):
        with pytest.raises(LimitExceededError) as refused:
            timeline(TimeRange(start, too_long), granularity, zone_named(zone))
        assert refused.value.field == "range"


@pytest.mark.parametrize(
    ("preset", "granularity"),
    [("LAST_24_HOURS", "MINUTE"), ("LAST_90_DAYS", "HOUR"), ("LAST_90_DAYS", "DAY")],
)
async def test_presets_fit_into_the_buckets(api: Any, preset: str, granularity: str) -> None:
    """The longest rolling ranges that one would look at so closely are allowed."""
    assert await series(
        api, range={"preset": preset}, granularity=granularity, timezone="Africa/Casablanca"
    )
