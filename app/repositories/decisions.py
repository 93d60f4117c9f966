"""The ledger."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from beanie import Document
from pymongo import UpdateMany

from app.repositories.base import Raw, Repository
from app.schemas import Decision


def hashed_event_id(site: str, event: str) -> str:
    """What the ledger keeps of an event's id where it may keep nothing of the event.

    An id may be made of a visitor's, which an erasure would not find. Who has the id finds the record.
    """
    text = f"{site}:{event}".encode("utf-8", "surrogatepass")
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which decisions; None leaves a field open. Times are of arrival, the end left out."""

    event: str | None = None
    item: str | None = None
    session: str | None = None
    verdict: str | None = None
    reasons: Sequence[str] | None = None
    start: datetime | None = None
    end: datetime | None = None

    def match(self, site: str) -> Raw:
        found: Raw = {"site": site}
        if self.event is not None:
            found["event"] = _as_kept(site, self.event)
        for field in ("item", "session", "verdict"):
            if getattr(self, field) is not None:
                found[field] = getattr(self, field)
        if self.reasons is not None:
            found["reason"] = {"$in": list(self.reasons)}
        arrived: dict[str, Any] = {}
        if self.start is not None:
            arrived["$gte"] = self.start
        if self.end is not None:
            arrived["$lt"] = self.end
        if arrived:
            found["received_at"] = arrived
        return found


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many events of one period ended for one reason."""

    start: datetime
    verdict: str
    reason: str
    count: int


class DecisionRepository(Repository[Decision]):
    document: ClassVar[type[Document]] = Decision

    async def insert(self, site: str, decisions: Sequence[Raw]) -> None:
        """Store decisions, each carrying this site."""
        if any(decision["site"] != site for decision in decisions):
            raise ValueError("a decision is of another site")
        await self._insert_many(decisions)

    async def newest(
        self, site: str, ledger_filter: LedgerFilter, limit: int, before: str | None = None
    ) -> list[Decision]:
        """Decisions that match, newest first, older than the one with the id `before`."""
        match = ledger_filter.match(site)
        if before is not None:
            match["_id"] = {"$lt": before}
        cursor = self.collection.find(match, {"document": 0}).sort("_id", -1).limit(limit)
        return [Decision.model_validate(document) async for document in cursor]

    async def count_by_reason(
        self, site: str, ledger_filter: LedgerFilter, unit: str
    ) -> list[DecisionCount]:
        """Decisions by reason and period of arrival; `unit` is "hour" or "day", of UTC."""
        start = {"$dateTrunc": {"date": "$received_at", "unit": unit}}
        rows = await self._aggregate(
            site,
            [
                {"$match": ledger_filter.match(site)},
                {
                    "$group": {
                        "_id": {"start": start, "verdict": "$verdict", "reason": "$reason"},
                        "count": {"$sum": 1},
                    }
                },
                {"$sort": {"_id.start": 1, "_id.reason": 1}},
            ],
        )
        return [DecisionCount(**row["_id"], count=row["count"]) for row in rows]

    async def of_event(self, site: str, event: str) -> list[Decision]:
        """What was decided on an event id, oldest first."""
        match = {"site": site, "event": _as_kept(site, event)}
        cursor = self.collection.find(match).sort("_id", 1).limit(100)
        return [Decision.model_validate(document) async for document in cursor]

    async def mark_released(self, site: str, decision: str, now: datetime) -> None:
        await self.collection.update_one(
            {"_id": decision, "site": site}, {"$set": {"released_at": now}}
        )

    async def forget_events(self, site: str, events: Sequence[str]) -> None:
        """Let no decision on another event name these, which may have ids made of their visitor's."""
        others = {"site": site, "stands_for": {"$in": list(events)}}
        await self.collection.update_many(others, {"$unset": {"stands_for": ""}})
        same_id = [
            UpdateMany(
                {"site": site, "event": event}, {"$set": {"event": hashed_event_id(site, event)}}
            )
            for event in events
        ]
        if same_id:
            await self.collection.bulk_write(same_id, ordered=False)


def _as_kept(site: str, event: str) -> Raw:
    """The condition that a decision is on the event of this id."""
    return {"$in": [event, hashed_event_id(site, event)]}
