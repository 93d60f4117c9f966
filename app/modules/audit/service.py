"""The audit: does what was received add up, and do reports answer what is stored?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.clock import Clock
from app.core.config import Settings
from app.core.errors import BadInputError
from app.core.event_types import EventType
from app.core.ports import ReportTotals
from app.repositories.audits import EventAudit, LedgerAudit
from app.repositories.events import EventRepository

# What each number of a report is, by type of event.
_BY_TYPE = {
    "impressions": EventType.IMPRESSION,
    "views": EventType.VIEW,
    "clicks": EventType.CLICK,
    "conversions": EventType.CONVERSION,
    "bounces": EventType.BOUNCE,
    "pageViews": EventType.PAGE_VIEW,
}
# And by the field whose different values it counts.
_BY_FIELD = {"uniqueVisitors": "visitor", "uniqueUsers": "user", "uniqueSessions": "session"}


@dataclass(frozen=True, slots=True)
class Check:
    """One number, as reports answer it and as it is counted again.

    `error` is the relative standard error that the report states of it.
    """

    name: str
    reported: int
    recounted: int
    error: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether they are the same, or as close as an estimate has to be: four standard errors."""
        return abs(self.reported - self.recounted) <= 4 * self.error * self.recounted


@dataclass(frozen=True, slots=True)
class Ended:
    """How many events ended in one way."""

    verdict: str
    reason: str
    count: int


@dataclass(slots=True)
class Audit:
    """What an audit found for a range of the time that events happened."""

    start: datetime
    end: datetime
    accepted: int
    ended: list[Ended]
    checks: list[Check]
    # What is not a difference of numbers, but should be known.
    notes: list[str] = field(default_factory=list)

    @property
    def duplicates(self) -> int:
        return sum(ended.count for ended in self.ended if ended.verdict == "DUPLICATE")

    @property
    def rejected(self) -> int:
        return sum(ended.count for ended in self.ended if ended.verdict == "REJECTED")

    @property
    def received(self) -> int:
        return self.accepted + self.duplicates + self.rejected

    @property
    def differences(self) -> list[str]:
        return [
            f"{check.name}: reports answer {check.reported}, recounted are {check.recounted}"
            for check in self.checks
            if not check.agrees
        ]


class AuditService:
    """Recounts a site from what is stored."""

    def __init__(
        self,
        events: EventRepository,
        event_audit: EventAudit,
        ledger_audit: LedgerAudit,
        reports: ReportTotals,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._events = events
        self._event_audit = event_audit
        self._ledger_audit = ledger_audit
        self._reports = reports
        self._settings = settings
        self._clock = clock

    async def audit(self, site: str, start: datetime | None, end: datetime | None) -> Audit:
        """Audit a range, start included and end left out; default: everything.

        Raises BadInputError where start is not before end. Events that come in while it runs can
        make it differ; ask for a range that is over.
        """
        until = end or self._clock.now() + timedelta(seconds=self._settings.clock_tolerance + 1)
        begin = start or await self._events.first_at(site) or until - timedelta(days=1)
        begin = min(begin, until - timedelta(days=1)) if start is None else begin
        notes = []
        stored_from = await self._reports.events_since(site, begin, until)
        if start is None and stored_from < until:
            begin = stored_from
        elif stored_from > begin:
            notes.append(
                f"Events before {stored_from:%Y-%m-%d %H:%M} UTC are deleted, and only rolled up: "
                "reports answer them, and nothing is left to recount them from."
            )
        if begin >= until:
            raise BadInputError("must have its start before its end", "range")
        by_type = await self._event_audit.by_type(site, begin, until)
        voided = await self._event_audit.voided(site, begin, until)
        ended = [Ended(*row) for row in await self._ledger_audit.by_reason(site, begin, until)]
        if voided:
            ended.append(Ended("REJECTED", "VOIDED", voided))
        return Audit(
            begin,
            until,
            sum(by_type.values()),
            ended,
            await self._checks(site, begin, until, by_type),
            notes + await self._notes(site, begin, until),
        )

    async def _checks(
        self, site: str, start: datetime, end: datetime, by_type: dict[str, int]
    ) -> list[Check]:
        reported = await self._reports.totals(site, start, end)
        counts = reported.counts
        checks = [Check("events", counts["events"], sum(by_type.values()))]
        for name, kind in _BY_TYPE.items():
            checks.append(Check(name, counts[name], by_type[kind.value]))
        for name, stored in _BY_FIELD.items():
            recounted = await self._event_audit.distinct(site, stored, start, end)
            checks.append(Check(name, counts[name], recounted, reported.distinct_error))
        return checks

    async def _notes(self, site: str, start: datetime, end: datetime) -> list[str]:
        notes = []
        for kinds, seconds in (
            (["IMPRESSION", "VIEW"], self._settings.impression_cooldown),
            (["CLICK"], self._settings.click_cooldown),
        ):
            apart = timedelta(seconds=seconds)
            pairs = await self._event_audit.too_close(site, kinds, apart, start, end)
            if pairs:
                notes.append(
                    f"{pairs} pairs of {' and '.join(kinds)} events of one session and item are less "
                    f"than {seconds:g} s apart; a cooldown that was shorter before explains that."
                )
        missing = await self._ledger_audit.standing_for_nothing(site, start, end)
        if missing:
            notes.append(
                f"{missing} duplicates stand for events that are not stored; deleting old events "
                "explains that."
            )
        return notes
