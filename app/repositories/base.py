"""What the repositories share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from beanie import Document
from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from app.core.database import DirectDatabase
from app.core.errors import UnavailableError

D = TypeVar("D", bound=Document)
T = TypeVar("T")

DUPLICATE_KEY = 11000
# How many documents of a long result are held at once.
PORTION = 10_000

Raw = dict[str, Any]
Snapshot = AsyncIOMotorClientSession


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that a bulk insert refused because a unique index has its key already."""

    place: int
    index: str


class Repository(Generic[D]):
    """Reads and writes one kind of document."""

    document: ClassVar[type[Document]]

    def __init__(self, direct: DirectDatabase | None = None) -> None:
        self._direct = direct

    @property
    def _hot(self) -> "AsyncCollection[Raw] | AsyncIOMotorCollection[Raw]":
        """The collection for what every event needs: without threads in between, where that is wired."""
        if self._direct is None:
            return self.collection
        return self._direct[str(self.document.get_settings().name)]

    @property
    def collection(self) -> "AsyncIOMotorCollection[Raw]":
        return self.document.get_motor_collection()

    async def _one(self, wanted: Mapping[str, Any]) -> D | None:
        """A document that requests wait for before anything else.

        It does not queue behind reports, which may fill all of the driver's threads.
        """
        found = await self._hot.find_one(wanted)
        return None if found is None else self._parsed(found)

    def _parsed(self, found: Raw) -> D:
        return cast(D, self.document.model_validate(found))

    async def _insert_many(self, documents: Sequence[Raw]) -> list[Refused]:
        """Insert all that can be, and say which were there already.

        One refused document does not keep the others out. When this returns, the others are
        durable (majority and journal). Raises what the driver raises when that is not sure.
        """
        if not documents:
            return []
        try:
            await self._hot.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return refused_by(error)
        return []

    async def _store(
        self, documents: Sequence[Raw], known: Collection[str], more: Sequence[Any] = ()
    ) -> None:
        """Store these documents in place of those of the same `_id`, and do `more` in the same write.

        `known` are the ids of which there is one. The others are inserted, which takes the database
        half of what an upsert takes; where one of them is there after all, it is replaced.
        """
        if not documents and not more:
            return
        writes = [
            ReplaceOne({"_id": document["_id"]}, document, upsert=True)
            if document["_id"] in known
            else InsertOne(document)
            for document in documents
        ]
        try:
            await self.collection.bulk_write([*writes, *more], ordered=False)
        except BulkWriteError as error:
            there = [documents[refused.place]["_id"] for refused in refused_by(error)]
            again = [document for document in documents if document["_id"] in there]
            await self._store(again, there)

    async def _aggregate(
        self,
        site: str,
        pipeline: Sequence[Mapping[str, Any]],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = 30,
    ) -> list[Raw]:
        """Run a pipeline over this site's documents only."""
        cursor = self.collection.aggregate(
            [{"$match": {"site": site}}, *pipeline],
            session=snapshot,
            allowDiskUse=True,
            maxTimeMS=int(max_seconds * 1000),
        )
        return await cursor.to_list(None)

    async def _stream(
        self,
        site: str,
        pipeline: Sequence[Mapping[str, Any]],
        take: Callable[[list[Raw]], None],
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = 30,
    ) -> None:
        """The same, with `take` given what it finds in portions of at most PORTION documents.

        `take` runs in a thread, one portion after the other, so that other requests go on.
        """
        cursor = self.collection.aggregate(
            [{"$match": {"site": site}}, *pipeline],
            session=snapshot,
            allowDiskUse=True,
            maxTimeMS=int(max_seconds * 1000),
        )
        try:
            while portion := await cursor.to_list(PORTION):
                await asyncio.to_thread(take, portion)
        finally:
            # A snapshot's session cannot do it: the driver then does, in another one, within a second.
            await cursor.close()

    async def in_transaction(self, work: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Do `work` in a transaction, again where another write came in between."""
        client = self.collection.database.client
        async with await client.start_session() as session:
            done: T = await session.with_transaction(
                work,
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
            )
            return done

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """A session whose reads all see the database at one instant, so that their numbers agree."""
        client = self.collection.database.client
        async with await client.start_session(snapshot=True) as session:
            yield session


def refused_by(error: BulkWriteError) -> list[Refused]:
    """The duplicates of a bulk write.

    Raises UnavailableError when the others may not be durable, because no majority confirmed them
    in time, and the error itself if there was more to it than that.
    """
    details = error.details or {}
    if details.get("writeConcernErrors"):
        raise UnavailableError from error
    failures = details.get("writeErrors", [])
    if any(f["code"] != DUPLICATE_KEY for f in failures):
        raise error
    return [Refused(place=f["index"], index=_index_name(f)) for f in failures]


def _index_name(failure: Mapping[str, Any]) -> str:
    """The index that refused, from the server's message: 'E11000 ... index: NAME dup key: ...'."""
    message = str(failure.get("errmsg", ""))
    _, _, rest = message.partition(" index: ")
    return rest.split(" ", 1)[0] or "_id_"
