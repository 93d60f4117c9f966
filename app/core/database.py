"""Connecting to MongoDB. With the repositories, this is all that names the driver."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

import pymongo
from beanie import Document, init_beanie
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from app.core.errors import ErrorCode, FootfallError

logger = logging.getLogger("footfall.database")

# An answer is due within 5 s even when the database is away: the search for a server must end
# before, and so must everything that one group of events asks of it.
SERVER_SELECTION_MS = 2_000
OPERATION_MS = 4_000

_UNAVAILABLE = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

Client = AsyncIOMotorClient[dict[str, Any]]
DatabaseHandle = AsyncIOMotorDatabase[dict[str, Any]]
DirectDatabase = AsyncDatabase[dict[str, Any]]

# Writes are acknowledged by a majority with their journal, and times are UTC.
_OPTIONS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "retryWrites": True,
    "readPreference": "primary",
    "tz_aware": True,
    "serverSelectionTimeoutMS": SERVER_SELECTION_MS,
    "connectTimeoutMS": SERVER_SELECTION_MS,
    "socketTimeoutMS": 120_000,
    "maxPoolSize": 50,
}


def connect(url: str, *, application: str = "footfall") -> Client:
    """A client whose writes are acknowledged by a majority with their journal, and whose times are UTC."""
    return AsyncIOMotorClient(url, appname=application, **_OPTIONS)


@asynccontextmanager
async def direct_database(url: str, name: str) -> AsyncIterator[DirectDatabase]:
    """The database of this name without threads in between, for what is asked of it for every event.

    Motor hands each operation to a thread and its answer back, which takes longer than the operation.
    Connections are made when they are first needed.
    """
    async with AsyncMongoClient[dict[str, Any]](url, appname="footfall", **_OPTIONS) as client:
        yield client[name]


class StandaloneMongoError(FootfallError):
    """The server is no replica set, and cannot promise that what it acknowledged stays."""

    code = ErrorCode.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "The MongoDB of FOOTFALL_MONGO_URL is not a replica set. One node is enough: start mongod "
            "with --replSet rs0 and run rs.initiate() once."
        )


async def require_replica_set(client: Client) -> None:
    """Raises StandaloneMongoError for a lone server: it has no majority writes and no snapshots."""
    hello = await client.admin.command("hello")
    in_a_set = "setName" in hello or hello.get("isreplicaset")
    if not in_a_set and hello.get("msg") != "isdbgrid":
        raise StandaloneMongoError


async def prepare(database: DatabaseHandle, documents: Sequence[type[Document]]) -> None:
    """Bind the documents to this database. Indexes are reconciled apart, by `reconcile_indexes`."""
    await init_beanie(database=database, document_models=list(documents), skip_indexes=True)


async def reconcile_indexes(
    database: DatabaseHandle,
    documents: Sequence[type[Document]],
    lifetimes: Mapping[str, int | None],
) -> None:
    """Make the indexes in the database those that the documents declare.

    Missing ones are made, ones no longer declared are dropped, and a TTL index follows its setting:
    `lifetimes` gives seconds by index name; None means that nothing expires, so there is no index.
    Several processes may do this at once.
    """
    there = await database.list_collection_names()
    for document in documents:
        collection = str(document.get_settings().name)
        if collection not in there:
            await _create(database, collection)
        wanted: dict[str, dict[str, Any]] = {}
        for index in _declared_indexes(document):
            options = dict(index.document)
            name = str(options["name"])
            if name in lifetimes:
                seconds = lifetimes[name]
                if seconds is None:
                    continue
                options["expireAfterSeconds"] = seconds
            wanted[name] = options
        await _reconcile_collection(database, collection, wanted)


async def current_lifetimes(
    database: DatabaseHandle, documents: Sequence[type[Document]], names: Collection[str]
) -> dict[str, int | None]:
    """Seconds after which these TTL indexes expire things now; None where nothing expires.

    Those of collections that do not exist yet are left out.
    """
    existing = await database.list_collection_names()
    found: dict[str, int | None] = {}
    for document in documents:
        collection = str(document.get_settings().name)
        declared = {str(index.document["name"]) for index in _declared_indexes(document)}
        if collection in existing and declared & set(names):
            indexes = await database.get_collection(collection).index_information()
            for name in declared & set(names):
                found[name] = indexes.get(name, {}).get("expireAfterSeconds")
    return found


def _declared_indexes(document: type[Document]) -> list[IndexModel]:
    inner = getattr(document, "Settings", None)
    return list(getattr(inner, "indexes", []))


async def _create(database: DatabaseHandle, name: str) -> None:
    try:
        await database.create_collection(name)
    except OperationFailure as error:
        if error.code != 48:  # NamespaceExists: another process was first
            raise
    except PyMongoError as error:
        # CollectionInvalid is the driver's own check before it asks the server.
        if type(error).__name__ != "CollectionInvalid":
            raise


async def _reconcile_collection(
    database: DatabaseHandle, name: str, wanted: Mapping[str, dict[str, Any]]
) -> None:
    collection = database.get_collection(name)
    existing = await collection.index_information()
    for index_name, options in wanted.items():
        have = existing.get(index_name)
        if have is not None and _differs_in_more_than_lifetime(have, options):
            logger.info("index %s.%s has changed and is made anew", name, index_name)
            await collection.drop_index(index_name)
            have = None
        if have is None:
            await collection.create_indexes([_index_model(options)])
        elif have.get("expireAfterSeconds") != options.get("expireAfterSeconds"):
            logger.info(
                "index %s.%s expires after %s s now",
                name,
                index_name,
                options["expireAfterSeconds"],
            )
            await database.command(
                "collMod",
                name,
                index={
                    "name": index_name,
                    "expireAfterSeconds": options["expireAfterSeconds"],
                },
            )
    for index_name in set(existing) - set(wanted) - {"_id_"}:
        logger.info("index %s.%s is no longer wanted", name, index_name)
        await collection.drop_index(index_name)


def _index_model(options: Mapping[str, Any]) -> IndexModel:
    keys = list(options["key"].items())
    return IndexModel(keys, **{key: value for key, value in options.items() if key != "key"})


def _differs_in_more_than_lifetime(have: Mapping[str, Any], want: Mapping[str, Any]) -> bool:
    if "textIndexVersion" in have:
        return dict(have.get("weights", {})) != dict(want.get("weights", {}))
    same = (
        list(have["key"]) == list(want["key"].items())
        and bool(have.get("unique")) == bool(want.get("unique"))
        and have.get("partialFilterExpression") == want.get("partialFilterExpression")
        and ("expireAfterSeconds" in have) == ("expireAfterSeconds" in want)
    )
    return not same


def deadline(seconds: float = OPERATION_MS / 1000) -> AbstractContextManager[None]:
    """`with deadline():` everything asked of the database inside ends in time, or fails."""
    return pymongo.timeout(seconds)


async def ping(client: Client, seconds: float = 1.0) -> bool:
    """Whether a primary that takes writes answers within so many seconds."""
    try:
        hello = await asyncio.wait_for(client.admin.command("hello"), seconds)
    except (PyMongoError, TimeoutError):
        return False
    return bool(hello.get("isWritablePrimary"))


def is_unavailable(error: BaseException) -> bool:
    """Whether the database could not be reached in time, as against a mistake of ours."""
    if isinstance(error, _UNAVAILABLE):
        return True
    return isinstance(error, PyMongoError) and bool(
        error.has_error_label("RetryableWriteError")
        or error.has_error_label("TransientTransactionError")
    )


def is_out_of_time(error: BaseException) -> bool:
    """Whether the database ended an operation because its time (maxTimeMS) was over."""
    return isinstance(error, ExecutionTimeout)
