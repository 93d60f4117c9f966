"""Deleting old events."""

from datetime import timedelta

from app.core.admin_actions import note_change
from app.core.clock import Clock
from app.core.config import Settings
from app.core.errors import BadInputError
from app.core.ports import EventRemoval
from app.repositories.events import Deleted

MAX_DAYS = 36_500


class CleanupService:
    """Deletes events by their age, where an admin wants it before their time."""

    def __init__(self, removal: EventRemoval, settings: Settings, clock: Clock) -> None:
        self._removal = removal
        self._settings = settings
        self._clock = clock

    async def clean_old_events(self, site: str, days_to_keep: int | None) -> Deleted:
        """Delete the site's events older than so many days; default: the retention setting.

        What reports answer stays. Raises BadInputError.
        """
        days = self._settings.data_retention_days if days_to_keep is None else days_to_keep
        if days_to_keep is None and days == 0:
            return Deleted(0, 0, 0)
        if not 0 <= days <= MAX_DAYS:
            raise BadInputError(f"must be from 0 to {MAX_DAYS}", "daysToKeep")
        note_change("daysToKeep", None, days)
        removed = await self._removal.remove_before(site, self._clock.now() - timedelta(days=days))
        return Deleted(removed.events, removed.impressions, removed.clicks)
