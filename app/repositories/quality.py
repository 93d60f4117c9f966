"""What of the ledger and of withdrawn events says how good the data are. Times are those of the events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from beanie import Document

from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Decision, Event


@dataclass(frozen=True, slots=True)
class Happened:
    """From `start` to before `end`. No event arrives more than `ahead` before it happens."""

    start: datetime
    end: datetime
    ahead: timedelta = timedelta()

    @property
    def match(self) -> dict[str, datetime]:
        return {"$gte": self.start, "$lt": self.end}


class LedgerQuality(Repository[Decision]):
    """Counts decisions that still hold: what was released since is counted as any other event."""

    document: ClassVar[type[Document]] = Decision

    async def by_reason(
        self, site: str, happened: Happened, *, snapshot: Snapshot, max_seconds: float
    ) -> dict[str, int]:
        """How many events were not counted, by reason."""
        rows = await self._aggregate(
            site,
            [
                *_decided(happened),
                {"$group": {"_id": "$reason", "count": {"$sum": 1}}},
            ],
            snapshot=snapshot,
            max_seconds=max_seconds,
        )
        return {row["_id"]: int(row["count"]) for row in rows}

    async def repeats_within(
        self,
        site: str,
        happened: Happened,
        event_types: Sequence[str],
        apart: timedelta,
        *,
        snapshot: Snapshot,
        max_seconds: float,
    ) -> int:
        """Repeats of these types less than `apart` from the stored event that stands for them."""
        milliseconds = {"$abs": {"$subtract": ["$at", "$original.at"]}}
        rows = await self._aggregate(
            site,
            [
                *_decided(happened),
                {"$match": {"reason": "COOLDOWN", "type": {"$in": list(event_types)}}},
                {"$project": {"at": 1, "original": {"$concat": [site, ":", "$stands_for"]}}},
                {
                    "$lookup": {
                        "from": Event.Settings.name,
                        "localField": "original",
                        "foreignField": "_id",
                        "pipeline": [{"$project": {"at": 1}}],
                        "as": "original",
                    }
                },
                {"$unwind": "$original"},
                {"$match": {"$expr": {"$lt": [milliseconds, apart // timedelta(milliseconds=1)]}}},
                {"$count": "repeats"},
            ],
            snapshot=snapshot,
            max_seconds=max_seconds,
        )
        return int(rows[0]["repeats"]) if rows else 0


class WithdrawnEvents(Repository[Event]):
    """Counts stored events that an admin withdrew."""

    document: ClassVar[type[Document]] = Event

    async def count(
        self, site: str, happened: Happened, *, snapshot: Snapshot, max_seconds: float
    ) -> int:
        rows = await self._aggregate(
            site,
            [
                {"$match": {"at": happened.match, "void": {"$exists": True}}},
                {"$count": "withdrawn"},
            ],
            snapshot=snapshot,
            max_seconds=max_seconds,
        )
        return int(rows[0]["withdrawn"]) if rows else 0


def _decided(happened: Happened) -> list[Raw]:
    """Decisions on events of this time.

    Where an event says no time that can be believed, its arrival stands for it. The first bound is
    there for the index.
    """
    without_a_time = [{"at": {"$exists": False}}, {"reason": "TIMESTAMP"}]
    return [
        {
            "$match": {
                "received_at": {"$gte": happened.start - happened.ahead},
                "$or": [
                    {"at": happened.match, "reason": {"$ne": "TIMESTAMP"}},
                    {"received_at": happened.match, "$or": without_a_time},
                ],
                "released_at": None,
            }
        }
    ]
