"""How long events are there to be rolled up from. What was rolled up of them stays longer."""

from datetime import UTC, datetime, timedelta

from app.core.clock import Clock
from app.core.config import Settings

# Events are accepted up to the retention, rolled up for an hour more, and deleted after two.
MARGIN = timedelta(hours=1)
DELETED_AFTER = 2 * MARGIN
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def lifetime_of_events(settings: Settings) -> int | None:
    """Seconds after which events are deleted; None: never."""
    return _seconds(settings.data_retention_days, DELETED_AFTER)


def lifetime_of_rollups(settings: Settings) -> int | None:
    """Seconds after their start at which rollups are deleted; None: never.

    A week's rollups stay for its last event, and none goes before the events that it is of.
    """
    return _seconds(settings.rollup_retention_days, timedelta(days=7) + DELETED_AFTER)


def _seconds(days: int, margin: timedelta) -> int | None:
    return int((timedelta(days=days) + margin).total_seconds()) if days else None


class Retention:
    """The age at which events go: `lifetime` seconds, as the database deletes them; None: never."""

    def __init__(self, lifetime: int | None, clock: Clock) -> None:
        self._lifetime = lifetime
        self._clock = clock

    def events_since(self) -> datetime:
        """From when on no event has been deleted for its age."""
        if self._lifetime is None:
            return LONG_AGO
        return self._clock.now() - timedelta(seconds=self._lifetime) + MARGIN
