"""What one module needs of another, as Protocols: wired in app/wiring.py, found with `context.get`.

GraphQL types of the other module are `Any` here; resolvers reference them with `strawberry.lazy`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from app.core.auth import Principal
from app.core.context import RequestInfo
from app.core.errors import ForbiddenError
from app.core.site_rules import PrivateData, TrackingLevel
from app.core.subjects import Subject


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
    def archived_at(self) -> datetime | None:
        """Since when nothing is taken in nor changed; None where the site is in use."""

    @property
    def allowed_origins(self) -> Sequence[str]:
        """Origins of pages that may call the API from a browser (core/origins.py)."""

    @property
    def consent_required(self) -> bool:
        """Whether only events with consentGiven count."""

    @property
    def respect_do_not_track(self) -> bool:
        """Whether the headers DNT and Sec-GPC are honoured."""

    @property
    def tracking_level(self) -> TrackingLevel:
        """How much of an event is kept."""

    @property
    def private_data(self) -> PrivateData:
        """What is done with private data in texts."""

    @property
    def keep_city(self) -> bool:
        """Whether the city of an address is kept besides its country and region."""

    @property
    def impression_cooldown(self) -> float | None:
        """Seconds, for impressions and views; None: the instance's setting."""

    @property
    def click_cooldown(self) -> float | None:
        """Seconds, for clicks; None: the instance's setting."""

    @property
    def retention(self) -> Mapping[str, int]:
        """Days that events of a type are kept, by type; others as long as the instance keeps them."""

    @property
    def sample_one_in(self) -> int:
        """Of so many visitors one is counted; 1 counts all."""

    @property
    def require_item_token(self) -> bool:
        """Whether events of items that come with a write key need a token of the site's server."""

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


def check_in_use(rules: SiteRules) -> None:
    """Raises ForbiddenError where the site is archived."""
    if rules.archived_at is not None:
        raise ForbiddenError(
            "This site is archived: it answers reports, and takes in and changes nothing until the "
            "instance's owner restores it."
        )


class SiteSettings(Protocol):
    """Knows the sites."""

    async def get(self, site: str) -> SiteRules:
        """The site of this name. Raises NotFoundError."""


class KeyCheck(Protocol):
    """Knows the keys."""

    async def is_valid(self, principal: Principal) -> bool:
        """Whether the principal's key may still be used. Seen at once, in every process."""


class QueryRates(Protocol):
    """Counts what keys ask."""

    def count(self, principal: Principal) -> None:
        """One query of this key. Raises RateLimitedError where it is one too many."""


class AdminLog(Protocol):
    """Keeps who changed what."""

    def recorded(
        self, site: str, action: str, principal: Principal | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Record what happens inside as this action; without a principal it is the command line's.

        It is written before anything happens and once more when it is over, so that nothing is done
        that is not in the log. Services say more with core/admin_actions.py.
        """


class Ranges(Protocol):
    """Knows which time is meant."""

    async def resolve(self, site: str, range: Any) -> tuple[datetime, datetime]:  # noqa: A002
        """Start, included, and end, left out, of a GraphQL `RangeInput` or of None. Raises BadInputError."""


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
class KeptEvents:
    """Of one quarter of an hour, what is known of somebody's events that are themselves gone."""

    start: datetime
    events: Sequence[dict[str, Any]]


class ComputedOfEvents(Protocol):
    """Everything that is computed of events, from which somebody can be taken out."""

    def alone(
        self, patience: timedelta
    ) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        """While nobody else computes anything; what it gives is to be called before each step.

        Raises UnavailableError where others do for longer than `patience`, or have taken over.
        """

    async def mark(self, site: str, quarters: Collection[datetime]) -> None:
        """Before events of these quarters of an hour are erased: it is not relied on any more."""

    async def forget_sessions(self, site: str, sessions: Collection[str]) -> None:
        """After events of these session ids were erased: make their sessions right."""

    async def forget(
        self,
        site: str,
        subject: Subject,
        quarters: Collection[datetime],
        go_on: Callable[[], Awaitable[None]],
    ) -> int:
        """After the events of these quarters were erased: nothing knows of them any more.

        How many events were forgotten that are gone themselves.
        """

    def kept(
        self, site: str, subject: Subject, since: datetime | None
    ) -> AsyncIterator[KeptEvents]:
        """What is known of them from events that are gone themselves, in order; None: of any time."""


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
