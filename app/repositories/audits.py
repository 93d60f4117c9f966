"""Counting again, straight from what is stored and by other means than reports count."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from beanie import Document

from app.core.event_types import EventType
from app.repositories.base import Raw, Repository
from app.repositories.events import COUNTED, WEIGHT
from app.schemas import Decision, Event


class EventAudit(Repository[Event]):
    """Recounts stored events of a range of the time they happened, the end left out."""

    document: ClassVar[type[Document]] = Event

    async def by_type(self, site: str, start: datetime, end: datetime) -> dict[str, int]:
        """Counted events by type; one of a sample counts for as many as it stands for."""
        rows = await self._aggregate(
            site,
            [
                {"$match": {**_happened(site, start, end), **COUNTED}},
                {"$group": {"_id": "$type", "events": {"$sum": WEIGHT}}},
            ],
        )
        found = {row["_id"]: int(row["events"]) for row in rows}
        return {kind.value: found.get(kind.value, 0) for kind in EventType}

    async def voided(self, site: str, start: datetime, end: datetime) -> int:
        """Stored events that an admin withdrew."""
        return await self.collection.count_documents(
            {**_happened(site, start, end), "void": {"$exists": True}}
        )

    async def distinct(self, site: str, field: str, start: datetime, end: datetime) -> int:
        """How many different values a field has among the counted events that have it, weighted."""
        rows = await self._aggregate(
            site,
            [
                {"$match": {**_happened(site, start, end), **COUNTED, field: {"$exists": True}}},
                {"$group": {"_id": f"${field}", "weight": {"$max": WEIGHT}}},
                {"$group": {"_id": None, "values": {"$sum": "$weight"}}},
            ],
        )
        return int(rows[0]["values"]) if rows else 0

    async def too_close(
        self, site: str, event_types: list[str], apart: timedelta, start: datetime, end: datetime
    ) -> int:
        """Pairs of neighbours of one type, session and item that are less than this apart."""
        before = {"$shift": {"output": "$at", "by": -1}}
        partition = {"type": "$type", "session": "$session", "item": "$item"}
        rows = await self._aggregate(
            site,
            [
                {"$match": {**_happened(site, start, end), "type": {"$in": event_types}}},
                {
                    "$setWindowFields": {
                        "partitionBy": partition,
                        "sortBy": {"at": 1},
                        "output": {"before": before},
                    }
                },
                {"$match": {"before": {"$ne": None}}},
                {"$match": {"$expr": {"$lt": [{"$subtract": ["$at", "$before"]}, _ms(apart)]}}},
                {"$count": "pairs"},
            ],
        )
        return int(rows[0]["pairs"]) if rows else 0


class LedgerAudit(Repository[Decision]):
    """Recounts the ledger for a range of the time that events happened; of arrival, where that is unknown."""

    document: ClassVar[type[Document]] = Decision

    async def by_reason(
        self, site: str, start: datetime, end: datetime
    ) -> list[tuple[str, str, int]]:
        """(verdict, reason, count) of what is not counted; what was released is."""
        rows = await self._aggregate(
            site,
            [
                {"$match": {**_decided(start, end), "released_at": None}},
                {
                    "$group": {
                        "_id": {"verdict": "$verdict", "reason": "$reason"},
                        "count": {"$sum": 1},
                    }
                },
                {"$sort": {"_id.verdict": 1, "_id.reason": 1}},
            ],
        )
        return [(row["_id"]["verdict"], row["_id"]["reason"], row["count"]) for row in rows]

    async def standing_for_nothing(self, site: str, start: datetime, end: datetime) -> int:
        """Duplicates whose counted event is not stored."""
        rows = await self._aggregate(
            site,
            [
                {"$match": {**_decided(start, end), "stands_for": {"$exists": True}}},
                {"$group": {"_id": {"$concat": [site, ":", "$stands_for"]}, "count": {"$sum": 1}}},
                {
                    "$lookup": {
                        "from": "events",
                        "localField": "_id",
                        "foreignField": "_id",
                        "pipeline": [{"$project": {"_id": 1}}],
                        "as": "stored",
                    }
                },
                {"$match": {"stored": []}},
                {"$group": {"_id": None, "count": {"$sum": "$count"}}},
            ],
        )
        return int(rows[0]["count"]) if rows else 0


def _happened(site: str, start: datetime, end: datetime) -> Raw:
    return {"site": site, "at": {"$gte": start, "$lt": end}}


def _decided(start: datetime, end: datetime) -> dict[str, Any]:
    within = {"$gte": start, "$lt": end}
    return {"$or": [{"at": within}, {"at": {"$exists": False}, "received_at": within}]}


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
