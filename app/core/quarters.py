"""Quarters of an hour of UTC: what is marked when something changes, and computed anew."""

from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
QUARTER_MS = 15 * 60 * 1000
DAY_MS = 24 * 60 * 60 * 1000

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (instant - EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The instant so many milliseconds after 1970."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def quarter_of(instant: datetime) -> datetime:
    """When the quarter of an hour began that the instant is in. Every UTC offset since 1972 begins in one."""
    return instant - (instant - EPOCH) % QUARTER
