"""Sessions, and the events that they are derived from."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from beanie import Document
from pymongo import DeleteMany

from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Event, Session

# How many documents are held at once while many are read.
BATCH = 5_000
# Deriving sessions anew in the background may take this long for one portion of them.
BACKGROUND_SECONDS = 600.0

Span = tuple[datetime, datetime]

# What of an event its session is derived from, and whether it counts.
_READ_OF_EVENTS = (
    "session", "at", "type", "item", "visitor", "user", "page", "referrer", "utm_source",
    "utm_medium", "utm_campaign", "utm_content", "utm_term", "device", "browser", "os", "weight",
    "void.id",
)  # fmt: skip


class SessionEvents(Repository[Event]):
    """Events as sessions are derived from them: also the withdrawn ones, which tell what is stored."""

    document: ClassVar[type[Document]] = Event

    async def of_sessions(
        self,
        site: str,
        sessions: Sequence[str],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = BACKGROUND_SECONDS,
    ) -> AsyncIterator[list[Raw]]:
        """All events of these session ids in portions, ordered by session id and then by time."""
        cursor = self.collection.find(
            {"site": site, "session": {"$in": list(sessions)}},
            dict.fromkeys(_READ_OF_EVENTS, 1),
            session=snapshot,
            max_time_ms=int(max_seconds * 1000),
        ).sort([("session", 1), ("at", 1)])
        async for portion in _portions(cursor):
            yield portion

    async def sessions_in(
        self,
        site: str,
        spans: Sequence[Span],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = BACKGROUND_SECONDS,
    ) -> AsyncIterator[list[str]]:
        """The session ids with events in these spans (ends left out), in portions without repeats."""
        within = [{"at": {"$gte": start, "$lt": end}} for start, end in spans]
        cursor = self.collection.aggregate(
            [{"$match": {"site": site, "$or": within}}, {"$group": {"_id": "$session"}}],
            # The database would rather walk all session ids there are.
            hint="by_time",
            session=snapshot,
            allowDiskUse=True,
            maxTimeMS=int(max_seconds * 1000),
        )
        async for portion in _portions(cursor):
            yield [found["_id"] for found in portion]


class SessionRepository(Repository[Session]):
    """Derived sessions."""

    document: ClassVar[type[Document]] = Session

    async def of_sessions(
        self,
        site: str,
        sessions: Sequence[str],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = BACKGROUND_SECONDS,
    ) -> list[Raw]:
        """All sessions of these session ids, ordered by session id and then by start."""
        cursor = self.collection.find(
            {"site": site, "session": {"$in": list(sessions)}},
            session=snapshot,
            max_time_ms=int(max_seconds * 1000),
        ).sort([("session", 1), ("start", 1)])
        return await cursor.to_list(None)

    async def of_visitors(
        self,
        site: str,
        visitors: Sequence[str],
        before: datetime,
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float,
    ) -> AsyncIterator[list[Raw]]:
        """The sessions of these visitors that started before this instant, in portions."""
        cursor = self.collection.find(
            {"site": site, "visitor": {"$in": list(visitors)}, "start": {"$lt": before}},
            session=snapshot,
            max_time_ms=int(max_seconds * 1000),
        )
        async for portion in _portions(cursor):
            yield portion

    async def newest(
        self,
        site: str,
        match: Mapping[str, Any],
        batch: int,
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float,
    ) -> AsyncIterator[Raw]:
        """The sessions that match, those that started last first."""
        cursor = self.collection.find(
            {**match, "site": site},
            session=snapshot,
            batch_size=batch,
            max_time_ms=int(max_seconds * 1000),
        ).sort([("start", -1), ("_id", -1)])
        try:
            async for found in cursor:
                yield found
        finally:
            await cursor.close()

    async def aggregate(
        self,
        site: str,
        pipeline: Sequence[Mapping[str, Any]],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float,
    ) -> list[Raw]:
        """Run a pipeline over this site's sessions."""
        return await self._aggregate(site, pipeline, snapshot=snapshot, max_seconds=max_seconds)

    async def of_another_rule(
        self,
        site: str,
        by_source: bool,
        within: Span | None = None,
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = BACKGROUND_SECONDS,
    ) -> AsyncIterator[list[str]]:
        """The ids of the sessions that were derived by another rule than this, in portions.

        With a span those that touch it.
        """
        match: Raw = {"site": site, "by_source": not by_source}
        if within is not None:
            match |= {"last": {"$gte": within[0]}, "start": {"$lt": within[1]}}
        cursor = self.collection.aggregate(
            [{"$match": match}, {"$group": {"_id": "$session"}}],
            session=snapshot,
            allowDiskUse=True,
            maxTimeMS=int(max_seconds * 1000),
        )
        async for portion in _portions(cursor):
            yield [found["_id"] for found in portion]

    async def starts(self, site: str) -> Span | None:
        """When the first and the last session started; None where there is none."""
        edges = [
            await self.collection.find_one({"site": site}, {"start": 1}, sort=[("start", order)])
            for order in (1, -1)
        ]
        found = [edge["start"] for edge in edges if edge]
        return (found[0], found[1]) if len(found) == len(edges) else None

    async def replace(
        self,
        site: str,
        documents: Sequence[Raw],
        obsolete: Sequence[str],
        known: Collection[str] = (),
    ) -> None:
        """Store these sessions in place of those of the same `_id`, and delete the obsolete ones.

        `known` are the ids that are stored, as far as the caller can tell.
        """
        if any(document["site"] != site for document in documents):
            raise ValueError("a session is of another site")
        gone = [DeleteMany({"_id": {"$in": list(obsolete)}, "site": site})] if obsolete else []
        await self._store(documents, known, gone)

    async def make_final(
        self, site: str, sessions: Sequence[str], start: datetime, end: datetime, snapshot: Snapshot
    ) -> None:
        """Let the sessions of these session ids that were under way from start to end, end left out,
        stay as they are stored."""
        await self.collection.update_many(
            {
                "site": site,
                "session": {"$in": list(sessions)},
                "start": {"$lt": end},
                "last": {"$gte": start},
            },
            {"$set": {"is_final": True}},
            session=snapshot,
        )


async def _portions(cursor: Any) -> AsyncIterator[list[Raw]]:
    """What the cursor of a search or of a pipeline finds."""
    try:
        while portion := await cursor.to_list(BATCH):
            yield portion
    finally:
        await cursor.close()
