"""The totals of a range as other modules ask for them."""

from datetime import datetime

from app.core.ports import RangeTotals
from app.modules.analytics.query import ANY_EVENT
from app.modules.analytics.ranges import RangeRequest
from app.modules.analytics.rollups.distinct import STANDARD_ERROR
from app.modules.analytics.service import ALL_PARTS, AnalyticsService


class TotalsOfRange:
    """The ReportTotals of core/ports.py."""

    def __init__(self, analytics: AnalyticsService) -> None:
        self._analytics = analytics

    async def totals(self, site: str, start: datetime, end: datetime) -> RangeTotals:
        asked = RangeRequest(start=start, end=end)
        measures = (await self._analytics.totals(site, asked, ANY_EVENT, ALL_PARTS)).measures
        counts = {
            "events": measures.events,
            "impressions": measures.impressions,
            "views": measures.views,
            "clicks": measures.clicks,
            "conversions": measures.conversions,
            "bounces": measures.bounces,
            "pageViews": measures.page_views,
            "uniqueVisitors": measures.visitors or 0,
            "uniqueUsers": measures.users or 0,
            "uniqueSessions": measures.sessions or 0,
        }
        return RangeTotals(counts, 0.0 if measures.exact else STANDARD_ERROR)

    async def events_since(self, site: str, start: datetime, end: datetime) -> datetime:
        return await self._analytics.events_since(site, start, end)
