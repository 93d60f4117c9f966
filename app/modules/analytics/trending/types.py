"""The GraphQL types of trending items."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.core.described import described
from app.core.enums import graphql_enum
from app.core.scalars import Long
from app.modules.analytics.measures import change_percent
from app.modules.analytics.trending.query import Direction, TrendBy
from app.modules.analytics.trending.service import Trend, Trends

if TYPE_CHECKING:  # of the items module, known here by name only
    Item = Any

__all__ = ["Direction", "TrendBy"]

graphql_enum(
    TrendBy,
    "What is counted of an item.",
    {
        "IMPRESSIONS": "How often it was rendered.",
        "VIEWS": "How often it was seen: viewable impressions.",
        "CLICKS": "How often it was clicked.",
        "CONVERSIONS": "How many conversions name it.",
    },
)
graphql_enum(
    Direction,
    "Which way the number of an item goes.",
    {
        "RISING": "There is more of it than in the period before.",
        "FALLING": "There is less of it than in the period before.",
    },
)


@strawberry.type(description="An item of which there is more, or less, than in the period before.")
class TrendingItem:
    item_id: strawberry.ID = described("The item.")
    item: Annotated["Item", strawberry.lazy("app.modules.items.types")] | None = described(
        "It in the catalogue; null where it is not there."
    )
    current: Long = described("How many events there are in the range.")
    previous: Long = described("How many there were in the range of equal length just before.")
    growth_percent: float | None = described(
        "By how much the number changed, in percent of what it was: 80 for 500 that became 900. Null "
        "where it was 0."
    )
    is_new: bool = described("Whether there was none of it in the period before.")
    ratio_low: float = described(
        "How many times as frequent it is at least now, with 95% confidence. Rising items are ordered "
        "by it: 900 after 500 has certainly grown to 1.6 times as many, 3 after 1 may as well have "
        "shrunk (0.4)."
    )
    ratio_high: float | None = described(
        "How many times as frequent it is at most now, with 95% confidence. Falling items are ordered "
        "by it. Null where there was none before: then there is no such bound."
    )
    certain: bool = described(
        "Whether the change is more than chance explains: both bounds are above 1, or both below."
    )

    @classmethod
    def of(cls, trend: Trend, item: Any) -> "TrendingItem":
        fell = trend.high is not None and trend.high < 1
        return cls(
            item_id=strawberry.ID(trend.item),
            item=item,
            current=trend.current,
            previous=trend.previous,
            growth_percent=change_percent(trend.current, trend.previous),
            is_new=not trend.previous,
            ratio_low=trend.low,
            ratio_high=trend.high,
            certain=trend.low > 1 or fell,
        )


@strawberry.type(
    description="The items with the clearest trend, and the two periods that were compared."
)
class TrendingItems:
    start: datetime = described("Where the current period begins.")
    end: datetime = described(
        "Where it ends, left out. Of a range that is not over only what has passed is compared."
    )
    previous_start: datetime = described(
        "Where the previous period begins. It is of equal length and ends where the current one begins."
    )
    items: list[TrendingItem] = described("The items, the one with the clearest trend first.")
    exact: bool = described(
        "Whether the counts are exact. They are not where the site counted a sample of its visitors: "
        "they are then scaled up from it. The minimum and the bounds go by the events of the sample."
    )

    @classmethod
    def of(cls, trends: Trends, items: Mapping[str, Any]) -> "TrendingItems":
        compared = trends.compared
        return cls(
            start=compared.current.start,
            end=compared.current.end,
            previous_start=compared.previous.start,
            items=[TrendingItem.of(trend, items.get(trend.item)) for trend in trends.items],
            exact=not trends.sampled,
        )
