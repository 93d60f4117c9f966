"""The query of trending items."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.core.ports import ItemDirectory
from app.modules.analytics.inputs import Filter, Range, event_filter, range_request
from app.modules.analytics.selection import selected
from app.modules.analytics.trending.query import (
    DEFAULT_MINIMUM,
    MAX_MINIMUM,
    MAX_TRENDING_ITEMS,
    TrendRequest,
)
from app.modules.analytics.trending.service import TrendingService
from app.modules.analytics.trending.types import Direction, TrendBy, TrendingItems


@strawberry.type
class TrendingQuery:
    @strawberry.field(
        extensions=READ,
        description="The items of which there is more (or less) in the range than in the range of equal "
        "length just before. They are ordered by how much they have surely grown: by the lower bound "
        "of the 95% interval of how many times as frequent they are now (falling ones by the upper "
        "bound, smallest first), so that 900 after 500 comes before 3 after 1; of two that are equal "
        "the one whose id sorts first. The interval is Wilson's for the share of the current period "
        "in the events of both. It takes each event for one that happens by itself: many events of "
        "few visitors look surer than they are.",
    )
    async def trending_items(
        self,
        info: Info,
        range: Range = None,
        by: Annotated[
            TrendBy | None, strawberry.argument(description="What is counted.")
        ] = TrendBy.IMPRESSIONS,
        direction: Annotated[
            Direction | None,
            strawberry.argument(description="Whether there is more or less than before."),
        ] = Direction.RISING,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many at most, 1 to {MAX_TRENDING_ITEMS}."),
        ] = 10,
        minimum: Annotated[
            int | None,
            strawberry.argument(
                description="Items that have fewer events than this in both periods are left out, 1 to "
                f"{MAX_MINIMUM:,}."
            ),
        ] = DEFAULT_MINIMUM,
        filter: Filter = None,
    ) -> TrendingItems:
        principal = require(info.context.principal, Scope.READ)
        request = TrendRequest(
            event_filter(filter),
            by=by or TrendBy.IMPRESSIONS,
            direction=direction or Direction.RISING,
            limit=10 if limit is None else limit,
            minimum=DEFAULT_MINIMUM if minimum is None else minimum,
        )
        trends = await info.context.get(TrendingService).trends(
            principal.site, range_request(range), request
        )
        items = {}
        if trends.items and "item" in selected(info, "items"):
            directory = info.context.get(ItemDirectory)
            items = await directory.by_ids(principal.site, [each.item for each in trends.items])
        return TrendingItems.of(trends, items)
