"""The one place that knows what time it is, so that tests can decide it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time as an aware UTC datetime in whole milliseconds, which is what MongoDB keeps."""

    def now(self) -> datetime: ...


def whole_milliseconds(instant: datetime) -> datetime:
    """Cut an instant to the precision that MongoDB stores, so that comparisons agree everywhere."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return whole_milliseconds(datetime.now(UTC))


class FixedClock:
    """A clock that stands still until it is moved, for tests and reproducible runs."""

    def __init__(self, instant: datetime) -> None:
        self._instant = whole_milliseconds(instant)

    def now(self) -> datetime:
        return self._instant

    def advance(self, **duration: float) -> None:
        """Move on by a timedelta's arguments: `clock.advance(seconds=30)`."""
        self._instant = whole_milliseconds(self._instant + timedelta(**duration))
