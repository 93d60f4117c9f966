"""What the repositories share."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from beanie import Document
from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection
from pymongo.errors import BulkWriteError

from app.core.errors import UnavailableError

D = TypeVar("D", bound=Document)

DUPLICATE_KEY = 11000

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

    @property
    def collection(self) -> "AsyncIOMotorCollection[Raw]":
        return self.document.get_motor_collection()

    async def _insert_many(self, documents: Sequence[Raw]) -> list[Refused]:
        """Insert all that can be, and say which were there already.

        One refused document does not keep the others out. When this returns, the others are
        durable (majority and journal). Raises what the driver raises when that is not sure.
        """
        if not documents:
            return []
        try:
            await self.collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return refused_by(error)
        return []

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
