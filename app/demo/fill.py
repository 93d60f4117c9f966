"""Fills the site demo, through the same `ingest` as everything else."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from app.core.auth import Principal, Scope
from app.core.context import RequestInfo
from app.demo.generator import days_until, events_of_day
from app.demo.items import add_items
from app.demo.size import DemoSize
from app.importing.feed import feed
from app.importing.tally import Tally
from app.main import DEMO_SITE
from app.modules.tracking.events import IncomingEvent
from app.wiring import Services

# The oldest events must not become too old to be kept while the fill is under way.
MARGIN = timedelta(minutes=10)

Advance = Callable[[float, int], None]


class DemoFill:
    """Adds what of the demonstration data is not there yet."""

    def __init__(self, services: Services, size: DemoSize) -> None:
        self._services = services
        self._size = size.within(services.settings.data_retention_days)
        self._principal = Principal(DEMO_SITE, Scope.ADMIN, "demo")
        self.tally = Tally()

    async def run(self, advance: Advance = lambda share, events: None) -> None:
        """Make the site, its items and its events; `self.tally` has the counts.

        `advance` is told which share is done, and how many events that is. Running it again adds
        only what is new since; an interrupted run can be completed so.
        """
        sites = self._services.sites
        await sites.ensure_site(DEMO_SITE, "Demonstration")
        now = self._services.clock.now()
        await add_items(self._services.items, DEMO_SITE, now)

        async def send(batch: Sequence[IncomingEvent]) -> None:
            outcomes = await self._services.tracking.ingest(batch, self._principal, RequestInfo())
            for outcome in outcomes:
                self.tally.count(outcome)
            last = batch[-1].timestamp or now
            passed = 1 - (now - last) / timedelta(days=self._size.days)
            advance(min(1, max(0, passed)), self.tally.total)

        await feed(self._events(now), send)
        await sites.mark_demo_filled(DEMO_SITE)

    def _events(self, now: datetime) -> Iterator[IncomingEvent]:
        size = self._size
        first = now - timedelta(days=size.days) + MARGIN
        for day in days_until(now, size.days):
            for event in events_of_day(size.seed, day, size.events_a_day):
                if event.timestamp is not None and first <= event.timestamp <= now:
                    yield event
