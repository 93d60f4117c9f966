"""The queries of analytics."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.core.ports import ItemDirectory
from app.core.texts import check_id
from app.modules.analytics.enums import Dimension, Granularity, PopularBy
from app.modules.analytics.inputs import Filter, Range, Timezone, event_filter, range_request
from app.modules.analytics.planner import Wanted
from app.modules.analytics.query import MAX_DIMENSIONS, MAX_ROWS, EventFilter, Rank
from app.modules.analytics.selection import parts, selected
from app.modules.analytics.service import (
    ALL_PARTS,
    MAX_POPULAR_ITEMS,
    AnalyticsService,
    ReportRequest,
)
from app.modules.analytics.types import (
    ItemAnalytics,
    Metrics,
    MetricsChange,
    PopularItem,
    Report,
    TimeBucket,
    UserAnalytics,
)


@strawberry.type
class AnalyticsQuery:
    @strawberry.field(
        extensions=READ,
        description="What happened to one item. It need not be in the catalogue; an item without "
        "events has zeros.",
    )
    async def item_analytics(
        self,
        info: Info,
        item_id: Annotated[strawberry.ID, strawberry.argument(description="The item.")],
        range: Range = None,
    ) -> ItemAnalytics:
        principal = require(info.context.principal, Scope.READ)
        counted = await info.context.get(AnalyticsService).totals(
            principal.site,
            range_request(range),
            EventFilter(items=(check_id(item_id, "itemId"),)),
            parts(selected(info)),
        )
        return ItemAnalytics.of(item_id, counted)

    @strawberry.field(
        extensions=READ,
        description="What one user did: of the events that carry this userId and are still stored. What "
        "retention, cleanOldEvents or an erasure deleted is not in it.",
    )
    async def user_analytics(
        self,
        info: Info,
        user_id: Annotated[strawberry.ID, strawberry.argument(description="The user.")],
        range: Range = None,
    ) -> UserAnalytics:
        principal = require(info.context.principal, Scope.READ)
        activity = await info.context.get(AnalyticsService).of_user(
            principal.site, range_request(range), check_id(user_id, "userId")
        )
        return UserAnalytics.of(user_id, activity)

    @strawberry.field(
        extensions=READ,
        description="The items with the most impressions (or views, clicks, conversions, revenue), "
        "most first; of two that are equal the one whose id sorts first. Items without any are left "
        "out.",
    )
    async def popular_items(
        self,
        info: Info,
        range: Range = None,
        by: Annotated[
            PopularBy | None, strawberry.argument(description="What makes an item popular.")
        ] = PopularBy.IMPRESSIONS,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many at most, 1 to {MAX_POPULAR_ITEMS}."),
        ] = 10,
    ) -> list[PopularItem]:
        principal = require(info.context.principal, Scope.READ)
        names = selected(info)
        popular = await info.context.get(AnalyticsService).popular_items(
            principal.site,
            range_request(range),
            Rank((by or PopularBy.IMPRESSIONS).value),
            10 if limit is None else limit,
            parts(names),
        )
        items = {}
        if popular and "item" in names:
            directory = info.context.get(ItemDirectory)
            items = await directory.by_ids(principal.site, [item_id for item_id, _ in popular])
        return [
            PopularItem.of(item_id, measures, items.get(item_id)) for item_id, measures in popular
        ]

    @strawberry.field(
        extensions=READ,
        description="The numbers of every minute, hour, day, week or month in a range, in order. "
        "Buckets without events are there, with zeros; of a range up to now none that begins later.",
    )
    async def time_series(
        self,
        info: Info,
        range: Range = None,
        granularity: Annotated[
            Granularity | None, strawberry.argument(description="How long a bucket is.")
        ] = Granularity.DAY,
        timezone: Timezone = None,
        filter: Filter = None,
    ) -> list[TimeBucket]:
        principal = require(info.context.principal, Scope.READ)
        series = await info.context.get(AnalyticsService).time_series(
            principal.site,
            range_request(range),
            ReportRequest(
                granularity=granularity or Granularity.DAY,
                timezone=timezone,
                filter=event_filter(filter),
            ),
            parts(selected(info)),
        )
        return [TimeBucket(start=start, metrics=Metrics.of(counted)) for start, counted in series]

    @strawberry.field(
        extensions=READ,
        description="The numbers of a range against those of the range of equal length just before.",
    )
    async def overview(
        self, info: Info, range: Range = None, filter: Filter = None
    ) -> MetricsChange:
        principal = require(info.context.principal, Scope.READ)
        changes = bool(selected(info, "changePercent"))
        comparison = await info.context.get(AnalyticsService).overview(
            principal.site,
            range_request(range),
            event_filter(filter),
            ALL_PARTS if changes else parts(selected(info, "current")),
            ALL_PARTS if changes else parts(selected(info, "previous")),
        )
        return MetricsChange.of(comparison)

    @strawberry.field(
        extensions=READ,
        description="Any numbers, broken down by up to two dimensions and by time. Without "
        "dimensions but with a granularity, buckets without events are there, with zeros.",
    )
    async def report(
        self,
        info: Info,
        by: Annotated[
            list[Dimension] | None,
            strawberry.argument(
                description=f"What the rows are broken down by: at most {MAX_DIMENSIONS} dimensions."
            ),
        ] = [],  # noqa: B006  # only read, and shown in the schema
        range: Range = None,
        granularity: Annotated[
            Granularity | None,
            strawberry.argument(description="How long a bucket is. Default: no buckets."),
        ] = None,
        timezone: Timezone = None,
        filter: Filter = None,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many rows at most, 1 to {MAX_ROWS:,}."),
        ] = 100,
    ) -> Report:
        principal = require(info.context.principal, Scope.READ)
        request = ReportRequest(
            dimensions=tuple(by or ()),
            granularity=granularity,
            timezone=timezone,
            filter=event_filter(filter),
            limit=100 if limit is None else limit,
        )
        in_totals, in_rows = selected(info, "totals"), selected(info, "rows")
        reported = await info.context.get(AnalyticsService).report(
            principal.site,
            range_request(range),
            request,
            Wanted(
                totals=parts(in_totals) if in_totals else frozenset(),
                rows=parts(in_rows) if in_rows else frozenset(),
                number_of_rows="rows" in selected(info, "meta"),
            ),
        )
        return Report.of(reported, request.dimensions)
