"""Steps 4 and 5: claim the cooldown and write, for all requests that are waiting at once.

One group is under way at a time. Requests that come in meanwhile are the next group, so that a lone
request waits for nobody and many share one round trip. A request is answered when its own events
are durable.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.database import deadline
from app.core.errors import UnavailableError
from app.core.telemetry import GROUP_EVENTS, timed
from app.modules.tracking.dedup import Deduplication, replayed
from app.modules.tracking.events import Candidate, Outcome, Verdict
from app.modules.tracking.touching import Touching
from app.repositories.base import Refused
from app.repositories.events import EventRepository
from app.schemas.event import ORDER_INDEX

MAX_GROUP = 5_000  # events that share one write
# Turns of the event loop. A request that has arrived is in the queue two of them later, and whoever was just
# answered needs about as long to send the next one.
QUIET_TURNS, MAX_TURNS = 4, 100
MAX_WAITING = 50_000  # events that may wait; beyond it the caller is told to try again
DEADLINE_SECONDS = 4.5  # an answer is due within 5 s, even when the database is away
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = (
    0.005,
    0.2,
)  # for an event that is being written elsewhere


@dataclass(slots=True)
class _Waiting:
    site: str
    candidates: Sequence[Candidate]
    done: asyncio.Future[None]

    def give_up(self) -> None:
        if not self.done.done():
            self.done.set_exception(UnavailableError())


class GroupCommit:
    """Writes candidates durably, each exactly once. `start` before use, `stop` writes what waits."""

    def __init__(
        self, events: EventRepository, deduplication: Deduplication, touching: Touching
    ) -> None:
        self._events = events
        self._touching = touching
        self._deduplication = deduplication
        self._queue: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._arrived = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._worker = asyncio.create_task(self._run(), name="group-commit")

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._arrived.set()
        if self._worker is not None:
            await self._worker
            self._worker = None

    async def submit(self, site: str, candidates: Sequence[Candidate]) -> list[Outcome]:
        """The outcomes of the candidates, in their order, once they are durable.

        Raises UnavailableError when that cannot be had in time: then they may or may not be stored,
        and sending them again with the same ids never counts them twice.
        """
        loop = asyncio.get_running_loop()
        deadline_at = loop.time() + DEADLINE_SECONDS
        wait = FIRST_WAIT_SECONDS
        undecided = list(candidates)
        while undecided:
            await self._commit_with_others(site, undecided, deadline_at)
            # What is left was turned away for an event that another process is still writing. It is
            # waited for here, and not in the group: whoever waits must hold up nobody, and two
            # processes that waited with claims in hand could wait for each other.
            undecided = [candidate for candidate in undecided if candidate.outcome is None]
            if undecided:
                if loop.time() + wait > deadline_at:
                    raise UnavailableError(
                        "A write of the same impression has not ended yet. Try again."
                    )
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        return [candidate.outcome for candidate in candidates if candidate.outcome is not None]

    async def _commit_with_others(
        self, site: str, candidates: Sequence[Candidate], deadline_at: float
    ) -> None:
        """Wait until the group that these candidates are put into has been committed."""
        if self._worker is None or self._stopping:
            raise UnavailableError("The server is starting or stopping. Try again.")
        if self._waiting_events + len(candidates) > MAX_WAITING:
            raise UnavailableError("Too many events are waiting to be written. Try again later.")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(site, candidates, loop.create_future())
        self._queue.append(waiting)
        self._waiting_events += len(candidates)
        self._arrived.set()
        give_up = loop.call_at(deadline_at, waiting.give_up)
        try:
            await waiting.done
        finally:
            give_up.cancel()
            waiting.done.cancel()  # where the request itself was given up: nobody waits any more

    async def _run(self) -> None:
        while self._queue or not self._stopping:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            await self._let_come_in()
            group = self._next_group()
            candidates = [candidate for waiting in group for candidate in waiting.candidates]
            failure: Exception | None = None
            try:
                with deadline():
                    await self._commit(group[0].site, candidates)
            except Exception as error:  # every waiting request gets it, whatever it is
                failure = error
            for waiting in group:
                if waiting.done.done():
                    continue  # given up meanwhile
                if failure is None:
                    waiting.done.set_result(None)
                else:
                    waiting.done.set_exception(failure)

    async def _let_come_in(self) -> None:
        """Let the event loop take in what has arrived already: until that brings no more.

        Whoever has just been answered sends the next event while others still are, and all of them
        then share one group, rather than two halves that take turns. Nobody waits for a time to pass.
        """
        quiet = 0
        for _ in range(MAX_TURNS):
            before = self._waiting_events
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._waiting_events == before else 0
            if quiet == QUIET_TURNS or self._waiting_events >= MAX_GROUP:
                return

    def _next_group(self) -> list[_Waiting]:
        """What waits for the first one's site, up to the bound; a request is never split."""
        first = self._queue.popleft()
        group, size = [first], len(first.candidates)
        others: list[_Waiting] = []
        while self._queue and size < MAX_GROUP:
            waiting = self._queue.popleft()
            if waiting.done.done():  # given up meanwhile
                self._waiting_events -= len(waiting.candidates)
            elif waiting.site == first.site:
                group.append(waiting)
                size += len(waiting.candidates)
            else:
                others.append(waiting)
        self._queue.extendleft(reversed(others))
        self._waiting_events -= size
        return group

    async def _commit(self, site: str, candidates: Sequence[Candidate]) -> None:
        """Claim, write and settle one group, so that it ends as if sent one by one, in its order.

        Candidates that are left without an outcome have to be tried again.
        """
        GROUP_EVENTS.observe(len(candidates))
        decided: dict[str, Candidate] = {}
        part: dict[str, Candidate] = {}
        for candidate in candidates:
            if candidate.event_id in part:
                # What became of the id decides what becomes of the second event that has it.
                await self._commit_part(site, list(part.values()))
                decided |= part
                part = {}
            first = decided.get(candidate.event_id)
            if first is None or (first.outcome and first.outcome.verdict is Verdict.DUPLICATE):
                part[candidate.event_id] = candidate
            elif first.outcome is not None:
                candidate.outcome = replayed(candidate, candidate.event_id)
        await self._commit_part(site, list(part.values()))

    async def _commit_part(self, site: str, candidates: Sequence[Candidate]) -> None:
        """Commit candidates of different ids."""
        undecided = candidates
        while undecided:
            with timed("claim"):
                winners = await self._deduplication.claim(site, undecided)
            with timed("mark"):
                await self._touching.touch(site, (winner.at for winner in winners))
            with timed("write"):
                refused = await self._events.insert(site, [winner.document for winner in winners])
            await self._end(site, winners, refused)
            lost = await self._deduplication.settle(site, winners)
            # Who was turned away for a candidate that was refused itself is decided once more.
            undecided = [c for c in undecided if c.outcome and c.outcome.stands_for in lost]
            undecided = [c for c in undecided if c.event_id not in lost]
            for candidate in undecided:
                candidate.outcome = None

    async def _end(
        self, site: str, winners: Sequence[Candidate], refused: Sequence[Refused]
    ) -> None:
        """Give who was written, and who was refused by a unique index, their outcomes."""
        of_orders = [winners[r.place] for r in refused if r.index == ORDER_INDEX]
        holders = await self._events.of_orders(site, [c.document["order"] for c in of_orders])
        for refusal in refused:
            loser = winners[refusal.place]
            if refusal.index == ORDER_INDEX:
                holder = holders.get(loser.document["order"])
                loser.outcome = replayed(loser, holder, "orderId: this order is counted already")
            else:
                loser.outcome = replayed(loser, loser.event_id)
        for winner in winners:
            if winner.outcome is None:
                winner.outcome = Outcome(winner.event_id, Verdict.ACCEPTED)
