"""The queries of behaviour."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.modules.analytics.behaviour.attribution import (
    DEFAULT_CLICK_DAYS,
    DEFAULT_VIEW_HOURS,
    MAX_ATTRIBUTION_ROWS,
    MAX_CLICK_DAYS,
    MAX_CONVERSIONS,
    MAX_SHARING,
    MAX_VIEW_HOURS,
    Windows,
)
from app.modules.analytics.behaviour.enums import AttributionModel, PathDirection
from app.modules.analytics.behaviour.funnel import (
    DEFAULT_WINDOW,
    MAX_FUNNEL_ROWS,
    MAX_STEPS,
    MAX_VALUES,
    MAX_WINDOW,
    MIN_STEPS,
)
from app.modules.analytics.behaviour.inputs import FunnelStepInput, funnel_steps
from app.modules.analytics.behaviour.paths import DEFAULT_PATHS, MAX_PATHS, Anchor
from app.modules.analytics.behaviour.retention import (
    DEFAULT_PERIODS,
    MAX_COHORTS,
    MAX_PERIODS,
)
from app.modules.analytics.behaviour.service import BehaviourService
from app.modules.analytics.behaviour.types import Attribution, Funnel, Paths, Retention
from app.modules.analytics.enums import Dimension, Granularity
from app.modules.analytics.inputs import (
    Filter,
    Range,
    ReportFilter,
    Timezone,
    event_filter,
    range_request,
)
from app.modules.analytics.selection import selected

DEFAULT_ROWS = 100


@strawberry.type
class BehaviourQuery:
    @strawberry.field(
        extensions=READ,
        description="How far visitors get through steps that follow each other. An attempt begins with "
        "any event of the first step; each further step is the first event after the one before, by "
        "time and then by id, that can be it, within the window. All of it lies in the range: an "
        "attempt shortly before the range's end has less time. Each visitor counts once, with the "
        "attempt that gets furthest; of those that get equally far, with the earliest.",
    )
    async def funnel(
        self,
        info: Info,
        steps: Annotated[
            list[FunnelStepInput],
            strawberry.argument(
                description=f"The steps, in order: {MIN_STEPS} to {MAX_STEPS}. One event is one step "
                "only, also where it could be several."
            ),
        ],
        range: Range = None,
        window_seconds: Annotated[
            int | None,
            strawberry.argument(
                description="How long after its first event an attempt may go on, in seconds; an event "
                f"exactly so long after it counts. 1 to {MAX_WINDOW:,}: 90 days."
            ),
        ] = DEFAULT_WINDOW,
        by: Annotated[
            Dimension | None,
            strawberry.argument(
                description="What the rows are broken down by: the value of the attempt's first event. "
                f"At most {MAX_VALUES:,} values."
            ),
        ] = None,
        filter: Filter = None,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many rows at most, 1 to {MAX_FUNNEL_ROWS:,}."),
        ] = DEFAULT_ROWS,
    ) -> Funnel:
        principal = require(info.context.principal, Scope.READ)
        found = await info.context.get(BehaviourService).funnel(
            principal.site,
            range_request(range),
            funnel_steps(steps, window_seconds),
            by=by,
            wanted=event_filter(filter),
            limit=DEFAULT_ROWS if limit is None else limit,
            timed="medianSeconds" in selected(info),
        )
        return Funnel.of(found)

    @strawberry.field(
        extensions=READ,
        description="How many of the visitors who were new in a day, week or month came back in those "
        "after it. A visitor is new at the first known event: one that was there before the range is "
        "in no cohort. What was deleted (retention, erasing) is not known.",
    )
    async def retention(
        self,
        info: Info,
        range: Range = None,
        granularity: Annotated[
            Granularity | None,
            strawberry.argument(
                description="How long a period is: DAY, WEEK or MONTH. The range may touch at most "
                f"{MAX_COHORTS} of them."
            ),
        ] = Granularity.WEEK,
        timezone: Timezone = None,
        filter: Filter = None,
        periods: Annotated[
            int | None,
            strawberry.argument(
                description=f"How many periods after its own a cohort is followed, 1 to {MAX_PERIODS}."
            ),
        ] = DEFAULT_PERIODS,
    ) -> Retention:
        principal = require(info.context.principal, Scope.READ)
        found = await info.context.get(BehaviourService).retention(
            principal.site,
            range_request(range),
            granularity or Granularity.WEEK,
            timezone=timezone,
            wanted=event_filter(filter),
            periods=DEFAULT_PERIODS if periods is None else periods,
        )
        return Retention.of(found)

    @strawberry.field(
        extensions=READ,
        description="Which clicks and views led to the conversions of a range. A touch leads to the "
        "conversions of the same visitor, or of the same userId where both carry one, that come after "
        "it, by time and then by id, within the window; it may lie before the range. An order counts "
        f"once. At most {MAX_CONVERSIONS:,} conversions.",
    )
    async def attribution(
        self,
        info: Info,
        range: Range = None,
        model: Annotated[
            AttributionModel | None,
            strawberry.argument(
                description="Which touches a conversion is credited to. LINEAR: its parts differ by a "
                "millionth at most, and earlier clicks have the larger ones; of more than "
                f"{MAX_SHARING:,} clicks the latest share it."
            ),
        ] = AttributionModel.LAST_TOUCH,
        click_window_days: Annotated[
            int | None,
            strawberry.argument(
                description="How long before a conversion a click may lie, in days of 24 hours; "
                f"exactly so long before counts. 1 to {MAX_CLICK_DAYS}."
            ),
        ] = DEFAULT_CLICK_DAYS,
        view_window_hours: Annotated[
            int | None,
            strawberry.argument(
                description=f"The same for views, in hours. 1 to {MAX_VIEW_HOURS:,}: 90 days."
            ),
        ] = DEFAULT_VIEW_HOURS,
        by: Annotated[
            Dimension | None,
            strawberry.argument(description="What the rows are of: the touch's value of this."),
        ] = Dimension.ITEM,
        filter: Annotated[
            ReportFilter | None,
            strawberry.argument(
                description="Which conversions count. Default: all. Touches are not filtered."
            ),
        ] = None,
        with_impressions: Annotated[
            bool | None,
            strawberry.argument(
                description="Whether impressions are views here too: for sites that do not track views."
            ),
        ] = False,
        limit: Annotated[
            int | None,
            strawberry.argument(
                description=f"How many rows at most, 1 to {MAX_ATTRIBUTION_ROWS:,}, besides the direct "
                "one."
            ),
        ] = DEFAULT_ROWS,
    ) -> Attribution:
        principal = require(info.context.principal, Scope.READ)
        windows = Windows(
            model or AttributionModel.LAST_TOUCH,
            DEFAULT_CLICK_DAYS if click_window_days is None else click_window_days,
            DEFAULT_VIEW_HOURS if view_window_hours is None else view_window_hours,
            bool(with_impressions),
        )
        found = await info.context.get(BehaviourService).attribution(
            principal.site,
            range_request(range),
            windows,
            by=by or Dimension.ITEM,
            wanted=event_filter(filter),
            limit=DEFAULT_ROWS if limit is None else limit,
        )
        return Attribution.of(found)

    @strawberry.field(
        extensions=READ,
        description="Where sessions went from an item or page, or came from. A session visits an item "
        "with a CLICK or PAGE_VIEW that carries it, and a page with a PAGE_VIEW; visits of the same "
        "one in a row are one visit. Each session counts once, with its first visit in the range; "
        "what comes next or before lies in the range as well.",
    )
    async def paths(
        self,
        info: Info,
        item_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The item. Either this or page must be given."),
        ] = None,
        page: Annotated[
            str | None,
            strawberry.argument(
                description="The page's address without query string and fragment, exactly."
            ),
        ] = None,
        range: Range = None,
        direction: Annotated[
            PathDirection | None, strawberry.argument(description="Which way paths are followed.")
        ] = PathDirection.NEXT,
        limit: Annotated[
            int | None,
            strawberry.argument(description=f"How many rows at most, 1 to {MAX_PATHS}."),
        ] = DEFAULT_PATHS,
    ) -> Paths:
        principal = require(info.context.principal, Scope.READ)
        found = await info.context.get(BehaviourService).paths(
            principal.site,
            range_request(range),
            Anchor(item_id, page, direction or PathDirection.NEXT),
            DEFAULT_PATHS if limit is None else limit,
        )
        return Paths.of(found)
