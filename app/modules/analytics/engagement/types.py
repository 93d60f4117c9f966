"""The GraphQL types of engagement and of click maps."""

from typing import Any

import strawberry

from app.core.described import described
from app.core.scalars import Long
from app.modules.analytics.engagement import click_map, distributions, service
from app.modules.analytics.engagement.spread import Key
from app.modules.analytics.measures import percent
from app.modules.analytics.query import Dimension
from app.modules.analytics.types import DimensionValue

_BY_NEAREST_RANK = (
    "By nearest rank: of n numbers in order the one at place p * n / 100, rounded up. So each is a "
    "number that occurs. Null of nothing."
)


@strawberry.type(description="How many durations lie in one range of them.")
class DurationBin:
    at_least: int = described("The shortest duration of the bin, milliseconds.")
    below: int | None = described(
        "The duration that is too long for it, milliseconds; null in the last bin, which ends with "
        "the longest duration that is accepted, 30 minutes."
    )
    count: Long = described("Events with such a duration.")
    percent: float | None = described("The same in percent of all of them; null of none.")


@strawberry.type(
    description="How long people were engaged: the engagementDuration of all events that carry one, of "
    "whatever type, in milliseconds. Each event is one duration: a page that reports twice has two. "
    f"Percentiles: {_BY_NEAREST_RANK}"
)
class DurationDistribution:
    count: Long = described("Events that carry a duration.")
    mean: float | None = described(
        "Mean, milliseconds: averageEngagement of Metrics. Null of nothing."
    )
    p25: int | None = described("A quarter of the durations are this long or shorter.")
    median: int | None = described("Half of the durations are this long or shorter.")
    p75: int | None = described("Three quarters of the durations are this long or shorter.")
    p90: int | None = described("90% of the durations are this long or shorter.")
    p95: int | None = described("95% of the durations are this long or shorter.")
    histogram: list[DurationBin] = described(
        "How many are how long, in bins that begin at 0, 1, 2, 5, 10, 20 and 30 seconds and at 1, 2, "
        "5, 10 and 20 minutes. Empty bins are there."
    )

    @classmethod
    def of(cls, durations: distributions.Durations) -> "DurationDistribution":
        return cls(
            count=durations.count,
            mean=durations.mean,
            **_percentiles(durations.percentiles),
            histogram=[
                DurationBin(
                    at_least=each.at_least,
                    below=each.below,
                    count=each.count,
                    percent=percent(each.count, durations.count),
                )
                for each in durations.histogram
            ],
        )


def _percentiles(found: Any) -> dict[str, int | None]:
    names = {25: "p25", 50: "median", 75: "p75", 90: "p90", 95: "p95"}
    return {name: found.get(percentile) for percentile, name in names.items()}


@strawberry.type(description="How many pages were read at least so far.")
class DepthReached:
    depth: int = described("Percent of the page: 25, 50, 75 or 100.")
    pages: Long = described("Pages of which this much or more was reached.")
    percent: float | None = described("The same in percent of all pages; null of none.")


@strawberry.type(
    description="How far pages were read, in percent of their height. A page is one address in one "
    "session, however often it was opened or reported: it counts once, with the largest scrollDepth "
    "that was reported, and only where at least one event of the range carries one. Events without a "
    f"page's address count as one page for each session and item. Percentiles: {_BY_NEAREST_RANK}"
)
class DepthDistribution:
    pages: Long = described("Pages with a depth.")
    mean: float | None = described("Mean of the pages' depths, percent. Null of nothing.")
    p25: int | None = described("A quarter of the pages were read this far or less.")
    median: int | None = described("Half of the pages were read this far or less.")
    p75: int | None = described("Three quarters of the pages were read this far or less.")
    p90: int | None = described("90% of the pages were read this far or less.")
    p95: int | None = described("95% of the pages were read this far or less.")
    reached: list[DepthReached] = described("How many pages reached 25, 50, 75 and 100 percent.")

    @classmethod
    def of(cls, depths: distributions.Depths) -> "DepthDistribution":
        return cls(
            pages=depths.pages,
            mean=depths.mean,
            **_percentiles(depths.percentiles),
            reached=[
                DepthReached(depth=depth, pages=pages, percent=percent(pages, depths.pages))
                for depth, pages in depths.reached.items()
            ],
        )


def _shown(engagement: service.Engagement) -> dict[str, Any]:
    """What was not asked for is None, and never answered."""
    durations, depths = engagement.durations, engagement.depths
    return {
        "duration": None if durations is None else DurationDistribution.of(durations),
        "scroll_depth": None if depths is None else DepthDistribution.of(depths),
    }


@strawberry.type(description="How long and how far, of one value of a dimension.")
class EngagementRow:
    dimension: DimensionValue = described("What the row is of.")
    duration: DurationDistribution = described("How long people were engaged.")
    scroll_depth: DepthDistribution = described(
        "How far pages were read. A page that has events of two values counts in both rows."
    )

    @classmethod
    def of(
        cls, dimension: Dimension, value: Key, engagement: service.Engagement
    ) -> "EngagementRow":
        return cls(dimension=DimensionValue(dimension=dimension, value=value), **_shown(engagement))


@strawberry.type(description="How long people were engaged and how far they read.")
class Engagement:
    duration: DurationDistribution = described("How long people were engaged.")
    scroll_depth: DepthDistribution = described("How far pages were read.")
    rows: list[EngagementRow] = described(
        "The same of every value of the dimension asked for, those with the most events that carry a "
        "duration or a depth first, then by value; empty where none was asked for."
    )
    exact: bool = described(
        "Whether every number is exact. It is not where the site counted a sample of its visitors: "
        "numbers are then scaled up from it."
    )

    @classmethod
    def of(cls, report: service.EngagementReport, by: Dimension | None) -> "Engagement":
        return cls(
            **_shown(report.whole),
            rows=[
                EngagementRow.of(by, value, engagement)
                for value, engagement in report.rows
                if by is not None
            ],
            exact=not report.sampled,
        )


@strawberry.type(description="One cell of a click map. Columns and rows are numbered from 0.")
class ClickCell:
    column: int = described("Its place from the left, from 0.")
    row: int = described("Its place from the top, from 0.")
    left: int = described("Its first pixel from the left.")
    top: int = described("Its first pixel from the top.")
    clicks: Long = described("Clicks in it.")


@strawberry.type(
    description="Where was clicked, for a heat map: CLICK events with a clickPosition, which is in pixels "
    "from the left and top of the item or page, as the caller measured it. A click lies in the pixel "
    "that its position is in (rounded down), and pixel p in column p * columns / width, rounded down. "
    "One item has different sizes on different devices: filter by DEVICE for a sharper map."
)
class ClickMap:
    width: int = described(
        "How many pixels wide the area is. Where it was not asked for: as far as was clicked, without "
        "the clicks that are more than twice as far out as the 95th percentile."
    )
    height: int = described("How many pixels high it is; as for width.")
    columns: int = described("Into how many columns it is cut.")
    rows: int = described("Into how many rows it is cut.")
    clicks: Long = described("Clicks in the area: the sum of its cells.")
    outside: Long = described("Clicks with a position outside of it, also left of it and above.")
    without_position: Long = described("Clicks that carry no position.")
    maximum: Long = described("Clicks in the fullest cell; 0 of none.")
    cells: list[ClickCell] = described("The cells that have clicks, by row and then by column.")
    exact: bool = described(
        "Whether every number is exact. It is not where the site counted a sample of its visitors: "
        "numbers are then scaled up from it."
    )

    @classmethod
    def of(cls, found: click_map.ClickMap) -> "ClickMap":
        grid = found.grid
        return cls(
            width=grid.width,
            height=grid.height,
            columns=grid.columns,
            rows=grid.rows,
            clicks=sum(cell.clicks for cell in found.cells),
            outside=found.outside,
            without_position=found.unplaced,
            maximum=max((cell.clicks for cell in found.cells), default=0),
            cells=[
                ClickCell(
                    column=cell.column,
                    row=cell.row,
                    left=grid.left(cell.column),
                    top=grid.top(cell.row),
                    clicks=cell.clicks,
                )
                for cell in found.cells
            ],
            exact=not found.sampled,
        )
