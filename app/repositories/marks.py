"""What has changed and is to be rolled up again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from beanie import Document
from pymongo import UpdateOne

from app.core.quarters import quarter_of, to_ms
from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Mark

# What a mark may stand for has ended by then: one write takes at most 4 s (core/database.py), and
# who wrote a mark relies on it for REUSED_FOR_SECONDS at most.
RIPE_AFTER_SECONDS = 15
REUSED_FOR_SECONDS = 5

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

QUARTERS = "quarter"
DAYS = "day"
WEEKS = "week"
FOUR_WEEKS = "four weeks"
LEVELS = (QUARTERS, DAYS, WEEKS, FOUR_WEEKS)


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark as it was seen."""

    id: str
    site: str
    start: datetime
    marked_at: datetime


class MarkRepository(Repository[Mark]):
    document: ClassVar[type[Document]] = Mark

    async def mark(
        self,
        site: str,
        starts: Collection[datetime],
        level: str = QUARTERS,
        session: Snapshot | None = None,
    ) -> None:
        """Mark these quarters (or days) of the site, durably, as changed from now on."""
        updates = [
            UpdateOne(
                {"_id": f"{site}|{level}|{to_ms(start)}"},
                {
                    "$set": {"site": site, "level": level, "start": start},
                    "$currentDate": {"marked_at": True},
                },
                upsert=True,
            )
            for start in starts
        ]
        if updates:
            if session is None:
                await self._hot.bulk_write(updates, ordered=False)
            else:
                await self.collection.bulk_write(updates, ordered=False, session=session)

    async def mark_unmarked(
        self, site: str, starts: Collection[datetime], level: str = QUARTERS
    ) -> None:
        """Mark quarters (or longer periods) of the site whose writes have long ended: ripe at once.

        What is marked already stays as it is.
        """
        updates = [
            UpdateOne(
                {"_id": f"{site}|{level}|{to_ms(start)}"},
                {
                    "$setOnInsert": {
                        "site": site,
                        "level": level,
                        "start": start,
                        "marked_at": LONG_AGO,
                    }
                },
                upsert=True,
            )
            for start in starts
        ]
        if updates:
            await self.collection.bulk_write(updates, ordered=False)

    async def dirty(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> list[datetime]:
        """The starts of the marked quarters that touch start to end, end left out, in order."""
        marked = await self.of_range(site, QUARTERS, quarter_of(start), end, snapshot)
        return [one.start for one in marked]

    async def is_dirty(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> bool:
        """Whether a quarter that touches start to end, end left out, is marked."""
        found = {
            "site": site,
            "level": QUARTERS,
            "start": {"$gte": quarter_of(start), "$lt": end},
        }
        return await self.collection.find_one(found, {"_id": 1}, session=snapshot) is not None

    async def by_level(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> dict[str, list[datetime]]:
        """By level: the starts of its marks that begin from start to end, end left out, in order."""
        match = {"site": site, "level": {"$in": LEVELS}, "start": {"$gte": start, "$lt": end}}
        found: dict[str, list[datetime]] = {level: [] for level in LEVELS}
        async for mark in self.collection.find(match, session=snapshot).sort("start", 1):
            found[mark["level"]].append(mark["start"])
        return found

    async def ripe(
        self, level: str, after_seconds: float, limit: int, sites: Sequence[str] | None = None
    ) -> list[Marked]:
        """Marks of any site (or of these) not renewed for so long, oldest change first."""
        age = {"$subtract": ["$$NOW", after_seconds * 1000]}
        match: Raw = {"level": level, "$expr": {"$lte": ["$marked_at", age]}}
        if sites is not None:
            match["site"] = {"$in": list(sites)}
        cursor = self.collection.find(match).sort("marked_at", 1).limit(limit)
        return [_marked(document) async for document in cursor]

    async def of_range(
        self,
        site: str,
        level: str,
        start: datetime,
        end: datetime,
        snapshot: Snapshot | None = None,
    ) -> list[Marked]:
        """The marks of a level that begin from start to end, end left out, in order."""
        found = {"site": site, "level": level, "start": {"$gte": start, "$lt": end}}
        cursor = self.collection.find(found, session=snapshot).sort("start", 1)
        return [_marked(document) async for document in cursor]

    async def waiting(self, level: str) -> int:
        """How many marks of a level there are, of all sites."""
        return await self.collection.count_documents({"level": level})

    async def oldest_age(self, level: str) -> float | None:
        """Seconds since the oldest mark of a level, of any site, was renewed; None without any."""
        cursor = self.collection.aggregate(
            [
                {"$match": {"level": level}},
                {"$sort": {"marked_at": 1}},
                {"$limit": 1},
                {"$project": {"age": {"$subtract": ["$$NOW", "$marked_at"]}}},
            ]
        )
        found = await cursor.to_list(1)
        return found[0]["age"] / 1000 if found else None

    async def are_ripe(
        self, site: str, marked: Sequence[Marked], after_seconds: float
    ) -> list[Marked]:
        """Those of these marks of the site that were not renewed for so long."""
        seen = {one.id: one for one in marked}
        age = {"$subtract": ["$$NOW", after_seconds * 1000]}
        match = {"_id": {"$in": list(seen)}, "site": site, "$expr": {"$lte": ["$marked_at", age]}}
        found = [_marked(document) async for document in self.collection.find(match)]
        return [one for one in found if one == seen[one.id]]

    async def clear(self, site: str, marked: Sequence[Marked]) -> None:
        """Remove these marks of the site, but for those that have been renewed since they were seen."""
        if not marked:
            return
        alternatives = [{"_id": one.id, "marked_at": one.marked_at} for one in marked]
        await self.collection.delete_many({"site": site, "$or": alternatives})


def _marked(document: Raw) -> Marked:
    return Marked(document["_id"], document["site"], document["start"], document["marked_at"])
