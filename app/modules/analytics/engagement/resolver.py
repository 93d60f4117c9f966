"""The queries of engagement and of click maps."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.modules.analytics.engagement.click_map import (
    MAX_CELLS_A_SIDE,
    MAX_SIDE,
    ClickMapRequest,
)
from app.modules.analytics.engagement.service import (
    MAX_ROWS,
    EngagementRequest,
    EngagementService,
)
from app.modules.analytics.engagement.types import ClickMap, Engagement
from app.modules.analytics.enums import Dimension
from app.modules.analytics.inputs import Filter, Range, event_filter, range_request
from app.modules.analytics.selection import selected

_CELLS = f"1 to {MAX_CELLS_A_SIDE}."
_SIDE = (
    f"pixels, at least one for each {{}} and at most {MAX_SIDE:,}. Default: as far as was clicked, "
    "without the few clicks that are far out."
)


@strawberry.type
class EngagementQuery:
    @strawberry.field(
        extensions=READ,
        description="How long people were engaged and how far they read: how the numbers are spread, and "
        "not only their mean.",
    )
    async def engagement(
        self,
        info: Info,
        range: Range = None,
        filter: Filter = None,
        by: Annotated[
            Dimension | None,
            strawberry.argument(
                description="What the rows are broken down by. Default: there are no rows."
            ),
        ] = None,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many rows at most, 1 to {MAX_ROWS}."),
        ] = 10,
    ) -> Engagement:
        principal = require(info.context.principal, Scope.READ)
        names = selected(info)
        request = EngagementRequest(
            event_filter(filter),
            by=by if "rows" in names else None,
            limit=10 if limit is None else limit,
            durations="duration" in names,
            depths="scrollDepth" in names,
        )
        report = await info.context.get(EngagementService).engagement(
            principal.site, range_request(range), request
        )
        return Engagement.of(report, by)

    @strawberry.field(
        extensions=READ,
        description="Where an item or a page was clicked, counted by the cells of a grid, for a heat map.",
    )
    async def click_map(
        self,
        info: Info,
        item_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Clicks on this item. It or page must be given; with both, clicks on the item on "
                "that page."
            ),
        ] = None,
        page: Annotated[
            str | None,
            strawberry.argument(
                description="Clicks on this page: its address without query string and fragment, as the "
                "dimension PAGE has it."
            ),
        ] = None,
        range: Range = None,
        columns: Annotated[
            int | None, strawberry.argument(description=f"How many columns, {_CELLS}")
        ] = 20,
        rows: Annotated[
            int | None, strawberry.argument(description=f"How many rows, {_CELLS}")
        ] = 20,
        width: Annotated[
            int | None,
            strawberry.argument(description=f"How wide the area is: {_SIDE.format('column')}"),
        ] = None,
        height: Annotated[
            int | None,
            strawberry.argument(description=f"How high the area is: {_SIDE.format('row')}"),
        ] = None,
        filter: Filter = None,
    ) -> ClickMap:
        principal = require(info.context.principal, Scope.READ)
        found = await info.context.get(EngagementService).click_map(
            principal.site,
            range_request(range),
            event_filter(filter),
            ClickMapRequest(
                item=item_id,
                page=page,
                columns=20 if columns is None else columns,
                rows=20 if rows is None else rows,
                width=width,
                height=height,
            ),
        )
        return ClickMap.of(found)
