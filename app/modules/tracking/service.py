"""`ingest`: the one way in for events, from a mutation, an import or a search."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from uuid_utils import uuid7

from app.core.auth import Principal
from app.core.clock import Clock
from app.core.config import Settings
from app.core.context import RequestInfo
from app.core.database import deadline
from app.core.errors import BadInputError, FootfallError
from app.core.failures import log_failure
from app.core.ports import SiteSettings, check_in_use
from app.core.telemetry import StepTimes, count_endings, timed
from app.modules.tracking.clock_skew import clock_skew
from app.modules.tracking.commit import DEADLINE_SECONDS, GroupCommit
from app.modules.tracking.events import (
    Batch,
    Candidate,
    IncomingEvent,
    Outcome,
    Reason,
    Verdict,
)
from app.modules.tracking.identity import SaltOfTheDay
from app.modules.tracking.item_tokens.service import ItemTokens
from app.modules.tracking.preparation import Arrival, Preparation
from app.repositories.decisions import DecisionRepository, hashed_event_id

logger = logging.getLogger("footfall.tracking")

MAX_BATCH = 1_000
LONGEST_TURN_SECONDS = 0.02  # of preparing events, before other requests have theirs
MAX_BACKGROUND = 1_000  # calls of track_soon that may be under way
RULE_VERSION = 1
NO_BATCH = Batch()


class TrackingService:
    """Takes events in and says what became of each."""

    def __init__(
        self,
        preparation: Preparation,
        commit: GroupCommit,
        salt: SaltOfTheDay,
        item_tokens: ItemTokens,
        decisions: DecisionRepository,
        sites: SiteSettings,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._sites = sites
        self._preparation = preparation
        self._commit = commit
        self._salt = salt
        self._item_tokens = item_tokens
        self._decisions = decisions
        self._settings = settings
        self._clock = clock
        self._background: set[asyncio.Task[None]] = set()

    async def ingest(
        self,
        events: Sequence[IncomingEvent],
        principal: Principal,
        request: RequestInfo,
        batch: Batch = NO_BATCH,
    ) -> list[Outcome]:
        """Validate, screen, enrich, claim and write; one outcome for each event, in their order.

        ACCEPTED means durably stored. Raises UnavailableError when the database is away, and
        ForbiddenError where the site is archived: then no verdict has been given on any of them.
        """
        with deadline(DEADLINE_SECONDS):  # what the group commit asks has its own
            now = self._clock.now()
            rules = await self._sites.get(principal.site)
            check_in_use(rules)
            arrival = Arrival(
                site=principal.site,
                rules=rules,
                key=principal.key_id,
                key_rate=principal.rate_limit,
                request=request,
                now=now,
                salt=await self._salt.get(now),
                batch=batch.id,
                skew=clock_skew(batch.sent_at, now),
                item_tokens=await self._item_tokens.check_for(principal, rules),
            )
            times = StepTimes()
            prepared = await self._prepare(events, arrival, times)
            times.publish()
            candidates = [entry for entry in prepared if isinstance(entry, Candidate)]
            written = iter(await self._commit.submit(principal.site, candidates))
            outcomes = [next(written) if isinstance(p, Candidate) else p for p in prepared]
            if any(outcome.verdict is not Verdict.ACCEPTED for outcome in outcomes):
                with timed("answer"):
                    await self._record(events, outcomes, arrival)
            count_endings(Counter((o.verdict.value, o.reason or "") for o in outcomes))
            return outcomes

    async def _prepare(
        self, events: Sequence[IncomingEvent], arrival: Arrival, times: StepTimes
    ) -> list[Candidate | Outcome]:
        """Each event prepared; other requests go on in between, however long all of them take."""
        prepared = []
        began = time.monotonic()
        for event in events:
            prepared.append(self._preparation.prepare(event, arrival, times))
            if time.monotonic() - began > LONGEST_TURN_SECONDS:
                await asyncio.sleep(0)
                began = time.monotonic()
        return prepared

    def sweep(self) -> None:
        """Forget what is only for a time that is over."""
        self._salt.sweep(self._clock.now())

    def track_soon(
        self, events: Sequence[IncomingEvent], principal: Principal, request: RequestInfo
    ) -> None:
        """Ingest without being waited for: for answers that tracking must not delay or fail."""
        if len(self._background) >= MAX_BACKGROUND:
            logger.warning("%d events of an answer were not tracked: too many wait", len(events))
            return
        task = asyncio.create_task(self._ingest_quietly(events, principal, request))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def finish_background(self) -> None:
        """Wait for what `track_soon` has begun."""
        await asyncio.gather(*self._background)

    async def _ingest_quietly(
        self, events: Sequence[IncomingEvent], principal: Principal, request: RequestInfo
    ) -> None:
        try:
            await self.ingest(events, principal, request)
        except FootfallError as error:
            logger.warning("%d events of an answer were not tracked: %s", len(events), error)
        except Exception as error:
            log_failure(logger, f"{len(events)} events of an answer were not tracked", error)

    async def _record(
        self, events: Sequence[IncomingEvent], outcomes: Sequence[Outcome], arrival: Arrival
    ) -> None:
        """Write what was not counted into the ledger."""
        decisions = [
            _decision(event, outcome, arrival)
            for event, outcome in zip(events, outcomes, strict=True)
            if outcome.verdict is not Verdict.ACCEPTED
        ]
        await self._decisions.insert(arrival.site, decisions)


def _decision(event: IncomingEvent, outcome: Outcome, arrival: Arrival) -> dict[str, Any]:
    decision: dict[str, Any] = {
        "_id": str(uuid7()),
        "site": arrival.site,
        "event": outcome.event_id,
        "type": event.type.value,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason.value if outcome.reason else None,
        "message": outcome.message,
        "stands_for": outcome.stands_for,
        "rule": outcome.reason.value.lower() if outcome.reason else None,
        "rule_version": RULE_VERSION,
        "received_at": arrival.now,
    }
    if outcome.document is not None:
        decision["document"] = outcome.document
    if outcome.reason in (Reason.INVALID, Reason.NO_CONSENT):  # of these nothing is kept
        decision["event"] = hashed_event_id(arrival.site, outcome.event_id)
    else:
        decision["item"] = event.item_id
        decision["session"] = event.session_id
        decision["visitor"] = event.visitor_id
        decision["user"] = event.user_id
        decision["at"] = event.timestamp or arrival.now
    return {name: value for name, value in decision.items() if value is not None}


def check_batch_size(count: int) -> None:
    """Raises BadInputError unless a batch has 1 to 1,000 events."""
    if not 1 <= count <= MAX_BATCH:
        raise BadInputError(f"must have 1 to {MAX_BATCH} events", "input.events")
