"""The range, the time zone and the site's rules that a request stands for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteRules, SiteSettings
from app.modules.analytics.ranges import Edges, Moment, RangeRequest, TimeRange, resolve
from app.modules.analytics.zones import zone_named


@dataclass(frozen=True, slots=True)
class SiteRange:
    """A range of a site's time, and what the site says where the request says nothing."""

    time_range: TimeRange
    zone: ZoneInfo
    rules: SiteRules


class SiteRanges:
    """Resolves ranges. `edges` finds when the first and the last of what is counted happened."""

    def __init__(
        self,
        sites: SiteSettings,
        settings: Settings,
        clock: Clock,
        edges: Callable[[str], Awaitable[Edges]],
    ) -> None:
        self._sites = sites
        self._clock = clock
        self._tolerance = timedelta(seconds=settings.clock_tolerance)
        self._edges = edges

    async def of(self, site: str, asked: RangeRequest, timezone: str | None = None) -> SiteRange:
        """The range, by the calendar of this time zone or the site's. Raises BadInputError."""
        rules = await self._sites.get(site)
        zone = zone_named(rules.timezone if timezone is None else timezone)
        edges = await self._edges(site) if asked.needs_edges else Edges()
        moment = Moment(self.now(), self._tolerance, zone)
        return SiteRange(resolve(asked, moment, edges), zone, rules)

    def now(self) -> datetime:
        return self._clock.now()

    @property
    def latest(self) -> datetime:
        """The instant before which every accepted event lies."""
        return self.now() + self._tolerance + timedelta(milliseconds=1)
