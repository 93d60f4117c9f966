"""Events as they are accepted, by any process: a change stream of the events."""

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from beanie import Document
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import OperationFailure, PyMongoError

from app.core.database import deadline
from app.repositories.base import Raw, Repository
from app.schemas import Event

Token = Mapping[str, Any]

# What a live event shows is made of these; nothing else leaves the database.
FIELDS = (
    "_id", "site", "type", "name", "item", "page", "source", "device", "browser", "os", "country",
    "at", "received_at", "visitor", "session",
)  # fmt: skip

MAX_PORTION = 1_000
# How long the database waits for an event before it answers that there is none. A thread of the
# driver's pool waits with it, and who wants another stream waits as long.
WAIT_MS = 250
ANSWER_SECONDS = 5.0  # beyond it the database is taken for away

# InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost.
_TOKEN_IS_OF_NO_USE = frozenset({260, 280, 286})


class StreamBrokenError(Exception):
    """The stream has ended, as when the primary changes. Open it again after its last token."""


class StreamLostError(Exception):
    """The database no longer knows what came after the token. Open it again from now on."""


class EventStream(Repository[Event]):
    """Opens streams. What `majority` has not got is not in them, so that nothing is taken back."""

    document: ClassVar[type[Document]] = Event

    @asynccontextmanager
    async def open(
        self, sites: Collection[str], after: Token | None = None
    ) -> AsyncIterator["OpenStream"]:
        """The stream of these sites' events, from now on or from where `after` was taken.

        When this has returned, every event that is accepted from then on is in it. Raises
        StreamBrokenError or StreamLostError.
        """
        database = self.collection.database
        with _broken_or_lost():
            session = await database.client.start_session()
        async with session:
            stream = OpenStream(self.collection.name, database, session)
            await stream.start(sites, after)
            try:
                yield stream
            finally:
                await stream.close()


class OpenStream:
    """One change stream. `token` is where it has come to.

    These are the plain commands and not the driver's ChangeStream, which would hand events over
    one by one, each by way of a thread: 14,000 a second at best, where this takes 67,000.
    """

    def __init__(self, collection: str, database: Any, session: AsyncIOMotorClientSession) -> None:
        self._collection = collection
        self._database = database
        self._session = session
        self._cursor = 0
        self.token: Token | None = None

    async def start(self, sites: Collection[str], after: Token | None) -> None:
        wanted = {"operationType": "insert", "fullDocument.site": {"$in": sorted(sites)}}
        pipeline = [
            {"$changeStream": {} if after is None else {"resumeAfter": after}},
            {"$match": wanted},
            {"$project": {f"fullDocument.{name}": 1 for name in FIELDS}},
        ]
        # Nothing is read yet: that would be lost if this were cut short.
        cursor = {"batchSize": 0}
        with deadline(ANSWER_SECONDS):
            answer = await self._ask(
                {"aggregate": self._collection, "pipeline": pipeline, "cursor": cursor}
            )
        self._cursor = answer["id"]
        self.token = answer.get("postBatchResumeToken", after)

    async def next(self) -> list[Raw]:
        """The next events, at most MAX_PORTION, as they are stored but for the fields left out.

        None of them after WAIT_MS without any. `token` is behind them then.
        """
        if not self._cursor:  # the collection was dropped
            raise StreamLostError
        # Without a deadline, which would be what the database waits for. The driver's monitor ends it
        # when the primary does not answer.
        answer = await self._ask(
            {
                "getMore": self._cursor,
                "collection": self._collection,
                "batchSize": MAX_PORTION,
                "maxTimeMS": WAIT_MS,
            }
        )
        self._cursor = answer["id"]
        self.token = answer.get("postBatchResumeToken", self.token)
        return [change["fullDocument"] for change in answer["nextBatch"]]

    async def close(self) -> None:
        """Let the database forget the stream; where it is away it does so by itself."""
        command = {"killCursors": self._collection, "cursors": [self._cursor]}
        with contextlib.suppress(PyMongoError), deadline(ANSWER_SECONDS):
            if self._cursor:
                await self._database.command(command, session=self._session)

    async def _ask(self, command: Raw) -> Raw:
        with _broken_or_lost():
            answer = await self._database.command(
                command, session=self._session, codec_options=self._database.codec_options
            )
        cursor: Raw = answer["cursor"]
        return cursor


@contextlib.contextmanager
def _broken_or_lost() -> Any:
    """What the driver raises becomes one of the two errors."""
    try:
        yield
    except OperationFailure as error:
        lost = error.code in _TOKEN_IS_OF_NO_USE
        raise (StreamLostError if lost else StreamBrokenError) from error
    except PyMongoError as error:
        raise StreamBrokenError from error
