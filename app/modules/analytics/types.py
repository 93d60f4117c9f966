"""The GraphQL types of analytics: what analysts are told. The definitions are in the descriptions."""

import dataclasses
import decimal
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.scalars import JSON

from app.core.described import described
from app.core.names import camel_case
from app.core.scalars import Long
from app.modules.analytics.answers import Row
from app.modules.analytics.enums import Dimension
from app.modules.analytics.inputs import EqualsInput, RangeInput, ReportFilter
from app.modules.analytics.measures import Measures, change_percent, mean, per, percent
from app.modules.analytics.rollups.distinct import STANDARD_ERROR
from app.modules.analytics.service import Comparison, Counted, Reported, UserActivity

if TYPE_CHECKING:  # of the items module, known here by name only
    Item = Any

__all__ = ["EqualsInput", "RangeInput", "ReportFilter"]


@strawberry.type(description="An amount of money in one currency.")
class CurrencyAmount:
    currency: str = described("ISO 4217 code.")
    amount: decimal.Decimal = described("The amount.")


@strawberry.type(
    description="What was counted: only accepted events. Rates are percentages from 0; null where the "
    "denominator is zero; never clamped. Means and amounts per something are null of nothing."
)
class Metrics:
    events: Long = described("All accepted events, of every type.")
    impressions: Long = described("Events of type IMPRESSION: the item was rendered.")
    views: Long = described("Events of type VIEW: viewable impressions.")
    clicks: Long = described("Events of type CLICK.")
    conversions: Long = described("Events of type CONVERSION.")
    bounces: Long = described("Events of type BOUNCE, as callers judged it.")
    page_views: Long = described("Events of type PAGE_VIEW.")
    unique_visitors: Long = described(
        "Distinct visitorId in the range asked for (of a row: in that row). Not a sum of days."
    )
    unique_users: Long = described("Distinct userId, of the events that carry one.")
    unique_sessions: Long = described("Distinct sessionId.")
    unique_standard_error: float = described(
        "Relative standard error of the distinct counts above, in percent. 0: they are exact, as all "
        "of up to 1,000 are, and most of more; the rates of visitors and sessions are so too. Of "
        "every other number there is no error."
    )
    click_through_rate: float | None = described("Clicks / impressions, percent.")
    view_rate: float | None = described("Views / impressions, percent.")
    conversion_rate: float | None = described("Conversions / clicks, percent.")
    visitor_conversion_rate: float | None = described(
        "Visitors with a conversion / visitors, percent."
    )
    bounce_rate: float | None = described(
        "Bounced sessions / sessions, percent. A bounced session has exactly one PAGE_VIEW and no "
        "CLICK, CONVERSION or CUSTOM event among the events that are covered here."
    )
    currency: str = described(
        "ISO 4217 code of revenue and of what follows from it: the one currency of all conversions "
        "with a value that the whole report covers; where they are of several, or there are none, "
        "the site's."
    )
    revenue: decimal.Decimal = described("What the conversions in currency were worth together.")
    revenue_by_currency: list[CurrencyAmount] = described(
        "The same in every currency that occurs, by its code. Currencies are never added up."
    )
    revenue_per_click: decimal.Decimal | None = described(
        "Revenue / clicks, rounded half to even to six decimals."
    )
    revenue_per_impression: decimal.Decimal | None = described(
        "Revenue / impressions, rounded half to even to six decimals."
    )
    average_conversion_value: decimal.Decimal | None = described(
        "Revenue / conversions with a value in currency, rounded half to even to six decimals."
    )
    average_engagement: float | None = described(
        "Mean engagementDuration of the events that carry one, milliseconds."
    )
    average_scroll_depth: float | None = described(
        "Mean scrollDepth of the events that carry one, percent."
    )

    @classmethod
    def of(cls, counted: Counted) -> "Metrics":
        measures, currency = counted.measures, counted.currency
        amount = measures.amount(currency)
        return cls(
            **_counts(measures),
            unique_standard_error=_standard_error(exact=measures.exact),
            click_through_rate=percent(measures.clicks, measures.impressions),
            view_rate=percent(measures.views, measures.impressions),
            conversion_rate=percent(measures.conversions, measures.clicks),
            visitor_conversion_rate=percent(measures.converted_visitors, measures.visitors),
            bounce_rate=percent(measures.bounced_sessions, measures.sessions),
            currency=currency,
            revenue=amount.value,
            revenue_by_currency=[
                CurrencyAmount(currency=each.currency, amount=each.value)
                for each in measures.amounts
            ],
            revenue_per_click=per(amount.value, measures.clicks),
            revenue_per_impression=per(amount.value, measures.impressions),
            average_conversion_value=per(amount.value, amount.conversions),
            average_engagement=mean(measures.engagement, measures.engaged_events),
            average_scroll_depth=mean(measures.scroll_depth, measures.scrolled_events),
        )


def _standard_error(*, exact: bool) -> float:
    """In percent."""
    return 0.0 if exact else round(100 * STANDARD_ERROR, 3)


def _counts(measures: Measures) -> dict[str, Any]:
    """The plain counts by their names. One that was not asked for is None, and never answered."""
    return {
        "events": measures.events,
        "impressions": measures.impressions,
        "views": measures.views,
        "clicks": measures.clicks,
        "conversions": measures.conversions,
        "bounces": measures.bounces,
        "page_views": measures.page_views,
        "unique_visitors": measures.visitors,
        "unique_users": measures.users,
        "unique_sessions": measures.sessions,
    }


@strawberry.type(description="What happened to one item in a range of time.")
class ItemAnalytics:
    item_id: strawberry.ID = described("The item; it need not be in the catalogue.")
    impressions: Long = described("Events of type IMPRESSION.")
    clicks: Long = described("Events of type CLICK.")
    unique_users: Long = described("Distinct userId, of the events that carry one.")
    unique_sessions: Long = described("Distinct sessionId.")
    click_through_rate: float | None = described(
        "Clicks / impressions, percent; null without impressions."
    )
    metrics: Metrics = described("Everything that is counted.")

    @classmethod
    def of(cls, item: str, counted: Counted) -> "ItemAnalytics":
        metrics = Metrics.of(counted)
        return cls(
            item_id=strawberry.ID(item),
            impressions=metrics.impressions,
            clicks=metrics.clicks,
            unique_users=metrics.unique_users,
            unique_sessions=metrics.unique_sessions,
            click_through_rate=metrics.click_through_rate,
            metrics=metrics,
        )


@strawberry.type(description="What one user of the caller's did in a range of time.")
class UserAnalytics:
    user_id: strawberry.ID = described("The user.")
    impressions: Long = described("The user's events of type IMPRESSION.")
    clicks: Long = described("The user's events of type CLICK.")
    viewed_items: Long = described("Distinct items of the user's IMPRESSION and VIEW events.")
    clicked_items: Long = described("Distinct items of the user's own CLICK events.")
    click_through_rate: float | None = described(
        "Clicks / impressions, percent; null without impressions."
    )

    @classmethod
    def of(cls, user: str, activity: UserActivity) -> "UserAnalytics":
        return cls(
            user_id=strawberry.ID(user),
            impressions=activity.impressions,
            clicks=activity.clicks,
            viewed_items=activity.viewed_items,
            clicked_items=activity.clicked_items,
            click_through_rate=percent(activity.clicks, activity.impressions),
        )


@strawberry.type(description="One of the most popular items.")
class PopularItem:
    item_id: strawberry.ID = described("The item.")
    item: Annotated["Item", strawberry.lazy("app.modules.items.types")] | None = described(
        "It in the catalogue; null where it is not there."
    )
    impressions: Long = described("Events of type IMPRESSION.")
    clicks: Long = described("Events of type CLICK.")
    unique_users: Long = described("Distinct userId, of the events that carry one.")
    unique_sessions: Long = described("Distinct sessionId.")

    @classmethod
    def of(cls, item_id: str, measures: Measures, item: Any) -> "PopularItem":
        counts = _counts(measures)
        names = ("impressions", "clicks", "unique_users", "unique_sessions")
        return cls(
            item_id=strawberry.ID(item_id), item=item, **{name: counts[name] for name in names}
        )


@strawberry.type(description="One bucket of a time series. Empty buckets are there, with zeros.")
class TimeBucket:
    start: datetime = described(
        "When the bucket begins by the clocks of the time zone. The first one may begin before the "
        "range does; only events within the range count."
    )
    metrics: Metrics = described("What was counted in it.")


@strawberry.type(description="A range against the one of equal length just before it.")
class MetricsChange:
    current: Metrics = described("The range asked for.")
    previous: Metrics = described("The range of equal length that ends where the other one begins.")
    change_percent: JSON = described(
        "By how much each number changed, in percent of what it was: an object with the name of "
        "every numeric field of Metrics; null where it was zero or null."
    )

    @classmethod
    def of(cls, comparison: Comparison) -> "MetricsChange":
        current, previous = Metrics.of(comparison.current), Metrics.of(comparison.previous)
        return cls(current=current, previous=previous, change_percent=_changes(current, previous))


_NOT_COMPARED = frozenset({"currency", "revenue_by_currency", "unique_standard_error"})


def _changes(current: Metrics, previous: Metrics) -> Any:
    names = [each.name for each in dataclasses.fields(Metrics) if each.name not in _NOT_COMPARED]
    return {
        camel_case(name): change_percent(getattr(current, name), getattr(previous, name))
        for name in names
    }


@strawberry.type(description="The value of one dimension.")
class DimensionValue:
    dimension: Dimension = described("The dimension.")
    value: str | None = described("Its value; null where it is not known.")


@strawberry.type(description="One row of a report.")
class ReportRow:
    dimensions: list[DimensionValue] = described("What the row is of, in the order of `by`.")
    start: datetime | None = described("When its bucket begins; null without a granularity.")
    metrics: Metrics = described("What was counted in it.")

    @classmethod
    def of(cls, row: Row, dimensions: tuple[Dimension, ...], currency: str) -> "ReportRow":
        return cls(
            dimensions=[
                DimensionValue(dimension=dimension, value=value)
                for dimension, value in zip(dimensions, row.values, strict=True)
            ],
            start=row.start,
            metrics=Metrics.of(Counted(row.measures, currency)),
        )


@strawberry.type(description="What a report is.")
class ReportMeta:
    as_of: datetime = described("When it was made.")
    exact: bool = described(
        "Whether every number is exact. Distinct counts are not where some of them are estimated "
        "(uniqueStandardError), and none is where the site counted a sample of its visitors: numbers "
        "are then scaled up from it."
    )
    unique_standard_error: float = described(
        "The largest relative standard error of a distinct count in the answer, in percent; 0 where "
        "none is estimated."
    )
    rows: int = described("How many rows there are, also those beyond the limit.")


@strawberry.type(description="Any numbers, broken down by dimensions and time.")
class Report:
    totals: Metrics = described("Everything that the range and filter cover, whatever the limit.")
    rows: list[ReportRow] = described(
        "The rows. With a granularity they are ordered by start; then by events, most first; then "
        "by the dimensions' values."
    )
    meta: ReportMeta = described("What it is, and how many rows there are.")

    @classmethod
    def of(cls, reported: Reported, dimensions: tuple[Dimension, ...]) -> "Report":
        answer, currency = reported.answer, reported.currency
        return cls(
            totals=Metrics.of(Counted(answer.totals, currency)),
            rows=[ReportRow.of(row, dimensions, currency) for row in answer.rows],
            meta=ReportMeta(
                as_of=reported.as_of,
                exact=reported.exact,
                unique_standard_error=_standard_error(exact=not reported.estimated),
                rows=answer.number_of_rows,
            ),
        )
