"""Fills a database with made-up events: two processes that insert and do nothing else meanwhile."""

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import Columns, make_columns
from tests.bench.reports.documents import documents

DATABASE = "bench"
PROCESSES = 2
BATCH = 5_000
# The collections that filling leaves something in: what is in the others is computed from it.
FILLED = frozenset({"events", "items", "sites", "api_keys"})
START_SECONDS = 300
LOOK_SECONDS = 0.2

# How many events are stored.
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """How long filling took: all of it, and of the process that took longest what the inserts took.

    The rest is making documents, which is no part of what a database costs.
    """

    events: int
    seconds: float
    inserting: float


@dataclass(slots=True)
class _Shared:
    """What the processes have in common: a barrier to begin at, how many events are stored, and
    whether to end early."""

    barrier: Barrier
    stored: "Synchronized[int]"
    stop: Event


_shared: _Shared | None = None


class Store:
    """The folder of one filled database: its columns, and a note that it was filled to the end."""

    def __init__(self, folder: Path, events: int) -> None:
        self.folder = folder / f"{events}-events"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.events = events

    @property
    def _note(self) -> Path:
        return self.folder / "filled.json"

    @property
    def _columns(self) -> Path:
        return self.folder / "columns"

    def kept(self) -> tuple[Columns, Filled] | None:
        """What an earlier run has filled here; None where it was not finished or made otherwise."""
        if not self._note.is_file():
            return None
        note = json.loads(self._note.read_text())
        if note.pop("made_by") != _made_by():
            return None
        return Columns.load(self._columns), Filled(**note)

    def make(self) -> Columns:
        """Make the columns anew, for all processes to read."""
        self._note.unlink(missing_ok=True)
        make_columns(self.events).save(self._columns)
        return Columns.load(self._columns)

    def fill(self, mongo_url: str, advance: Advance) -> Filled:
        """Store the events of the columns in an empty collection that has its indexes."""
        filled = _fill(mongo_url, self._columns, self.events, advance)
        _write_out(mongo_url)
        self._note.write_text(json.dumps({**asdict(filled), "made_by": _made_by()}))
        return filled


def _made_by() -> str:
    """A digest of what makes the events: whatever changes there makes others."""
    files = sorted(Path(__file__).parent / f"{name}.py" for name in _MAKERS)
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


_MAKERS = ("columns", "documents", "vocabulary")


def empty(mongo_url: str) -> None:
    """Remove the database of an earlier run."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(DATABASE)


def forget_rollups(mongo_url: str) -> None:
    """Remove all that an earlier run has computed from the events, so that each rolls up from nothing."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        for name in client[DATABASE].list_collection_names():
            if name not in FILLED:
                client[DATABASE].drop_collection(name)


def stored_events(mongo_url: str) -> int:
    """How many events there are."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        return client[DATABASE]["events"].estimated_document_count()


def _write_out(mongo_url: str) -> None:
    """Have everything written to the disk, so that it does not go on during what comes next."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.admin.command("fsync")


def _fill(mongo_url: str, columns: Path, events: int, advance: Advance) -> Filled:
    context = get_context("spawn")
    shared = _Shared(context.Barrier(PROCESSES + 1), context.Value("q", 0), context.Event())
    common = (shared.barrier, shared.stored, shared.stop)
    with ProcessPoolExecutor(PROCESSES, context, _share, common) as pool:
        jobs = [
            pool.submit(_insert, mongo_url, columns, events, number) for number in range(PROCESSES)
        ]
        try:
            shared.barrier.wait(START_SECONDS)
            began = time.monotonic()
            _watch(jobs, shared.stored, advance)
            seconds = time.monotonic() - began
        finally:
            # Who is still at it when the run is ended must neither wait nor fill to the end.
            shared.stop.set()
            shared.barrier.abort()
        return Filled(events, seconds, max(job.result() for job in jobs))


def _share(barrier: Barrier, stored: "Synchronized[int]", stop: Event) -> None:
    """Give a process what it has in common with the others."""
    global _shared
    _shared = _Shared(barrier, stored, stop)


def _watch(jobs: list[Future[float]], stored: "Synchronized[int]", advance: Advance) -> None:
    """Tell how far the processes are until they have ended. Raises what went wrong in one of them."""
    running = set(jobs)
    while running:
        done, running = wait_for(running, LOOK_SECONDS)
        for job in done:
            job.result()
        advance(stored.value)


def _insert(mongo_url: str, folder: Path, events: int, number: int) -> float:
    """Insert every second batch, so that both go along in time; seconds that the inserts took."""
    if _shared is None:
        raise RuntimeError("not a process of the pool")
    columns = Columns.load(folder)
    inserting = 0.0
    with MongoClient[dict[str, Any]](mongo_url, w="majority", journal=True) as client:
        target = client[DATABASE]["events"]
        target.find_one()  # connects
        _shared.barrier.wait(START_SECONDS)
        for place in range(number * BATCH, events, PROCESSES * BATCH):
            if _shared.stop.is_set():
                break
            batch = list(documents(columns, place, min(place + BATCH, events)))
            began = time.monotonic()
            target.insert_many(batch, ordered=False)
            inserting += time.monotonic() - began
            with _shared.stored.get_lock():
                _shared.stored.value += len(batch)
    return inserting


def catalogue(file: Path) -> None:
    """Write the items as a file that `footfall import items` takes."""
    lines = ["id,title,category"]
    lines += [
        f"{words.item_id(number)},{words.item_title(number)},{words.category_of(number) or ''}"
        for number in range(words.ITEMS)
        if words.is_catalogued(number)
    ]
    file.write_text("\n".join(lines) + "\n")
