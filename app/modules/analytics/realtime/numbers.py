"""The numbers of the last minutes: what is asked for, and what is answered."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.core.errors import BadInputError
from app.modules.analytics.query import check_limit
from app.modules.analytics.ranges import MILLISECOND
from app.schemas.event import EventType

MINUTE = timedelta(minutes=1)
ACTIVE = timedelta(minutes=5)
DEFAULT_MINUTES, MAX_MINUTES = 5, 60
DEFAULT_TOP, MAX_TOP = 10, 50


@dataclass(frozen=True, slots=True)
class Window:
    """The last so many minutes of the clock, of which the current one has only begun.

    Events may lie ahead of now by the tolerance; they count as if they happened now.
    """

    now: datetime
    minutes: int
    tolerance: timedelta

    @property
    def start(self) -> datetime:
        """When the first of its minutes begins."""
        return self.current_minute - (self.minutes - 1) * MINUTE

    @property
    def current_minute(self) -> datetime:
        return self.now.replace(second=0, microsecond=0)

    @property
    def active_since(self) -> datetime:
        """Who has an event at this instant or later is active."""
        return self.now - ACTIVE

    @property
    def end(self) -> datetime:
        """No event lies here or later."""
        return self.now + self.tolerance + MILLISECOND

    def starts(self) -> list[datetime]:
        """When each of its minutes begins, oldest first."""
        return [self.start + place * MINUTE for place in range(self.minutes)]


@dataclass(frozen=True, slots=True)
class TopItem:
    """An item of the last minutes."""

    item: str
    events: int
    impressions: int
    clicks: int


@dataclass(frozen=True, slots=True)
class TopPage:
    """A page of the last minutes."""

    page: str
    events: int
    page_views: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """What happened in the last minutes. Two of them are equal when their numbers are."""

    as_of: datetime = field(compare=False)
    active_visitors: int
    active_sessions: int
    per_minute: tuple[tuple[datetime, int], ...]
    by_type: tuple[tuple[EventType, int], ...]
    items: tuple[TopItem, ...]
    pages: tuple[TopPage, ...]

    @property
    def events(self) -> int:
        return sum(events for _, events in self.per_minute)

    def top(self, limit: int) -> "Numbers":
        """The same with at most so many items and pages."""
        return replace(self, items=self.items[:limit], pages=self.pages[:limit])


def check_minutes(minutes: int | None) -> int:
    """How many minutes are wanted; None stands for the default. Raises BadInputError."""
    wanted = DEFAULT_MINUTES if minutes is None else minutes
    if not 1 <= wanted <= MAX_MINUTES:
        raise BadInputError(f"must be from 1 to {MAX_MINUTES}", "minutes")
    return wanted


def check_top(limit: int | None) -> int:
    """How many items and pages are wanted; None stands for the default. Raises BadInputError."""
    return check_limit(DEFAULT_TOP if limit is None else limit, MAX_TOP)
