"""The database alone: the same documents inserted by two processes that do nothing else."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

from pymongo import IndexModel, MongoClient

from tests.bench.servers import DATABASE, SITE

PROCESSES = 2
RAW_DATABASE = "bench_raw"
START_SECONDS = 60

_barrier: Barrier | None = None


class RawInserts:
    """Two processes that are ready to insert into a collection with the indexes of `events`."""

    def __init__(self, pool: ProcessPoolExecutor, mongo_url: str) -> None:
        self._pool = pool
        self._url = mongo_url
        _copy_indexes(mongo_url)

    def rate(self, event_ids: Sequence[str], batch_size: int) -> float:
        """Documents a second, for these stored events in batches of this size."""
        shares = [event_ids[number::PROCESSES] for number in range(PROCESSES)]
        jobs = [self._pool.submit(_insert, self._url, share, batch_size) for share in shares]
        times = [job.result() for job in jobs]
        seconds = max(ended for _, ended in times) - min(began for began, _ in times)
        return len(event_ids) / seconds


@contextmanager
def raw_inserts(mongo_url: str) -> Iterator[RawInserts]:
    context = get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, _share, (barrier,)) as pool:
        yield RawInserts(pool, mongo_url)


def _share(barrier: Barrier) -> None:
    """Give a process the barrier at which all wait for each other."""
    global _barrier
    _barrier = barrier


def _insert(url: str, event_ids: Sequence[str], batch_size: int) -> tuple[float, float]:
    """Insert the documents of these events; when it began and ended, on the machine's clock."""
    with MongoClient(url, w="majority", journal=True, tz_aware=True) as client:
        documents = list(_documents(client, event_ids))
        target = client[RAW_DATABASE]["events"]
        target.find_one()  # connects
        if _barrier is None:
            raise RuntimeError("not a process of the pool")
        _barrier.wait(START_SECONDS)
        began = time.monotonic()
        for place in range(0, len(documents), batch_size):
            target.insert_many(documents[place : place + batch_size], ordered=False)
        return began, time.monotonic()


def _documents(
    client: MongoClient[dict[str, Any]], event_ids: Sequence[str]
) -> Iterable[Mapping[str, Any]]:
    """The stored documents of these events, in their order."""
    events = client[DATABASE]["events"]
    for place in range(0, len(event_ids), 1_000):
        ids = [f"{SITE}:{event_id}" for event_id in event_ids[place : place + 1_000]]
        found = {document["_id"]: document for document in events.find({"_id": {"$in": ids}})}
        yield from (found[event_id] for event_id in ids)


def _copy_indexes(mongo_url: str) -> None:
    with MongoClient(mongo_url) as client:
        indexes = client[DATABASE]["events"].index_information()
        wanted = [
            IndexModel(
                options["key"],
                name=name,
                **{k: v for k, v in options.items() if k not in ("key", "v", "ns")},
            )
            for name, options in indexes.items()
            if name != "_id_"
        ]
        client[RAW_DATABASE]["events"].create_indexes(wanted)
