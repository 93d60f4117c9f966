"""Quarters of an hour in columns."""

import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from beanie import Document
from pymongo import DeleteMany, ReplaceOne

from app.core.quarters import QUARTER, from_ms, quarter_of, to_ms
from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import QuarterHour


class QuarterHourRepository(Repository[QuarterHour]):
    document: ClassVar[type[Document]] = QuarterHour

    async def replace(self, site: str, quarters: Mapping[datetime, Sequence[Raw]]) -> None:
        """Make the current parts of these quarters what they are now, all of them at once: a quarter that
        has several is never seen with some of the old ones and some of the new.
        """
        parts = [
            {"_id": f"{site}|{to_ms(start)}|{number}", "site": site, "start": start, "kept": False}
            | content
            for start, contents in quarters.items()
            for number, content in enumerate(contents)
        ]
        gone = self._current(site, quarters) | {"_id": {"$nin": [part["_id"] for part in parts]}}
        writes: list[ReplaceOne[Raw] | DeleteMany] = [
            *(ReplaceOne({"_id": part["_id"]}, part, upsert=True) for part in parts),
            DeleteMany(gone),
        ]

        async def in_transaction(session: Snapshot) -> None:
            await self.collection.bulk_write(writes, ordered=False, session=session)

        if quarters:
            await self.in_transaction(in_transaction)

    def _current(self, site: str, starts: Collection[datetime]) -> Raw:
        return {"site": site, "start": {"$in": list(starts)}, "kept": False}

    async def of_range(
        self,
        site: str,
        start: datetime,
        end: datetime,
        columns: Collection[str] | None = None,
        snapshot: Snapshot | None = None,
        *,
        kept: bool = False,
    ) -> AsyncIterator[Raw]:
        """The quarters that begin from start to end, end left out, in order; only these columns.

        With `kept` only the parts that are of deleted events.
        """
        projection: dict[str, Any] | None = None
        if columns is not None:
            names = {"start": 1, "events": 1, **{f"columns.{name}": 1 for name in columns}}
            projection = names
        match: Raw = {"site": site, "start": {"$gte": start, "$lt": end}}
        if kept:
            match["kept"] = True
        cursor = self.collection.find(match, projection, session=snapshot).sort("start", 1)
        async for document in cursor.batch_size(1_000):
            yield document

    async def edges(
        self, site: str, snapshot: Snapshot | None = None
    ) -> tuple[datetime, datetime] | None:
        """When the first quarter begins and the last one ends; None where there are none."""
        bounds = []
        for direction in (1, -1):
            found = await self.collection.find_one(
                {"site": site}, {"start": 1}, sort=[("start", direction)], session=snapshot
            )
            if found is None:
                return None
            bounds.append(found["start"])
        return bounds[0], bounds[1] + QUARTER

    async def first_and_last(self, site: str) -> list[datetime]:
        """When the first and the last event of the quarters happened; nothing where there are none."""
        edges = await self.edges(site)
        if edges is None:
            return []
        # A quarter may have many parts, and any of them the first or the last event.
        ends = {"site": site, "start": {"$in": [edges[0], edges[1] - QUARTER]}}
        cursor = self.collection.find(ends, {"columns.start": 1, "columns.end": 1})
        parts = [part["columns"] async for part in cursor]
        first, last = min(part["start"] for part in parts), max(part["end"] for part in parts)
        return [from_ms(first), from_ms(last)]

    async def keep(
        self, site: str, start: datetime, contents: Sequence[Raw], session: Snapshot
    ) -> None:
        """Add parts to a quarter that stay when their events are gone."""
        for content in contents:
            part = f"{site}|{to_ms(start)}|{uuid.uuid4().hex}"
            document = {"_id": part, "site": site, "start": start, "kept": True, **content}
            await self.collection.insert_one(document, session=session)

    async def part(self, site: str, part_id: str) -> Raw | None:
        """A part as it is stored."""
        return await self.collection.find_one({"_id": part_id, "site": site})

    async def delete_part(self, site: str, part_id: str, session: Snapshot) -> None:
        await self.collection.delete_one({"_id": part_id, "site": site}, session=session)

    async def current(
        self, site: str, before: datetime, limit: int, after: datetime | None = None
    ) -> list[datetime]:
        """The first quarters before an instant, and after another, that have a current part. In order."""
        between = {"$lt": before} if after is None else {"$lt": before, "$gt": after}
        found = self.collection.find({"site": site, "start": between, "kept": False}, {"start": 1})
        parts = [document["start"] async for document in found.sort("start", 1).limit(limit)]
        return list(dict.fromkeys(parts))

    async def make_kept(self, site: str, starts: Sequence[datetime], session: Snapshot) -> None:
        """Make the current parts of these quarters ones that stay when their events are gone."""
        current = self._current(site, starts)
        parts = [part async for part in self.collection.find(current, session=session)]
        for part in parts:
            kept = {"_id": f"{site}|{to_ms(part['start'])}|{uuid.uuid4().hex}", "kept": True}
            await self.collection.insert_one(part | kept, session=session)
        await self.collection.delete_many(current, session=session)

    async def rolled_up(self, site: str, starts: Sequence[datetime]) -> set[datetime]:
        """Those of these quarters that have a current part."""
        found = self.collection.find(self._current(site, starts), {"start": 1})
        return {document["start"] async for document in found}

    async def last_kept(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> datetime | None:
        """The last quarter from start to end, end left out, some of whose events are gone; or None."""
        found = await self.collection.find_one(
            {"site": site, "kept": True, "start": {"$gte": quarter_of(start), "$lt": end}},
            {"start": 1},
            sort=[("start", -1)],
            session=snapshot,
        )
        return None if found is None else found["start"]

    async def has_weighted(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> bool:
        """Whether events of these quarters stand for more than themselves."""
        weighted = {
            "site": site,
            "weighted": True,
            "start": {"$gte": quarter_of(start), "$lt": end},
        }
        found = await self.collection.find_one(weighted, {"_id": 1}, session=snapshot)
        return found is not None
