"""Data quality: whether what was tracked can be relied on, and what to do where it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import SiteSettings
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.quality import pipelines
from app.modules.analytics.quality.checks import Check, Tally, checks
from app.modules.analytics.queries import Queries
from app.modules.analytics.ranges import RangeRequest, TimeRange
from app.modules.analytics.runner import Run, Runner
from app.repositories.events import EventRepository
from app.repositories.quality import Happened, LedgerQuality, WithdrawnEvents

AT_ONCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class OverclickedItem:
    """An item with more clicks than impressions."""

    item: str
    impressions: int
    clicks: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Every check of a range, and the items with the most clicks beyond their impressions."""

    time_range: TimeRange
    checks: Sequence[Check]
    overclicked: Sequence[OverclickedItem]
    as_of: datetime


class QualityService:
    """Answers from the raw events and the ledger of a site, each answer of one instant."""

    def __init__(
        self,
        events: EventRepository,
        ledger: LedgerQuality,
        withdrawn: WithdrawnEvents,
        sites: SiteSettings,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._queries = Queries(events, sites, settings, clock)
        self._runner = Runner(events, settings.report_timeout)
        self._ledger = ledger
        self._withdrawn = withdrawn
        self._ahead = timedelta(seconds=settings.clock_tolerance)
        self._ledger_kept = timedelta(days=settings.ledger_retention_days)

    async def quality(self, site: str, asked: RangeRequest) -> Quality:
        """Raises LimitExceededError when it takes too long."""
        time_range = (await self._queries.query(site, asked)).time_range
        as_of = self._queries.now()
        since = self._ledger_since(time_range, as_of)
        async with self._runner.run(site) as run:
            counted: dict[str, Any] = {
                **await _first(run, pipelines.events(time_range, since)),
                **await _first(run, pipelines.page_views(time_range)),
            }
            [items] = await run.aggregate(pipelines.clicked_items(time_range))
            counted |= _numbers(*items["counts"])
            happened = Happened(since, time_range.end, self._ahead)
            counted |= await self._of_the_ledger(site, run, happened)
        overclicked = [
            OverclickedItem(row["_id"], row["impressions"], row["clicks"]) for row in items["most"]
        ]
        found = checks(Tally(**counted), time_range.start, since)
        return Quality(time_range, found, overclicked, as_of)

    def _ledger_since(self, time_range: TimeRange, now: datetime) -> datetime:
        """From when on every decision on the events of the range is still there."""
        kept = now - self._ledger_kept + self._ahead
        return min(max(time_range.start, kept), time_range.end)

    async def _of_the_ledger(self, site: str, run: Run, happened: Happened) -> dict[str, Any]:
        not_counted = await run.ask(
            lambda snapshot, seconds: self._ledger.by_reason(
                site, happened, snapshot=snapshot, max_seconds=seconds
            )
        )
        withdrawn = await run.ask(
            lambda snapshot, seconds: self._withdrawn.count(
                site, happened, snapshot=snapshot, max_seconds=seconds
            )
        )
        repeats = await run.ask(
            lambda snapshot, seconds: self._ledger.repeats_within(
                site,
                happened,
                [each.value for each in pipelines.SHOWING],
                AT_ONCE,
                snapshot=snapshot,
                max_seconds=seconds,
            )
        )
        if withdrawn:
            not_counted["VOIDED"] = withdrawn
        return {"not_counted": not_counted, "repeats": repeats}


async def _first(run: Run, stages: Sequence[Stage]) -> dict[str, int]:
    """The numbers of the one document that is found, or none."""
    return _numbers(*await run.aggregate(stages))


def _numbers(*found: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(n) for row in found for name, n in row.items() if name != "_id"}
