"""A report as it is asked for: frozen, and valid once it exists."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.core.errors import BadInputError
from app.core.texts import check_text
from app.modules.analytics.buckets import Granularity, Timeline, timeline
from app.modules.analytics.ranges import TimeRange

MAX_DIMENSIONS = 2
MAX_ROWS = 10_000
MAX_CONDITIONS = 20
MAX_VALUES = 1_000


class Dimension(StrEnum):
    """What a report may be broken down by, and filtered on."""

    ITEM = "ITEM"
    CATEGORY = "CATEGORY"
    SOURCE = "SOURCE"
    POSITION = "POSITION"
    DEVICE = "DEVICE"
    BROWSER = "BROWSER"
    OS = "OS"
    COUNTRY = "COUNTRY"
    REGION = "REGION"
    LANGUAGE = "LANGUAGE"
    REFERRER = "REFERRER"
    PAGE = "PAGE"
    CAMPAIGN = "CAMPAIGN"
    UTM_SOURCE = "UTM_SOURCE"
    UTM_MEDIUM = "UTM_MEDIUM"
    UTM_CAMPAIGN = "UTM_CAMPAIGN"
    UTM_CONTENT = "UTM_CONTENT"
    UTM_TERM = "UTM_TERM"
    EVENT_NAME = "EVENT_NAME"
    VARIANT = "VARIANT"
    HOUR_OF_DAY = "HOUR_OF_DAY"
    WEEKDAY = "WEEKDAY"


class Rank(StrEnum):
    """What rows are ordered by, descending."""

    EVENTS = "EVENTS"
    IMPRESSIONS = "IMPRESSIONS"
    VIEWS = "VIEWS"
    CLICKS = "CLICKS"
    CONVERSIONS = "CONVERSIONS"
    REVENUE = "REVENUE"


@dataclass(frozen=True, slots=True)
class Condition:
    """The dimension has one of these values."""

    dimension: Dimension
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events count: those for which all of it holds. None: any.

    `with_item` leaves out the events that are of no item. Raises BadInputError.
    """

    items: tuple[str, ...] | None = None
    user: str | None = None
    visitor: str | None = None
    where: tuple[Condition, ...] = ()
    with_item: bool = False

    def __post_init__(self) -> None:
        if len(self.where) > MAX_CONDITIONS:
            raise BadInputError(f"must have at most {MAX_CONDITIONS} entries", "filter.where")
        if sum(len(condition.values) for condition in self.where) > MAX_VALUES:
            raise BadInputError(f"must have at most {MAX_VALUES:,} values", "filter.where")
        for place, condition in enumerate(self.where):
            for value in condition.values:
                check_text(value, f"filter.where.{place}.values")


ANY_EVENT = EventFilter()


def check_limit(limit: int, most: int) -> int:
    """How many rows are wanted. Raises BadInputError."""
    if not 1 <= limit <= most:
        raise BadInputError(f"must be from 1 to {most:,}", "limit")
    return limit


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """One report of a site: its range and filter, how it is broken down, and how its rows are ordered.

    Rows are ordered by bucket, then by `rank` descending, then by the dimensions' values. `limit`
    is how many of them are wanted (None: all), `only_ranked` leaves out those whose rank is zero.
    `sampled` says whether events of it stand for more than themselves. `site_currency` is that of values without one, `rank_currency` that of Rank.REVENUE.
    """

    time_range: TimeRange
    zone: ZoneInfo
    site_currency: str
    filter: EventFilter = ANY_EVENT
    dimensions: tuple[Dimension, ...] = ()
    granularity: Granularity | None = None
    rank: Rank = Rank.EVENTS
    rank_currency: str | None = None
    only_ranked: bool = False
    limit: int | None = None
    sampled: bool = False
    # Follows from the others, and is long: what is equal without it is equal.
    timeline: Timeline | None = field(init=False, default=None, compare=False)

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)
        if self.limit is not None:
            check_limit(self.limit, MAX_ROWS)
        if self.granularity is not None:
            buckets = timeline(self.time_range, self.granularity, self.zone)
            object.__setattr__(self, "timeline", buckets)

    @property
    def is_series(self) -> bool:
        """Whether its rows are the buckets themselves, of which none is left out."""
        return self.timeline is not None and not self.dimensions


def check_dimensions(dimensions: Sequence[Dimension]) -> None:
    """Raises BadInputError for too many, or the same one twice."""
    if len(dimensions) > MAX_DIMENSIONS:
        raise BadInputError(f"must have at most {MAX_DIMENSIONS} dimensions", "by")
    if len(set(dimensions)) != len(dimensions):
        raise BadInputError("must not have the same dimension twice", "by")
