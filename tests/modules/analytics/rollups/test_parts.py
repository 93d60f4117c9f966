"""Parts of days: of large days there is one that ends wherever a day does in some time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from app.core.quarters import DAY_MS
from app.modules.analytics.rollups.parts import LARGE, MINUTE_MS, divided_days, parts_of_day


@pytest.mark.parametrize("month", [1, 7])
def test_days_of_every_zone_begin_at_a_part_of_a_large_day(month: int) -> None:
    """In summer and in winter, of all zones that the database of zones knows."""
    parts = {0, *parts_of_day(LARGE)}
    for name in available_timezones():
        offset = datetime(2026, month, 15, tzinfo=UTC).astimezone(ZoneInfo(name)).utcoffset()
        assert offset is not None
        minutes = offset.total_seconds() / 60
        assert -minutes % 1_440 in parts, name


def test_a_small_day_is_divided_every_three_hours() -> None:
    """Seven parts, in order; so are those of a large day, within it."""
    assert parts_of_day(LARGE - 1) == parts_of_day(0) == (180, 360, 540, 720, 900, 1_080, 1_260)
    large = parts_of_day(LARGE)
    assert list(large) == sorted(set(large))
    assert 0 < large[0] < large[-1] < 1_440
    assert all(minutes % 15 == 0 for minutes in large)


def test_days_that_begin_at_an_instant_are_not_divided_by_it() -> None:
    """Only those inside which it is."""
    assert set(divided_days([0, DAY_MS, DAY_MS + 1, 2 * DAY_MS - 1, 5 * DAY_MS + MINUTE_MS])) == {
        DAY_MS,
        5 * DAY_MS,
    }
