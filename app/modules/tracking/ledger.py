"""The ledger: what was not counted and why; releasing what was rejected, voiding what was counted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from uuid_utils import uuid7

from app.core.admin_actions import note_change, note_target
from app.core.clock import Clock
from app.core.errors import BadInputError, ConflictError, NotFoundError
from app.core.ports import SiteSettings
from app.core.texts import check_id
from app.modules.tracking.commit import GroupCommit
from app.modules.tracking.events import Outcome, Verdict
from app.modules.tracking.preparation import Preparation
from app.modules.tracking.touching import Touching
from app.repositories.decisions import DecisionCount, DecisionRepository, LedgerFilter
from app.repositories.events import EventRepository, VoidFilter
from app.schemas import Decision

MAX_PAGE = 500
MAX_VOIDED_IDS = 1_000
_CURSOR = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class EventState(StrEnum):
    """What an event id stands for now."""

    COUNTED = "COUNTED"
    VOIDED = "VOIDED"
    NOT_COUNTED = "NOT_COUNTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an event counts or does not."""

    event_id: str
    state: EventState
    # The stored event, where there is one.
    event: dict[str, Any] | None
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True)
class Page:
    """Decisions, and the cursor of the next page."""

    decisions: Sequence[Decision]
    next_cursor: str | None


class LedgerService:
    """Answers why, and corrects."""

    def __init__(
        self,
        decisions: DecisionRepository,
        events: EventRepository,
        preparation: Preparation,
        commit: GroupCommit,
        touching: Touching,
        sites: SiteSettings,
        clock: Clock,
    ) -> None:
        self._decisions = decisions
        self._events = events
        self._preparation = preparation
        self._commit = commit
        self._touching = touching
        self._sites = sites
        self._clock = clock

    async def page(
        self, site: str, ledger_filter: LedgerFilter, limit: int, cursor: str | None
    ) -> Page:
        """A page of decisions, newest first. Raises BadInputError for a limit or cursor that is none."""
        if not 1 <= limit <= MAX_PAGE:
            raise BadInputError(f"must be from 1 to {MAX_PAGE}", "limit")
        if cursor is not None and not _CURSOR.fullmatch(cursor):
            raise BadInputError("must be a nextCursor that was answered before", "after")
        found = await self._decisions.newest(site, ledger_filter, limit + 1, cursor)
        page = found[:limit]
        return Page(page, page[-1].id if len(found) > limit else None)

    async def counts(
        self, site: str, ledger_filter: LedgerFilter, unit: str
    ) -> list[DecisionCount]:
        """Decisions by reason over time; `unit` is "hour" or "day"."""
        return await self._decisions.count_by_reason(site, ledger_filter, unit)

    async def explain(self, site: str, event_id: str) -> Explanation:
        """What became of an event id, and why. Raises BadInputError for what no event can have."""
        check_id(event_id, "eventId")
        event = await self._events.get(site, event_id)
        decisions = await self._decisions.of_event(site, event_id)
        if event is not None:
            state = EventState.VOIDED if "void" in event else EventState.COUNTED
        else:
            state = EventState.NOT_COUNTED if decisions else EventState.UNKNOWN
        return Explanation(event_id, state, event, decisions)

    async def release(self, site: str, event_id: str) -> Outcome:
        """Count a rejected event from now on: once, and held to the cooldown like any other.

        Raises NotFoundError where the ledger has no rejection of it that can be released, and
        ConflictError where it is counted already.
        """
        check_id(event_id, "eventId")
        decisions = await self._decisions.of_event(site, event_id)
        releasable = [d for d in decisions if d.document is not None]
        if not releasable:
            raise NotFoundError(
                "There is no rejected event of this id that can be released; what is INVALID or "
                "older than the ledger cannot be.",
                "eventId",
            )
        decision = releasable[-1]
        if decision.released_at is not None:
            raise ConflictError("This event was released already.", "eventId")
        note_target(event_id)
        document = dict(decision.document or {})
        rules = await self._sites.get(site)
        candidate = self._preparation.candidate_of(site, event_id, document, rules)
        [outcome] = await self._commit.submit(site, [candidate])
        if outcome.verdict is Verdict.ACCEPTED:
            await self._decisions.mark_released(site, decision.id, self._clock.now())
        return outcome

    async def void(self, site: str, void_filter: VoidFilter, why: str) -> tuple[str, int]:
        """Stop counting accepted events; the id of this void, with which it is undone, and how many."""
        if not why.strip() or len(why) > 500 or not why.isprintable():
            raise BadInputError("must have 1 to 500 printable characters", "reason")
        if void_filter.is_open():
            raise BadInputError("needs event ids or at least one other condition", "filter")
        if void_filter.events is not None and not 1 <= len(void_filter.events) <= MAX_VOIDED_IDS:
            raise BadInputError(f"must have 1 to {MAX_VOIDED_IDS} ids", "filter.eventIds")
        for event_id in void_filter.events or ():
            check_id(event_id, "filter.eventIds")
        void_id = str(uuid7())
        voided = 0
        for quarter in await self._events.quarters_to_void(site, void_filter):
            await self._touching.touch(site, [quarter])
            voided += await self._events.void(
                site, quarter, void_filter, void_id, why, self._clock.now()
            )
        note_target(void_id)
        note_change("voided", None, voided)
        return void_id, voided

    async def undo_void(self, site: str, void_id: str) -> int:
        """Count again what a void withdrew; how many. Raises NotFoundError where there is nothing."""
        check_id(void_id, "voidId")
        restored = 0
        for quarter in await self._events.quarters_of_void(site, void_id):
            await self._touching.touch(site, [quarter])
            restored += await self._events.undo_void(site, quarter, void_id)
        if not restored:
            raise NotFoundError("There is no void of this id that withdrew anything.", "voidId")
        note_target(void_id)
        note_change("restored", None, restored)
        return restored
