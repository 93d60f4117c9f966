"""Step 4: one impression, view or click of an item in a session within the cooldown.

The in-memory cache answers the common repeat without the database. The truth is the session-item
index, claimed atomically. A claim is worth only as much as its event: before an event is turned
away for another's claim, that other event has been seen in the database.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cachetools import TTLCache

from app.core.clock import Clock
from app.modules.tracking.events import Candidate, Outcome, Reason, Verdict
from app.repositories.events import EventRepository, StoredEvent
from app.repositories.session_items import (
    CLAIM_LIFETIME,
    ClaimRequest,
    Correction,
    Holder,
    SessionItemRepository,
)

CACHE_SIZE = 100_000
REMEMBERED = 8  # accepted events of one key
# Claims are gone after their lifetime; older events are compared with the stored ones instead.
LATE_AFTER = CLAIM_LIFETIME - timedelta(hours=1)


class Deduplication:
    """Decides which candidates hold the cooldown of their session and item."""

    def __init__(
        self,
        claims: SessionItemRepository,
        events: EventRepository,
        clock: Clock,
        cache_seconds: float,
    ) -> None:
        self._claims = claims
        self._events = events
        self._clock = clock
        # Claim key -> what was accepted lately: when, and which event.
        self._accepted: TTLCache[str, list[tuple[datetime, str]]] = TTLCache(
            CACHE_SIZE, max(cache_seconds, 1)
        )

    async def claim(self, site: str, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those candidates that hold their claim, or need none. Those that lost have their outcome.

        A candidate that has neither lost to an event that another process is writing at this moment:
        only when that event is stored, or will never be, can it be decided.

        Where something speaks for a repeat it is looked up first whether the event itself is stored,
        because that is the reason then. Where nothing does, the write will tell.
        """
        now = self._clock.now()
        contenders = [c for c in candidates if c.claim_key is not None]
        known = [(c, repeat) for c in contenders if (repeat := self._known_repeat(c)) is not None]
        late = [c for c in contenders if c.at < now - LATE_AFTER]
        await self.end_replays(site, [*(c for c, _ in known), *late])
        for candidate, (at, event_id) in known:
            if candidate.outcome is None:
                candidate.outcome = _cooldown(candidate, at, event_id)
        await self._compare_with_stored(site, [c for c in late if c.outcome is None])
        contenders = [candidate for candidate in contenders if candidate.outcome is None]
        lost = await self._lost(site, contenders, now)
        here = {_claim_of(c) for c in contenders if c.outcome is None}
        here -= {_claim_of(c) for c, _ in lost}
        elsewhere = []
        for candidate, holder in lost:
            if (candidate.claim_key, holder.event) in here:
                candidate.outcome = _cooldown(candidate, holder.at, holder.event)
            else:
                elsewhere.append((candidate, holder))
        unsure = await self._compare_with_holders(site, elsewhere)
        return [c for c in candidates if c.outcome is None and c.event_id not in unsure]

    async def end_replays(self, site: str, candidates: Sequence[Candidate]) -> None:
        """End those of these events whose id is stored."""
        stored = await self._events.stored(
            site, [c.event_id for c in candidates if c.id_is_callers]
        )
        for candidate in candidates:
            if candidate.event_id in stored:
                candidate.outcome = replayed(candidate, candidate.event_id)

    async def settle(self, site: str, winners: Sequence[Candidate]) -> set[str]:
        """After the write: remember what was accepted, mend the claims of what was refused.

        A refused one's id was stored meanwhile by another process, maybe as another event: the ids
        of those, whose claims stood for nothing, are returned.
        """
        refused = []
        for winner in winners:
            if winner.claim_key is None or winner.outcome is None:
                continue
            if winner.outcome.verdict is Verdict.ACCEPTED:
                earlier = self._accepted.get(winner.claim_key, [])[-REMEMBERED + 1 :]
                self._accepted[winner.claim_key] = [*earlier, (winner.at, winner.event_id)]
            else:
                refused.append(winner)
        return await self._mend_claims(site, refused)

    def sweep(self) -> None:
        """Drop what has expired from the cache."""
        self._accepted.expire()

    async def _mend_claims(self, site: str, refused: Sequence[Candidate]) -> set[str]:
        """Make the claims what is stored; the ids of those that are stored as something else."""
        stored = await self._events.stored(site, [loser.event_id for loser in refused])
        corrections, stand_for_nothing = [], set()
        for loser in refused:
            event = stored.get(loser.event_id)
            at = event.at if event is not None and event.claim_key == loser.claim_key else None
            if at != loser.at:
                stand_for_nothing.add(loser.event_id)
            corrections.append(Correction(loser.claim_key or "", loser.event_id, at))
        await self._claims.correct(site, corrections, self._clock.now())
        return stand_for_nothing

    def _known_repeat(self, candidate: Candidate) -> tuple[datetime, str] | None:
        for at, event_id in self._accepted.get(candidate.claim_key or "", ()):
            if abs(at - candidate.at) < timedelta(seconds=candidate.cooldown):
                return at, event_id
        return None

    async def _lost(
        self, site: str, contenders: Sequence[Candidate], now: datetime
    ) -> list[tuple[Candidate, Holder]]:
        """Claim for all that are no replays; who lost, and to whom."""
        left = await self._claims.claim_new(site, [_request(c) for c in contenders], now)
        met = [contenders[place] for place in left]
        await self.end_replays(site, met)
        met = [candidate for candidate in met if candidate.outcome is None]
        holders = await self._claims.claim(site, [_request(c) for c in met], now)
        return [(c, h) for c, h in zip(met, holders, strict=True) if h is not None]

    async def _compare_with_holders(
        self, site: str, lost: list[tuple[Candidate, Holder]]
    ) -> set[str]:
        """Turn away whose holder is stored; the ids of the others, whom the next try may decide."""
        stored = await self._events.stored(site, [holder.event for _, holder in lost])
        missing = []
        for candidate, holder in lost:
            event = stored.get(holder.event)
            # An event that is stored with another time has been sent again, and claimed for that.
            if event == StoredEvent(holder.event, candidate.claim_key or "", holder.at):
                candidate.outcome = _cooldown(candidate, holder.at, holder.event)
            else:
                missing.append((candidate, holder))
        await self._claims.miss(site, [(c.claim_key or "", holder) for c, holder in missing])
        return {candidate.event_id for candidate, _ in missing}

    async def _compare_with_stored(self, site: str, late: Sequence[Candidate]) -> None:
        """Late events: a claim from back then may have expired, the event that made it has not.

        Events whose claims are still there are left to the claims, so that nothing comes in between.
        """
        if not late:
            return
        margin = timedelta(seconds=max(c.cooldown for c in late))
        stored = await self._events.of_sessions(
            site,
            list({c.document["session"] for c in late}),
            min(c.at for c in late) - margin,
            max(c.at for c in late) + margin,
        )
        by_key: dict[str, list[StoredEvent]] = {}
        for event in stored:
            by_key.setdefault(event.claim_key, []).append(event)
        for candidate in late:
            for event in by_key.get(candidate.claim_key or "", ()):
                if abs(event.at - candidate.at) < timedelta(seconds=candidate.cooldown):
                    candidate.outcome = _cooldown(candidate, event.at, event.event_id)
                    break


def _claim_of(candidate: Candidate) -> tuple[str | None, str]:
    return candidate.claim_key, candidate.event_id


def _request(candidate: Candidate) -> ClaimRequest:
    return ClaimRequest(
        candidate.claim_key or "", candidate.event_id, candidate.at, candidate.cooldown
    )


def replayed(
    candidate: Candidate,
    stands_for: str | None,
    message: str = "An event with this id is stored already.",
) -> Outcome:
    return Outcome(
        candidate.event_id, Verdict.DUPLICATE, Reason.REPLAYED, message, stands_for=stands_for
    )


def _cooldown(candidate: Candidate, at: datetime, event_id: str) -> Outcome:
    apart = abs((candidate.at - at).total_seconds())
    return Outcome(
        candidate.event_id,
        Verdict.DUPLICATE,
        Reason.COOLDOWN,
        f"{apart:g} s from a counted one; within {candidate.cooldown:g} s they count once.",
        stands_for=event_id,
    )
