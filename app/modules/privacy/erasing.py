"""Erasing a visitor or user: everything that names them goes, and reports are what is left.

The request is recorded first. Each step removes a portion in a transaction with a note of what it
removed; what follows from it is done again where a crash came in between. So an erasure that was begun
ends, by the call that asked for it or by any process later (`ErasureService.run`).
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from uuid_utils import uuid7

from app.core.admin_actions import target_of_person
from app.core.background import again_and_again
from app.core.clock import Clock
from app.core.errors import BadInputError, NotFoundError, UnavailableError
from app.core.ports import ComputedOfEvents
from app.core.quarters import quarter_of
from app.core.subjects import Subject, SubjectKind
from app.repositories.admin_actions import AdminActionRepository
from app.repositories.base import Raw, Snapshot
from app.repositories.decisions import DecisionRepository
from app.repositories.erasures import ErasureRepository
from app.repositories.personal_data import DECISIONS, EVENTS, SESSIONS, PersonalData
from app.repositories.session_items import SessionItemRepository, claim_key
from app.schemas import Erasure

logger = logging.getLogger("footfall.privacy")

PORTION = 1_000
# How long an erasure waits for a roll-up to end, before it is left for later.
PATIENCE = timedelta(seconds=15)
# How long the caller waits for it. Then it goes on without them.
ANSWER_AFTER = timedelta(seconds=20)
MAX_LISTED = 500
# Of events that were deleted before, and known from what was computed of them alone.
GONE_EVENTS = "gone_events"

GoOn = Callable[[], Awaitable[None]]


def digest_of(subject: Subject, proof: str) -> str:
    """What a receipt keeps of an id: HMAC-SHA256, hex, of `visitor:ID` or `user:ID` with the proof as key."""
    return hmac.new(
        proof.encode(), f"{subject.kind.value}:{subject.id}".encode(), hashlib.sha256
    ).hexdigest()


class ErasureService:
    """Erases, and remembers that it did without remembering whom."""

    def __init__(
        self,
        erasures: ErasureRepository,
        data: Mapping[str, PersonalData[Any]],
        claims: SessionItemRepository,
        ledger: DecisionRepository,
        actions: AdminActionRepository,
        computed: ComputedOfEvents,
        clock: Clock,
    ) -> None:
        self._erasures = erasures
        self._data = data
        self._claims = claims
        self._ledger = ledger
        self._actions = actions
        self._computed = computed
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    async def erase(self, site: str, subject: Subject) -> tuple[Erasure, str]:
        """Erase all that is stored of them now; the receipt, and the proof that is nowhere stored.

        Where that takes longer than ANSWER_AFTER, or a roll-up is under way for longer than PATIENCE, the
        receipt is not finished yet: another look at it tells when it is.
        """
        proof = secrets.token_hex(32)
        erasure = Erasure(
            id=str(uuid7()),
            site=site,
            kind=subject.kind.value,
            digest=digest_of(subject, proof),
            requested_at=self._clock.now(),
            # Counted now: while events go, some portion after the other, sessions are derived anew.
            removed={SESSIONS: await self._data[SESSIONS].count(site, subject)},
            subject=subject.id,
        )
        await self._erasures.begin(site, erasure)
        work = asyncio.create_task(self._carry_out(erasure))
        self._under_way.add(work)
        work.add_done_callback(self._ended)
        done, _ = await asyncio.wait({work}, timeout=ANSWER_AFTER.total_seconds())
        with suppress(UnavailableError):
            for ended in done:
                ended.result()
        return await self.receipt(site, erasure.id), proof

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._under_way.discard(work)
        if not work.cancelled() and (error := work.exception()):
            logger.warning("an erasure has not ended and goes on later: %s", type(error).__name__)

    async def stop(self) -> None:
        """End what is under way. It is finished by whoever runs next."""
        for work in self._under_way:
            work.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def receipt(self, site: str, erasure_id: str) -> Erasure:
        """The erasure of this id. Raises NotFoundError."""
        found = await self._erasures.get(site, erasure_id)
        if found is None:
            raise NotFoundError("There is no erasure of this id.", "receiptId")
        return found

    async def newest(self, site: str, limit: int) -> list[Erasure]:
        """Erasures of the site, newest first. Raises BadInputError for a limit that is none."""
        if not 1 <= limit <= MAX_LISTED:
            raise BadInputError(f"must be from 1 to {MAX_LISTED}", "limit")
        return await self._erasures.newest(site, limit)

    async def run(self, every_seconds: float) -> None:
        """Carry out what was begun and has not ended, again and again, until cancelled."""
        await again_and_again("erasing", self.finish_all, every_seconds, logger, UnavailableError)

    async def finish_all(self) -> int:
        """Carry out all erasures, of any site, that were begun and have not ended; how many."""
        found = await self._erasures.unfinished()
        for erasure in found:
            await self._carry_out(erasure)
        return len(found)

    async def _carry_out(self, erasure: Erasure) -> None:
        site = erasure.site
        async with self._computed.alone(PATIENCE) as go_on:
            # Another process may have been at it meanwhile, or this one before it crashed.
            current = await self._erasures.get(site, erasure.id)
            if current is None or current.subject is None:
                return
            subject = Subject(SubjectKind(current.kind), current.subject)
            await self._computed.forget_sessions(site, current.sessions)
            for kind in self._data:
                await self._erase_documents(erasure, subject, kind, go_on)
            await self._forget_actions(site, subject)
            current = await self.receipt(site, erasure.id)
            gone = await self._computed.forget(site, subject, current.quarters, go_on)
            await self._erasures.note(site, erasure.id, {GONE_EVENTS: gone})
            await self._erasures.finish(site, erasure.id, self._clock.now())

    async def _erase_documents(
        self, erasure: Erasure, subject: Subject, kind: str, go_on: GoOn
    ) -> None:
        """Erase all documents of a kind, some at a time, and make right what they were counted in.

        The quarters of an hour are left to `forget`.
        """
        site, after = erasure.site, None
        while found := await self._data[kind].page(site, subject, PORTION, after):
            await go_on()
            quarters: set[datetime] = set()
            if kind == EVENTS:
                quarters = {quarter_of(event["at"]) for event in found}
                await self._computed.mark(site, quarters)
                await self._claims.forget(site, [_claim_of(site, event) for event in found])
            if kind != SESSIONS:
                await self._forget_event_ids(site, [_event_id_of(site, each) for each in found])
            sessions = [] if kind == DECISIONS else sorted({one["session"] for one in found})
            await self._delete(erasure, subject, kind, found, quarters, sessions)
            await self._computed.forget_sessions(site, sessions)
            after = found[-1]["_id"]

    async def _forget_event_ids(self, site: str, events: Sequence[str]) -> None:
        """Take the ids of their events, which may be made of theirs, out of what is kept of others."""
        await self._ledger.forget_events(site, events)
        await self._actions.forget_events(site, events)

    async def _delete(
        self,
        erasure: Erasure,
        subject: Subject,
        kind: str,
        documents: Sequence[Raw],
        quarters: Collection[datetime],
        sessions: Sequence[str],
    ) -> None:
        """Delete documents, with a note of how many and of what is to follow."""
        site, source = erasure.site, self._data[kind]

        async def in_transaction(snapshot: Snapshot) -> None:
            ids = [document["_id"] for document in documents]
            number = await source.delete(site, subject, ids, snapshot)
            await self._erasures.note(
                site,
                erasure.id,
                {kind: 0 if kind == SESSIONS else number},
                quarters=quarters,
                sessions=sessions,
                snapshot=snapshot,
            )

        await source.in_transaction(in_transaction)

    async def _forget_actions(self, site: str, subject: Subject) -> None:
        """The log of admin actions has salted hashes of whom actions were about: theirs go."""
        kind = subject.kind.value
        theirs = [
            action
            async for action, target in self._actions.targets_of(site, kind)
            if target == target_of_person(action, kind, subject.id)
        ]
        await self._actions.forget_targets(site, theirs)


def _claim_of(site: str, event: Raw) -> tuple[str, str]:
    """The key of the claim that an event may hold, and its id."""
    key = claim_key(site, event["type"], event["session"], event.get("item", ""))
    return key, _event_id_of(site, event)


def _event_id_of(site: str, document: Raw) -> str:
    """The caller's id of an event, or of the event that a decision is on."""
    event_id: str = document.get("event") or document["_id"].removeprefix(f"{site}:")
    return event_id
