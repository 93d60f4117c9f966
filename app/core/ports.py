"""What one module needs of another, as Protocols: wired in app/wiring.py, found with `context.get`.

GraphQL types of the other module are `Any` here; resolvers reference them with `strawberry.lazy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.core.auth import Principal
from app.core.context import RequestInfo


class SiteDefaults(Protocol):
    """What a site says where a request says nothing."""

    @property
    def timezone(self) -> str:
        """IANA time zone of its reports."""

    @property
    def currency(self) -> str:
        """ISO 4217 code of its amounts."""


class SiteRules(SiteDefaults, Protocol):
    """What a site counts and what it does not."""

    @property
    def consent_required(self) -> bool:
        """Whether only events with consentGiven count."""

    @property
    def sample_one_in(self) -> int:
        """Of so many visitors one is counted; 1 counts all."""

    @property
    def session_ends_on_new_source(self) -> bool:
        """Whether an event from another referrer or campaign begins a new session."""

    @property
    def excluded_types(self) -> Sequence[str]:
        """Event types that are not counted."""

    @property
    def excluded_items(self) -> Sequence[str]:
        """Items whose events are not counted."""

    @property
    def excluded_sources(self) -> Sequence[str]:
        """Sources whose events are not counted."""

    @property
    def excluded_addresses(self) -> Sequence[str]:
        """Addresses and networks whose events are not counted: the office, a monitor."""


class SiteSettings(Protocol):
    """Knows the sites."""

    async def get(self, site: str) -> SiteRules:
        """The site of this name. Raises NotFoundError."""


class KeyCheck(Protocol):
    """Knows the keys."""

    async def is_valid(self, principal: Principal) -> bool:
        """Whether the principal's key may still be used. Seen at once, in every process."""


class ItemDirectory(Protocol):
    """Knows the catalogue."""

    async def by_ids(self, site: str, ids: Sequence[str]) -> dict[str, Any]:
        """The items of the site that have these ids, by id, as GraphQL `Item`."""


class ItemReports(Protocol):
    """Counts what happened to items."""

    async def for_items(self, site: str, item_ids: Sequence[str], range: Any) -> dict[str, Any]:  # noqa: A002
        """The numbers of every one of these items, by id, as GraphQL `ItemAnalytics`.

        `range` is a GraphQL `RangeInput` or None.
        """


@dataclass(frozen=True, slots=True)
class RangeTotals:
    """Counts by their GraphQL names. `distinct_error` is the relative standard error of distinct ones."""

    counts: dict[str, int]
    distinct_error: float


class ReportTotals(Protocol):
    """Answers what reports answer."""

    async def totals(self, site: str, start: datetime, end: datetime) -> "RangeTotals":
        """The counts of Metrics from start to end, left out."""

    async def events_since(self, site: str, start: datetime, end: datetime) -> datetime:
        """From when on all events from start to end are stored that reports count."""


class RemovedEvents(Protocol):
    """How many events were removed."""

    @property
    def events(self) -> int:
        """All of them, withdrawn ones too."""

    @property
    def impressions(self) -> int:
        """Those of type IMPRESSION."""

    @property
    def clicks(self) -> int:
        """Those of type CLICK."""


class EventRemoval(Protocol):
    """Removes events whose numbers are to stay."""

    async def remove_before(self, site: str, instant: datetime) -> RemovedEvents:
        """Remove the site's events that happened before this instant."""


@dataclass(frozen=True, slots=True)
class ShownItems:
    """Items that an answer shows to a visitor, best first."""

    item_ids: Sequence[str]
    session_id: str
    source: str
    # The rank of the first one, from 1; None where they have no rank.
    first_position: int | None = None
    visitor_id: str | None = None
    user_id: str | None = None


class ImpressionTracker(Protocol):
    """Tracks what answers show."""

    def track_items(self, principal: Principal, request: RequestInfo, shown: ShownItems) -> None:
        """Track an impression of each, in the background: nothing is waited for, nothing is raised."""
