"""Ranges: what each preset is, and what start and end may be."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.errors import BadInputError
from app.modules.analytics.ranges import (
    MILLISECOND,
    Edges,
    Moment,
    RangePreset,
    RangeRequest,
    TimeRange,
    resolve,
)
from app.modules.analytics.zones import zone_named
from tests.conftest import NOW, OTHER_SITE_KEYS
from tests.modules.analytics.asking import event, report, series, store, utc

TOLERANCE = timedelta(minutes=5)
UP_TO_NOW = NOW + TOLERANCE + MILLISECOND


def moment(zone: str = "UTC", now: datetime = NOW) -> Moment:
    return Moment(now, TOLERANCE, zone_named(zone))


def covered(request: RangeRequest, at: Moment | None = None, edges: Edges | None = None) -> Any:
    found = resolve(request, at or moment(), edges or Edges())
    return found.start, found.end


@pytest.mark.parametrize(
    ("preset", "length"),
    [
        ("LAST_24_HOURS", timedelta(hours=24)),
        ("LAST_7_DAYS", timedelta(days=7)),
        ("LAST_30_DAYS", timedelta(days=30)),
        ("LAST_90_DAYS", timedelta(days=90)),
    ],
)
def test_rolling_presets(preset: str, length: timedelta) -> None:
    """They go back from now, and forward as far as an accepted event may lie."""
    assert covered(RangeRequest(RangePreset(preset))) == (NOW - length, UP_TO_NOW)


def test_default_is_the_last_30_days() -> None:
    """Asking for no range is asking for LAST_30_DAYS."""
    assert covered(RangeRequest()) == covered(RangeRequest(RangePreset.LAST_30_DAYS))


@pytest.mark.parametrize(
    ("preset", "zone", "now", "start", "end"),
    [
        ("TODAY", "UTC", "2026-06-15T12:00", "2026-06-15", "2026-06-16"),
        ("TODAY", "UTC", "2026-06-15T00:00", "2026-06-15", "2026-06-16"),
        ("TODAY", "Asia/Kathmandu", "2026-06-15T18:14", "2026-06-14T18:15", "2026-06-15T18:15"),
        ("TODAY", "Asia/Kathmandu", "2026-06-15T18:15", "2026-06-15T18:15", "2026-06-16T18:15"),
        ("TODAY", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("TODAY", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("TODAY", "America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("TODAY", "Pacific/Apia", "2011-12-30T09:59", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("TODAY", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("YESTERDAY", "UTC", "2026-03-01T12:00", "2026-02-28", "2026-03-01"),
        ("YESTERDAY", "Europe/Berlin", "2026-03-30T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("YESTERDAY", "Pacific/Apia", "2011-12-30T10:00", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("THIS_MONTH", "UTC", "2026-12-31T12:00", "2026-12-01", "2027-01-01"),
        ("THIS_MONTH", "Europe/Berlin", "2026-03-15", "2026-02-28T23:00", "2026-03-31T22:00"),
        (
            "THIS_MONTH",
            "America/New_York",
            "2026-07-01T03:59",
            "2026-06-01T04:00",
            "2026-07-01T04:00",
        ),
        ("LAST_MONTH", "UTC", "2024-03-31T12:00", "2024-02-01", "2024-03-01"),
        ("LAST_MONTH", "Asia/Kathmandu", "2026-01-15", "2025-11-30T18:15", "2025-12-31T18:15"),
    ],
)
def test_calendar_presets(preset: str, zone: str, now: str, start: str, end: str) -> None:
    """Whole days and months of the zone's calendar, of 23 and 25 hours and in zones that skip a day."""
    found = covered(RangeRequest(RangePreset(preset)), moment(zone, utc(now)))
    assert found == (utc(start), utc(end))


def test_all_ends_with_the_last_event_or_now() -> None:
    """The last event is in it, also where it lies a little ahead."""
    everything = RangeRequest(RangePreset.ALL)
    first, ahead = utc("2020-01-01"), NOW + timedelta(minutes=1)
    assert covered(everything, edges=Edges(first, ahead)) == (first, ahead + MILLISECOND)
    assert covered(everything, edges=Edges(first, first)) == (first, NOW)
    assert covered(everything, edges=Edges(NOW, NOW)) == (NOW, NOW + MILLISECOND)


def test_all_of_an_empty_site_is_empty() -> None:
    """There is nothing to cover, and that is no error."""
    assert covered(RangeRequest(RangePreset.ALL)) == (NOW, NOW)


def test_start_and_end_are_taken_as_they_are() -> None:
    """Without an end the range goes up to now; one millisecond is a range."""
    start = utc("2026-01-01")
    assert covered(RangeRequest(start=start, end=start + MILLISECOND)) == (
        start,
        start + MILLISECOND,
    )
    assert covered(RangeRequest(start=start)) == (start, UP_TO_NOW)


def test_range_before_has_the_same_length() -> None:
    """It ends where the range begins."""
    after = TimeRange(utc("2026-03-10"), utc("2026-03-12T06:00"))
    assert after.before() == TimeRange(utc("2026-03-07T18:00"), utc("2026-03-10"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"start": NOW, "end": NOW}, "range"),
        ({"start": NOW, "end": NOW - MILLISECOND}, "range"),
        ({"start": NOW + timedelta(days=1)}, "range"),
        ({"end": NOW}, "range.start"),
        ({"preset": RangePreset.TODAY, "start": NOW}, "range"),
        ({"preset": RangePreset.ALL, "end": NOW}, "range"),
        ({"start": utc("1899-12-31T23:59:59.999"), "end": NOW}, "range"),
        ({"start": NOW, "end": utc("2201-01-01T00:00:00.001")}, "range"),
        ({"start": utc("0001-01-01"), "end": utc("9999-12-31")}, "range"),
    ],
)
def test_ranges_that_are_refused(given: dict[str, Any], field: str) -> None:
    """Empty, turned round, contradictory or endless ranges are BAD_USER_INPUT that names them."""
    with pytest.raises(BadInputError) as refused:
        covered(RangeRequest(**given))
    assert refused.value.field == field


def test_the_widest_range_is_allowed() -> None:
    """From the first instant of 1900 to the last of 2200."""
    widest = {"start": utc("1900-01-01"), "end": utc("2201-01-01")}
    assert covered(RangeRequest(**widest)) == tuple(widest.values())


@pytest.mark.parametrize("preset", [None, *RangePreset])
async def test_an_accepted_event_is_in_every_report(api: Any, preset: str | None) -> None:
    """One that has just come is in every range that contains now, also one that lies a little ahead."""
    ahead = NOW + TOLERANCE
    [now, later] = await api.track(
        {"type": "PAGE_VIEW"}, {"type": "PAGE_VIEW", "timestamp": ahead.isoformat()}
    )
    assert now["verdict"] == later["verdict"] == "ACCEPTED"
    answer = await report(api, range={"preset": preset} if preset else None)
    past = preset in ("YESTERDAY", "LAST_MONTH")
    assert answer["totals"]["events"] == (0 if past else 2)


async def test_an_accepted_event_is_in_a_range_without_an_end(api: Any) -> None:
    """Up to now is up to everything that was accepted."""
    await api.track({"type": "PAGE_VIEW", "timestamp": (NOW + TOLERANCE).isoformat()})
    answer = await report(api, range={"start": "2026-06-15T00:00:00Z"})
    assert answer["totals"]["events"] == 1


async def test_start_is_included_and_end_is_left_out(api: Any) -> None:
    """Two ranges that touch share no event and lose none."""
    await store(*[event(at=utc(f"2026-06-0{day}T00:00")) for day in (1, 2, 3)])
    first = await report(api, range={"start": "2026-06-01", "end": "2026-06-02"})
    second = await report(api, range={"start": "2026-06-02", "end": "2026-06-03T00:00:00.001Z"})
    assert (first["totals"]["events"], second["totals"]["events"]) == (1, 2)


async def test_all_reaches_back_to_the_first_event_ever(make_api: Any) -> None:
    """With endless retention events of any age are accepted, and ALL has them all."""
    api = await make_api(data_retention_days=0)
    for year in ("0001", "1850", "1969", "2026"):
        await api.track({"type": "PAGE_VIEW", "timestamp": f"{year}-01-01T00:00:00Z"})
    everything = {"preset": "ALL"}
    hours = await report(api, by=["HOUR_OF_DAY"], range=everything, timezone="Australia/Lord_Howe")
    counted = {each["dimensions"][0]["value"]: each["metrics"]["events"] for each in hours["rows"]}
    # Local mean time was 10:36:20 ahead, winter time 10 hours; summer time is 11 hours.
    assert counted == {"10": 3, "11": 1}
    refused = await api.refused(
        "{ timeSeries(range: {preset: ALL}, granularity: MONTH) { start } }"
    )
    assert refused["extensions"] == {"code": "LIMIT_EXCEEDED", "field": "range"}


async def test_all_of_an_empty_site_has_no_rows(api: Any) -> None:
    """Zeros and nulls, no buckets and no error; another site's events make no difference."""
    await store(event(site="other"), site="other")
    everything = {"preset": "ALL"}
    assert await series(api, range=everything) == []
    answer = await report(api, by=["ITEM"], granularity="HOUR", range=everything)
    assert answer["rows"] == []
    assert answer["totals"]["events"] == 0
    other = await api.ask(
        "{ report(range: {preset: ALL}) { totals { events } } }", keys=OTHER_SITE_KEYS
    )
    assert other["report"]["totals"]["events"] == 1


async def test_calendar_presets_follow_the_sites_time_zone(api: Any) -> None:
    """Where a query names no zone, today is today where the site is."""
    await api.ask('mutation { updateSite(input: {timezone: "Asia/Kathmandu"}) { timezone } }')
    # 17:45 in Kathmandu; today began at 18:15 UTC.
    await store(event(at=utc("2026-06-14T18:15")), event(at=utc("2026-06-14T18:14:59.999")))
    today = {"preset": "TODAY"}
    assert (await report(api, range=today))["totals"]["events"] == 1
    assert (await report(api, range=today, timezone="UTC"))["totals"]["events"] == 0
    counted = await api.ask(
        "{ overview(range: {preset: TODAY}) { current { events } previous { events } } }"
    )
    assert counted["overview"] == {"current": {"events": 1}, "previous": {"events": 1}}
