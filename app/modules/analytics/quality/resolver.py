"""The query of data quality."""

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import READ
from app.core.ports import ItemDirectory
from app.modules.analytics.inputs import Range, range_request
from app.modules.analytics.quality.service import QualityService
from app.modules.analytics.quality.types import DataQuality
from app.modules.analytics.selection import selected


@strawberry.type
class QualityQuery:
    @strawberry.field(
        extensions=READ,
        description="Whether what was tracked in a range can be relied on: what is missing, doubled or "
        "off, with a finding in words that says what to do.",
    )
    async def data_quality(self, info: Info, range: Range = None) -> DataQuality:
        principal = require(info.context.principal, Scope.READ)
        quality = await info.context.get(QualityService).quality(
            principal.site, range_request(range)
        )
        items = {}
        if quality.overclicked and "item" in selected(info, "overclickedItems"):
            directory = info.context.get(ItemDirectory)
            items = await directory.by_ids(
                principal.site, [each.item for each in quality.overclicked]
            )
        return DataQuality.of(quality, items)
