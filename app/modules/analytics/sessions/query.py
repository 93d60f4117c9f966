"""Which sessions are counted: two periods in a row, and conditions on what a session is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.core.texts import check_id, check_text
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.sessions.derivation import Session

MAX_ROWS = 100

# What sessions may be narrowed to, all of it texts.
CONDITIONS = (
    "visitor", "user", "entry_page", "exit_page", "referrer", "utm_source", "utm_medium",
    "utm_campaign", "utm_content", "utm_term", "device", "browser", "os",
)  # fmt: skip


class Period(StrEnum):
    """The range that was asked for, and the one of equal length just before."""

    CURRENT = "current"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class Periods:
    """The two periods: from `start` to `middle` and from there to `end`, ends left out."""

    start: datetime
    middle: datetime
    end: datetime

    @classmethod
    def of(cls, time_range: TimeRange) -> "Periods":
        return cls(time_range.before().start, time_range.start, time_range.end)

    def period_of(self, session: Session) -> Period | None:
        """The period that a session is of: the one in which it starts."""
        if not self.start <= session.start < self.end:
            return None
        return Period.CURRENT if session.start >= self.middle else Period.PREVIOUS


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Conditions that must all hold, by the field of a session. Raises BadInputError.

    `names` are how the caller knows the fields, for errors.
    """

    conditions: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.conditions.items():
            check = check_id if name in ("visitor", "user") else check_text
            check(value, self.names.get(name, name))

    def holds_for(self, session: Session) -> bool:
        return all(getattr(session, name) == value for name, value in self.conditions.items())


EVERY_SESSION = Narrowing()


class Breakdown(StrEnum):
    """What sessions are broken down by."""

    ENTRY_PAGE = "ENTRY_PAGE"
    EXIT_PAGE = "EXIT_PAGE"
    SOURCE = "SOURCE"


FIELDS = {
    Breakdown.ENTRY_PAGE: ("entry_page",),
    Breakdown.EXIT_PAGE: ("exit_page",),
    Breakdown.SOURCE: ("referrer", "utm_source", "utm_medium", "utm_campaign"),
}
