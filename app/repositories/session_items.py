"""The session-item index: claiming cooldowns, atomically."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from beanie import Document
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from app.repositories.base import Raw, Refused, Repository, refused_by
from app.schemas import SessionItem

CLAIM_LIFETIME = timedelta(hours=24)
# A claim and the write behind it take at most 4 s each (core/database.py).
CLAIM_LEASE = timedelta(seconds=10)
MAX_CLAIMS = 256


def claim_key(site: str, event_type: str, session: str, item: str) -> str:
    """`_id` of a session-item document. Lengths are digested too, so that no two triples share one."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (event_type, session, item):
        text = part.encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    return f"{site}:{digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """One event that wants to be the only one of its key within `cooldown` seconds of `at`."""

    key: str
    event: str
    at: datetime
    cooldown: float


@dataclass(frozen=True, slots=True)
class Holder:
    """The event that holds a claim, and when it was claimed."""

    event: str
    at: datetime
    made: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """What a claim of `event` on `key` should be: of the time `at`, or none at all."""

    key: str
    event: str
    at: datetime | None


class SessionItemRepository(Repository[SessionItem]):
    document: ClassVar[type[Document]] = SessionItem

    async def claim_new(
        self, site: str, requests: Sequence[ClaimRequest], now: datetime
    ) -> list[int]:
        """Claim keys that nobody has claimed yet; the places of the requests that are left, in order.

        Most keys are new. Left are those of keys that exist, and further requests of one key.
        """
        _check_site(site, [request.key for request in requests])
        first_of_key: dict[str, int] = {}
        left: list[int] = []
        for place, request in enumerate(requests):
            if first_of_key.setdefault(request.key, place) != place:
                left.append(place)
        firsts = list(first_of_key.values())
        refused = await self._insert_many([_new(requests[place], now) for place in firsts])
        return sorted([*left, *(firsts[r.place] for r in refused)])

    async def claim(
        self, site: str, requests: Sequence[ClaimRequest], now: datetime
    ) -> list[Holder | None]:
        """Claim each request's cooldown: None where it is held by it now, else who holds it.

        Earlier requests win over later ones: they are conditional upserts, in their order. Where
        another event holds the claim the condition does not match, the upsert tries to insert, and
        the duplicate key says so. All of it is atomic by document.
        """
        _check_site(site, [request.key for request in requests])
        results: list[Holder | None] = [None] * len(requests)
        contested = list(range(len(requests)))
        # A holder may vanish between being met and being read (it expired, or was released); then
        # the claim is tried again.
        for _ in range(3):
            if not contested:
                return results
            lost = await self._claim_conditionally([requests[p] for p in contested], now)
            lost_places = [contested[index] for index in lost]
            holders = await self._holders([requests[place] for place in lost_places])
            contested = []
            for place, holder in zip(lost_places, holders, strict=True):
                results[place] = holder
                if holder is None:
                    contested.append(place)
        for place in contested:
            results[place] = Holder("", requests[place].at, now)
        return results

    async def miss(self, site: str, missed: Sequence[tuple[str, Holder]]) -> None:
        """Note of these claims, each with its key, that their events are not there.

        A claim that has been missed for longer than its lease is dropped: whoever made it has died
        in between. A claim that was made anew meanwhile is not the one that was missed.
        """
        _check_site(site, [key for key, _ in missed])
        if missed:
            await self._update([_miss(key, holder) for key, holder in missed])

    async def correct(self, site: str, corrections: Sequence[Correction], now: datetime) -> None:
        """Make the claims of these events what is stored of them."""
        _check_site(site, [correction.key for correction in corrections])
        if corrections:
            await self._update([_correction(correction, now) for correction in corrections])

    async def forget(self, site: str, claims: Sequence[tuple[str, str]]) -> None:
        """Remove claims, each by its key and its event's id, where there are any."""
        if any(not key.startswith(f"{site}:") for key, _ in claims):
            raise ValueError("a claim is of another site")
        if claims:
            await self._update(
                [UpdateOne({"_id": k}, {"$pull": {"claims": {"event": e}}}) for k, e in claims]
            )
            keys = list({key for key, _ in claims})
            await self.collection.delete_many({"_id": {"$in": keys}, "claims": []})

    async def _claim_conditionally(
        self, requests: Sequence[ClaimRequest], now: datetime
    ) -> list[int]:
        """The places of the requests whose claim another event holds."""
        refused = await self._update([_conditional_upsert(request, now) for request in requests])
        return sorted(one.place for one in refused)

    async def _update(self, updates: Sequence[UpdateOne]) -> list[Refused]:
        """Send updates at once; those that were refused. The others are durable then."""
        try:
            await self._hot.bulk_write(updates, ordered=False)
        except BulkWriteError as error:
            return refused_by(error)
        return []

    async def _holders(self, requests: Sequence[ClaimRequest]) -> list[Holder | None]:
        if not requests:
            return []
        cursor = self._hot.find({"_id": {"$in": list({r.key for r in requests})}})
        claims = {document["_id"]: document["claims"] async for document in cursor}
        return [_holder(request, claims.get(request.key, ())) for request in requests]


def _check_site(site: str, keys: Sequence[str]) -> None:
    if any(not key.startswith(f"{site}:") for key in keys):
        raise ValueError("a claim is of another site")


def _new(request: ClaimRequest, now: datetime) -> Raw:
    return {
        "_id": request.key,
        "claims": [{"at": request.at, "event": request.event, "made": now}],
        "expires_at": now + CLAIM_LIFETIME,
    }


def _conditional_upsert(request: ClaimRequest, now: datetime) -> UpdateOne:
    """Claim unless another event's claim lies within the cooldown. An own one is made anew."""
    cooldown = timedelta(seconds=request.cooldown)
    others: dict[str, Any] = {
        "at": {"$gt": request.at - cooldown, "$lt": request.at + cooldown},
        "event": {"$ne": request.event},
    }
    own = {"$literal": {"at": request.at, "event": request.event, "made": now}}
    return UpdateOne(
        {"_id": request.key, "claims": {"$not": {"$elemMatch": others}}},
        [
            {
                "$set": {
                    "claims": {
                        "$slice": [{"$concatArrays": [_all_but(request.event), [own]]}, -MAX_CLAIMS]
                    },
                    "expires_at": {"$max": ["$expires_at", now + CLAIM_LIFETIME]},
                }
            }
        ],
        upsert=True,
    )


def _all_but(event: str) -> Raw:
    """The claims of all other events, as an aggregation expression."""
    return {
        "$filter": {
            "input": {"$ifNull": ["$claims", []]},
            "cond": {"$ne": ["$$this.event", {"$literal": event}]},
        }
    }


def _correction(correction: Correction, now: datetime) -> UpdateOne:
    claim = {"at": correction.at, "event": correction.event, "made": now}
    own = [] if correction.at is None else [{"$literal": claim}]
    claims = {"$concatArrays": [_all_but(correction.event), own]}
    return UpdateOne({"_id": correction.key}, [{"$set": {"claims": claims}}])


def _miss(key: str, holder: Holder) -> UpdateOne:
    """Timed by the database: those who make claims, and who miss events, may have any time."""
    same = [
        {"$eq": ["$$this.event", {"$literal": holder.event}]},
        {"$eq": ["$$this.made", holder.made]},
    ]
    lease = CLAIM_LEASE / timedelta(milliseconds=1)
    is_over = {"$gt": [{"$subtract": ["$$NOW", "$$this.missed"]}, lease]}
    marked = {"$mergeObjects": [{"missed": "$$NOW"}, "$$this"]}
    claims = {
        "$map": {"input": "$claims", "in": {"$cond": [{"$and": same}, marked, "$$this"]}},
    }
    kept = {"$filter": {"input": claims, "cond": {"$not": [{"$and": [*same, is_over]}]}}}
    return UpdateOne({"_id": key}, [{"$set": {"claims": kept}}])


def _holder(request: ClaimRequest, claims: Sequence[Raw]) -> Holder | None:
    cooldown = timedelta(seconds=request.cooldown)
    for claim in claims:
        if claim["event"] != request.event and abs(claim["at"] - request.at) < cooldown:
            return Holder(claim["event"], claim["at"], claim["made"])
    return None
