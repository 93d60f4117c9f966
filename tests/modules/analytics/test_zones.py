"""Time zones: the segments of one offset, against the files that they are read from."""

import struct
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import pytest

from app.core.errors import BadInputError
from app.modules.analytics.zones import (
    FIRST_YEAR,
    STEP,
    first_instant,
    segments,
    start_of_day,
    zone_named,
    zone_names,
)
from tests.modules.analytics.asking import utc

EPOCH = utc("1970-01-01")
PECULIAR = [
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Havana",
    "America/Noronha",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Dublin",
    "Europe/Simferopol",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
    "UTC",
]


def offset_changes(name: str) -> list[tuple[datetime, timedelta]]:
    """The changes of offset that a zone's file lists one by one (RFC 8536), and what they change to."""
    data = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()

    def counts(at: int) -> tuple[int, ...]:
        return struct.unpack(">6l", data[at + 20 : at + 44])

    is_ut, is_standard, leaps, times, types, letters = counts(0)
    second = 44 + times * 5 + types * 6 + letters + leaps * 8 + is_standard + is_ut
    *_, times, types, _ = counts(second)
    at = second + 44
    instants = struct.unpack(f">{times}q", data[at : at + 8 * times])
    kinds = data[at + 8 * times : at + 9 * times]
    records = data[at + 9 * times : at + 9 * times + 6 * types]
    offsets = [struct.unpack(">l", records[6 * i : 6 * i + 4])[0] for i in range(types)]
    changes, before = [], offsets[0]
    for instant, kind in zip(instants, kinds, strict=True):
        if offsets[kind] != before:
            before = offsets[kind]
            changes.append((EPOCH + timedelta(seconds=instant), timedelta(seconds=before)))
    return changes


def test_no_zone_changes_faster_than_is_looked() -> None:
    """Looking every STEP from FIRST_YEAR on finds every change of every zone."""
    for name in sorted(zone_names()):
        instants = [instant for instant, _ in offset_changes(name)]
        assert all(b - a > 2 * STEP for a, b in pairwise(instants)), name
        assert not instants or instants[0].year >= FIRST_YEAR, name


@pytest.mark.parametrize("name", PECULIAR)
def test_segments_are_what_the_zone_file_says(name: str) -> None:
    """From year 1 to the last change that is listed, each segment begins with one, and has its offset."""
    changes = offset_changes(name)
    end = changes[-1][0] + timedelta(seconds=1) if changes else utc("2026-01-01")
    found = segments(zone_named(name), utc("0001-01-01"), end)
    assert [(segment.start, segment.offset) for segment in found[1:]] == changes
    assert found[-1].end == end
    assert all(earlier.end == later.start for earlier, later in pairwise(found))


def test_segments_follow_rules_beyond_the_file() -> None:
    """Summer time goes on in 2100: last Sundays of March and October at 1:00 UTC."""
    found = segments(zone_named("Europe/Berlin"), utc("2100-01-01"), utc("2101-01-01"))
    assert [(segment.start, segment.offset) for segment in found[1:]] == [
        (utc("2100-03-28T01:00"), timedelta(hours=2)),
        (utc("2100-10-31T01:00"), timedelta(hours=1)),
    ]


@pytest.mark.parametrize("instant", [utc("2026-03-29T01:00"), utc("2026-06-01")])
def test_a_change_at_the_edge_makes_no_empty_segment(instant: datetime) -> None:
    """A range that begins or ends at a change has no segment of no length."""
    zone = zone_named("Europe/Berlin")
    [after] = segments(zone, instant, instant + timedelta(days=1))
    assert after.offset == timedelta(hours=2)
    [before] = segments(zone, utc("2026-03-01"), utc("2026-03-29T01:00"))
    assert before.offset == timedelta(hours=1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "+25:00",
        "../x",
        "../../etc/passwd",
        "europe/berlin",
        "Europe/Berlin ",
        "zones",
        "Europe",
        "CEST",
        "a\x00b",
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    """Only IANA names, letter by letter; the error names the argument."""
    with pytest.raises(BadInputError, match=r"^timezone: ") as refused:
        zone_named(name)
    assert "passwd" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "day", "start"),
    [
        ("UTC", date(2026, 6, 15), utc("2026-06-15")),
        ("Asia/Kathmandu", date(2026, 6, 15), utc("2026-06-14T18:15")),
        ("America/Sao_Paulo", date(2018, 11, 4), utc("2018-11-04T03:00")),  # 0:00 did not happen
        ("America/Havana", date(2024, 11, 3), utc("2024-11-03T04:00")),  # 0:00 happened twice
        ("Pacific/Apia", date(2011, 12, 30), utc("2011-12-30T10:00")),  # the day did not happen
        ("Pacific/Apia", date(2011, 12, 31), utc("2011-12-30T10:00")),
    ],
)
def test_start_of_day(name: str, day: date, start: datetime) -> None:
    """A day begins with its first instant, whatever clocks do at midnight."""
    assert start_of_day(zone_named(name), day) == start


def test_an_instant_beyond_the_segments_is_a_mistake() -> None:
    """Asking for a time that clocks show only later is not answered with a wrong one."""
    parts = segments(zone_named("UTC"), utc("2025-01-01"), utc("2026-01-01"))
    with pytest.raises(ValueError, match="end before"):
        first_instant(parts, utc("2026-01-01").replace(tzinfo=None))
