"""The query of the performance score."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.errors import BadInputError
from app.core.permissions import READ
from app.core.texts import check_id
from app.modules.analytics.inputs import Range, range_request
from app.modules.analytics.measures import Part
from app.modules.analytics.query import Condition, Dimension, EventFilter
from app.modules.analytics.score.types import PerformanceScore
from app.modules.analytics.service import AnalyticsService

PARTS = frozenset({Part.COUNTS, Part.SESSIONS})


@strawberry.type
class PerformanceScoreQuery:
    @strawberry.field(
        extensions=READ,
        description="How well an item or a campaign does, as one number from 0 to 100, with what it is "
        "made of. Exactly one of itemId and campaignId is needed.",
    )
    async def performance_score(
        self,
        info: Info,
        item_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The item: the score is of the events that carry it."),
        ] = None,
        campaign_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The campaign: the score is of the events that carry it."
            ),
        ] = None,
        range: Range = None,
    ) -> PerformanceScore:
        principal = require(info.context.principal, Scope.READ)
        counted = await info.context.get(AnalyticsService).totals(
            principal.site, range_request(range), _events_of(item_id, campaign_id), PARTS
        )
        return PerformanceScore.of(item_id, campaign_id, counted.measures)


def _events_of(item: str | None, campaign: str | None) -> EventFilter:
    """The events of the item or of the campaign. Raises BadInputError unless it is one of the two."""
    if item is not None and campaign is None:
        return EventFilter(items=(check_id(item, "itemId"),))
    if campaign is not None and item is None:
        campaign = check_id(campaign, "campaignId")
        return EventFilter(where=(Condition(Dimension.CAMPAIGN, (campaign,)),))
    raise BadInputError("must be given, or else campaignId, and not both", "itemId")
