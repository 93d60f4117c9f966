"""Ranges of other modules."""

from datetime import datetime

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.inputs import RangeInput, range_request
from app.modules.analytics.ranges import EARLIEST, Edges
from app.modules.analytics.site_ranges import SiteRanges


class ResolvedRanges:
    """The Ranges of core/ports.py. ALL is everything until now."""

    def __init__(self, sites: SiteSettings, settings: Settings, clock: Clock) -> None:
        self._ranges = SiteRanges(sites, settings, clock, self._everything)

    async def resolve(
        self,
        site: str,
        range: RangeInput | None,  # noqa: A002
    ) -> tuple[datetime, datetime]:
        found = (await self._ranges.of(site, range_request(range))).time_range
        return found.start, found.end

    async def _everything(self, _site: str) -> Edges:
        return Edges(EARLIEST, self._ranges.now())
