"""Accepted events."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from beanie import Document
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from app.core.event_types import EventType
from app.core.quarters import QUARTER
from app.repositories.base import Raw, Refused, Repository, Snapshot
from app.repositories.session_items import claim_key
from app.schemas import Event


def stored_id(site: str, event_id: str) -> str:
    """`_id` of an event. A site's name has no colon, so that no two pairs share one."""
    return f"{site}:{event_id}"


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many events were deleted."""

    events: int
    impressions: int
    clicks: int


Types = Sequence[str]
ALL_TYPES: Types = tuple(event_type.value for event_type in EventType)
# While a portion is decoded no other thread of the process gets on.
GROUPS_AT_ONCE = 4
# Of a document, of one while it is made, and of what it is made in.
TOO_LARGE = (10334, 17419, 17420, 13548, 146)

# Events that an admin has not withdrawn.
COUNTED: Raw = {"void": {"$exists": False}}
# The same of one event, as an expression: whatever there is comes after null.
WITHDRAWN: Raw = {"$gt": ["$void", None]}
# For how many an event stands: more than itself where the site counted a sample of its visitors.
WEIGHT: Raw = {"$ifNull": ["$weight", 1]}


@dataclass(frozen=True, slots=True)
class VoidFilter:
    """Which events to withdraw; None leaves a field open. Times are of the event, the end left out."""

    events: Sequence[str] | None = None
    item: str | None = None
    session: str | None = None
    visitor: str | None = None
    user: str | None = None
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def is_open(self) -> bool:
        """Whether it would match everything, or everything of a time."""
        narrowing = (self.events, self.item, self.session, self.visitor, self.user, self.source)
        return all(condition is None for condition in narrowing)

    def match(self, site: str) -> Raw:
        found: Raw = {"site": site}
        if self.events is not None:
            found["_id"] = {"$in": [stored_id(site, event) for event in self.events]}
        for field in ("item", "session", "visitor", "user", "source"):
            if getattr(self, field) is not None:
                found[field] = getattr(self, field)
        happened = {"$gte": self.start, "$lt": self.end}
        bounds = {operator: at for operator, at in happened.items() if at is not None}
        if bounds:
            found["at"] = bounds
        return found


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What the cooldown asks of a stored event."""

    event_id: str
    claim_key: str
    at: datetime


class TooLargeError(Exception):
    """What was asked for does not fit into one document."""


@contextmanager
def _too_large() -> Iterator[None]:
    """Gives the database's errors of this kind the one name."""
    try:
        yield
    except OperationFailure as error:
        if error.code not in TOO_LARGE:
            raise
        raise TooLargeError from error


class EventRepository(Repository[Event]):
    document: ClassVar[type[Document]] = Event

    async def insert(self, site: str, events: Sequence[Raw]) -> list[Refused]:
        """Store events of this site; returns those whose id or order is stored already.

        The others are durable when this returns.
        """
        if any(event["site"] != site for event in events):
            raise ValueError("an event is of another site")
        return await self._insert_many(events)

    @property
    def _durable(self) -> "AsyncCollection[Raw] | AsyncIOMotorCollection[Raw]":
        """The collection as a majority has it: nothing that is read there can be rolled back."""
        return self._hot.with_options(read_concern=ReadConcern("majority"))

    async def stored(self, site: str, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """Those of these events that are stored by a majority, by their id."""
        if not event_ids:
            return {}
        ids = [stored_id(site, event_id) for event_id in event_ids]
        cursor = self._durable.find(
            {"_id": {"$in": ids}, "site": site}, {"type": 1, "session": 1, "item": 1, "at": 1}
        )
        return {event.event_id: event async for event in _stored_events(site, cursor)}

    async def of_orders(self, site: str, orders: Sequence[str]) -> dict[str, str]:
        """The ids of the conversions that count for these orders, by order."""
        if not orders:
            return {}
        cursor = self.collection.find(
            {"site": site, "order": {"$in": list(orders)}, "type": EventType.CONVERSION.value},
            {"order": 1},
        )
        return {found["order"]: found["_id"].removeprefix(f"{site}:") async for found in cursor}

    async def of_sessions(
        self, site: str, sessions: Sequence[str], start: datetime, end: datetime
    ) -> list[StoredEvent]:
        """These sessions' events of items from start to end, both included, stored by a majority."""
        cursor = self._durable.find(
            {
                "site": site,
                "session": {"$in": list(sessions)},
                "at": {"$gte": start, "$lte": end},
                "item": {"$exists": True},
            },
            {"type": 1, "session": 1, "item": 1, "at": 1},
        )
        return [event async for event in _stored_events(site, cursor)]

    async def get(self, site: str, event_id: str) -> Raw | None:
        """The stored event of this id, as it is stored."""
        return await self.collection.find_one({"_id": stored_id(site, event_id), "site": site})

    async def quarters_to_void(self, site: str, void_filter: VoidFilter) -> list[datetime]:
        """The quarters of an hour of the counted events that match."""
        return await self._quarters_of({**void_filter.match(site), **COUNTED})

    async def quarters_of_void(self, site: str, void_id: str) -> list[datetime]:
        """The quarters of an hour of the events that this void withdrew."""
        return await self._quarters_of({"site": site, "void.id": void_id})

    async def void(
        self,
        site: str,
        quarter: datetime,
        void_filter: VoidFilter,
        void_id: str,
        why: str,
        now: datetime,
    ) -> int:
        """Mark the counted events of a quarter of an hour that match as withdrawn; how many."""
        result = await self.collection.update_many(
            {"$and": [void_filter.match(site), _in_quarter(quarter), COUNTED]},
            {"$set": {"void": {"id": void_id, "at": now, "why": why}}},
        )
        return result.modified_count

    async def undo_void(self, site: str, quarter: datetime, void_id: str) -> int:
        """Count again what this void withdrew in a quarter of an hour; how many."""
        result = await self.collection.update_many(
            {"site": site, "void.id": void_id, **_in_quarter(quarter)}, {"$unset": {"void": ""}}
        )
        return result.modified_count

    async def _quarters_of(self, match: Raw) -> list[datetime]:
        quarter = {"$dateTrunc": {"date": "$at", "unit": "minute", "binSize": 15}}
        cursor = self.collection.aggregate(
            [{"$match": match}, {"$group": {"_id": quarter}}, {"$sort": {"_id": 1}}]
        )
        return [group["_id"] async for group in cursor]

    async def aggregate(
        self,
        site: str,
        pipeline: Sequence[Mapping[str, Any]],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = 30,
    ) -> list[Raw]:
        """Run a report's pipeline over this site's counted events.

        Raises TooLargeError where something does not fit into a document.
        """
        counted = [{"$match": COUNTED}, *pipeline]
        with _too_large():
            return await self._aggregate(site, counted, snapshot=snapshot, max_seconds=max_seconds)

    async def stream(
        self,
        site: str,
        pipeline: Sequence[Mapping[str, Any]],
        take: Callable[[list[Raw]], None],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = 30,
    ) -> None:
        """The same for a result that is too large to be held: `take` is given it in portions."""
        counted = [{"$match": COUNTED}, *pipeline]
        await self._stream(site, counted, take, snapshot=snapshot, max_seconds=max_seconds)

    async def in_columns(
        self,
        site: str,
        start: datetime,
        end: datetime,
        stage: Mapping[str, Any],
        snapshot: Snapshot,
    ) -> AsyncIterator[list[Raw]]:
        """The events from start to end, end left out, as a stage groups them, in portions.

        Also the withdrawn ones. Raises TooLargeError where a group does not fit into a document.
        """
        cursor = self.collection.aggregate(
            [{"$match": {"site": site, "at": {"$gte": start, "$lt": end}}}, stage],
            session=snapshot,
            allowDiskUse=True,
            maxTimeMS=100_000,
            batchSize=GROUPS_AT_ONCE,
        )
        try:
            with _too_large():
                while portion := await cursor.to_list(GROUPS_AT_ONCE):
                    yield portion
        finally:
            await cursor.close()

    async def number(
        self, site: str, match: Mapping[str, Any], snapshot: Snapshot | None = None
    ) -> int:
        """How many stored events match, the withdrawn ones included: an index has the answer."""
        return await self.collection.count_documents({"site": site, **match}, session=snapshot)

    async def are_few(
        self,
        site: str,
        match: Mapping[str, Any],
        most: int,
        snapshot: Snapshot | None = None,
    ) -> bool:
        """Whether at most so many stored events match. Costs no more than finding that many."""
        found = {"site": site, **match}
        number = await self.collection.count_documents(found, limit=most + 1, session=snapshot)
        return number <= most

    async def has_sample(
        self, site: str, start: datetime, end: datetime, snapshot: Snapshot | None = None
    ) -> bool:
        """Whether events of this time, the end left out, stand for more than themselves."""
        sampled = {"site": site, "at": {"$gte": start, "$lt": end}, "weight": {"$exists": True}}
        found = await self.collection.find_one(sampled, {"_id": 1}, session=snapshot)
        return found is not None

    async def first_at(self, site: str, since: datetime | None = None) -> datetime | None:
        """When the site's first event happened, of those at or after `since`; None without any."""
        return await self._edge(site, 1, since)

    async def last_at(self, site: str) -> datetime | None:
        """When the site's last event happened."""
        return await self._edge(site, -1)

    async def _edge(
        self, site: str, direction: int, since: datetime | None = None
    ) -> datetime | None:
        happened = {} if since is None else {"at": {"$gte": since}}
        document = await self.collection.find_one(
            {"site": site, **happened}, {"at": 1}, sort=[("at", direction)]
        )
        return document["at"] if document else None

    async def quarters_before(self, site: str, instant: datetime) -> list[datetime]:
        """The quarters of an hour in which the site's events before this instant happened, in order."""
        return await self._quarters_of({"site": site, "at": {"$lt": instant}})

    async def quarters_between(
        self, site: str, start: datetime, end: datetime, types: Types = ALL_TYPES
    ) -> list[datetime]:
        """The quarters of an hour of the site's events from start to end, end left out, in order."""
        happened = {"$gte": start, "$lt": end}
        return await self._quarters_of({"site": site, "at": happened, **_of_types(types)})

    async def sessions_between(
        self, site: str, start: datetime, end: datetime, types: Types, session: Snapshot
    ) -> list[str]:
        """The session ids of the site's events of these types from start to end, end left out."""
        match = {"site": site, "at": {"$gte": start, "$lt": end}, **_of_types(types)}
        cursor = self.collection.aggregate(
            [{"$match": match}, {"$group": {"_id": "$session"}}], session=session
        )
        return [group["_id"] async for group in cursor]

    async def delete(
        self,
        site: str,
        start: datetime,
        end: datetime,
        session: Snapshot,
        types: Types = ALL_TYPES,
    ) -> Deleted:
        """Delete the site's events of these types from start to end, end left out."""
        old: Raw = {"site": site, "at": {"$gte": start, "$lt": end}}
        counts = {"IMPRESSION": 0, "CLICK": 0}
        for kind in counts.keys() & set(types):
            found = await self.collection.delete_many({**old, "type": kind}, session=session)
            counts[kind] = found.deleted_count
        others = await self.collection.delete_many({**old, **_of_types(types)}, session=session)
        events = sum(counts.values()) + others.deleted_count
        return Deleted(events, counts["IMPRESSION"], counts["CLICK"])


def _of_types(types: Types) -> Raw:
    return {} if types == ALL_TYPES else {"type": {"$in": list(types)}}


def _in_quarter(quarter: datetime) -> Raw:
    return {"at": {"$gte": quarter, "$lt": quarter + QUARTER}}


async def _stored_events(site: str, cursor: AsyncIterator[Raw]) -> AsyncIterator[StoredEvent]:
    async for document in cursor:
        yield StoredEvent(
            document["_id"].removeprefix(f"{site}:"),
            claim_key(site, document["type"], document["session"], document.get("item", "")),
            document["at"],
        )
