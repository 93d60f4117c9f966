"""The numbers of items as other modules ask for them."""

from collections.abc import Sequence
from typing import Any

from app.modules.analytics.inputs import range_request
from app.modules.analytics.service import ALL_PARTS, AnalyticsService
from app.modules.analytics.types import ItemAnalytics


class AnalyticsOfItems:
    """The ItemReports of core/ports.py."""

    def __init__(self, analytics: AnalyticsService) -> None:
        self._analytics = analytics

    async def for_items(
        self,
        site: str,
        item_ids: Sequence[str],
        range: Any,  # noqa: A002  # the contract's word
    ) -> dict[str, Any]:
        """The numbers of every one of these items, by id; zeros for those without events."""
        counted = await self._analytics.of_items(site, range_request(range), item_ids, ALL_PARTS)
        return {item: ItemAnalytics.of(item, of_item) for item, of_item in counted.items()}
