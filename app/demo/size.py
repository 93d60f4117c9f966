"""How much demonstration data."""

from dataclasses import dataclass

DEFAULT_DAYS = 90
DEFAULT_EVENTS = 220_000
DEFAULT_SEED = "footfall"


@dataclass(frozen=True, slots=True)
class DemoSize:
    """About so many events over so many days until now. Another seed makes other events."""

    days: int = DEFAULT_DAYS
    events: int = DEFAULT_EVENTS
    seed: str = DEFAULT_SEED

    @property
    def events_a_day(self) -> int:
        return max(1, round(self.events / self.days))

    def within(self, retention_days: int) -> "DemoSize":
        """Not more days than events are kept (0: for ever), with as many events a day."""
        if not retention_days or self.days <= retention_days:
            return self
        return DemoSize(retention_days, self.events_a_day * retention_days, self.seed)
