"""A replica set of three mongods that can be killed, frozen, slowed and filled up."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from app.core.embedded import find_mongod
from tests.faults.processes import ROOT, Program, free_ports

NAME = "faults"
# Of MongoDB's defaults only the waiting is shorter (10 s and 5 s), so that a run ends soon: until a
# primary is missed, and until a secondary gives up copying from a member that does not answer.
ELECTION_MS, FETCH_SECONDS = 2_000, 1
WAIT_SECONDS = 60
# Fail points: for a disk that takes long to flush its journal, and for secondaries that lag behind.
JOURNAL = "pauseJournalFlusherBeforeFlush"
REPLICATION = "stopReplProducer"


class NotPossibleError(Exception):
    """Something cannot be done on this machine; the message says what and why."""


class Member:
    """One mongod with a folder of its own."""

    def __init__(self, folder: Path, port: int, disk_mb: int | None) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{port}"
        self._small_disk = disk_mb is not None
        folder.mkdir(parents=True)
        if disk_mb is not None:
            _mount(folder, disk_mb)
        arguments = [
            *("--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"),
            *("--replSet", NAME, "--nounixsocket", "--oplogSize", "128"),
            *("--wiredTigerCacheSizeGB", "0.25", "--syncdelay", "2" if disk_mb else "60"),
            *("--setParameter", "enableTestCommands=1"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", f"oplogNetworkTimeoutBufferSeconds={FETCH_SECONDS}"),
        ]
        log = folder.with_suffix(".log")
        self.program = Program([str(find_mongod()), *arguments], {}, ROOT, log)

    @contextlib.contextmanager
    def client(self, **options: Any) -> Iterator[MongoClient[dict[str, Any]]]:
        """A connection to this very member, whatever it is in the set."""
        wait = {"serverSelectionTimeoutMS": 2_000, "socketTimeoutMS": 10_000}
        with MongoClient(self.address, directConnection=True, **{**wait, **options}) as client:
            yield client

    def hello(self) -> dict[str, Any]:
        """What it says of itself; empty when it cannot be asked."""
        if self.program.frozen or not self.program.alive():
            return {}
        try:
            with self.client() as client:
                return client.admin.command("hello")
        except PyMongoError:
            return {}

    def hold_journal(self, hold: bool) -> None:
        """Let the journal wait before it is flushed, or let it go."""
        self._fail_point(JOURNAL, hold)

    def hold_replication(self, hold: bool) -> None:
        """Fetch nothing more from the primary, but stay in touch with it; or go on."""
        before = self._fail_point(REPLICATION, hold)
        if hold:  # it stands still when it has come there
            wanted = {"waitForFailPoint": REPLICATION, "timesEntered": before + 1}
            with self.client() as client:
                client.admin.command({**wanted, "maxTimeMS": 5_000})

    def release(self) -> None:
        """Give back whatever was taken from it: its room, its fail points, its life."""
        self.empty_disk()
        if not self.program.alive():
            self.program.start()
            return
        if self.program.frozen:
            self.program.thaw()
        with contextlib.suppress(PyMongoError):
            self.hold_journal(False)
            self.hold_replication(False)

    def _fail_point(self, name: str, on: bool) -> int:
        """Switch a fail point; how often it has been entered until now."""
        mode = "alwaysOn" if on else "off"
        with self.client() as client:
            return int(client.admin.command({"configureFailPoint": name, "mode": mode})["count"])

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill_disk(self) -> None:
        """Take every free byte of its disk."""
        with self._ballast.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while ballast.write(bytes(65_536)):
                pass

    def empty_disk(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        self.program.kill_all()  # its data is not needed any more
        if self._small_disk:
            subprocess.run(["umount", str(self.folder)], check=False, capture_output=True)


class ReplicaSet:
    """Three members. `start` before use, `close` ends all of it."""

    def __init__(self, folder: Path, disk_mb: int | None = None) -> None:
        ports = free_ports(3)
        self.members: list[Member] = []
        try:
            for port in ports:
                self.members.append(Member(folder / f"mongod-{port}", port, disk_mb))
        except BaseException:
            self.close()
            raise
        addresses = ",".join(member.address for member in self.members)
        self.url = f"mongodb://{addresses}/?replicaSet={NAME}"

    def start(self) -> None:
        for member in self.members:
            member.program.start()
        for member in self.members:
            _until(lambda asked=member: bool(asked.hello()), "a mongod that answers", member)
        with self.members[0].client() as client:
            client.admin.command(
                "replSetInitiate",
                {
                    "_id": NAME,
                    "members": [
                        {"_id": place, "host": member.address}
                        for place, member in enumerate(self.members)
                    ],
                    "settings": {
                        "electionTimeoutMillis": ELECTION_MS,
                        "heartbeatIntervalMillis": 500,
                    },
                },
            )
        self.heal()

    def primary(self) -> Member:
        """The member that takes writes; the one elected last, where two still think they do."""
        found: list[tuple[bytes, Member]] = []

        def look() -> bool:
            for member in self.members:
                hello = member.hello()
                if hello.get("isWritablePrimary"):
                    found.append((hello["electionId"].binary, member))
            return bool(found)

        _until(look, "a primary", self.members[0])
        return max(found, key=lambda entry: entry[0])[1]

    def secondaries(self) -> list[Member]:
        primary = self.primary()
        return [member for member in self.members if member is not primary]

    def heal(self) -> None:
        """Thaw, restart and wait until one is primary and the others have caught up with it."""
        for member in self.members:
            member.release()
        _until(self._is_whole, "a whole replica set", self.members[0])

    def _is_whole(self) -> bool:
        try:
            with self.primary().client() as client:
                status = client.admin.command("replSetGetStatus")
        except PyMongoError:
            return False
        states = sorted(member["stateStr"] for member in status["members"])
        if states != ["PRIMARY", "SECONDARY", "SECONDARY"]:
            return False
        applied = [member["optimeDate"] for member in status["members"]]
        return bool((max(applied) - min(applied)).total_seconds() < 5)

    def version(self) -> str:
        with self.primary().client() as client:
            return str(client.server_info()["version"])

    def close(self) -> None:
        for member in self.members:
            member.close()


def _until(condition: Any, what: str, member: Member) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError(
        f"there was no {what} within {WAIT_SECONDS} s; a log is {member.program.log}"
    )


def _mount(folder: Path, megabytes: int) -> None:
    """Put a small file system of its own under a folder."""
    if os.geteuid() != 0:
        raise NotPossibleError("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "footfall-faults", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPossibleError(f"mounting a small file system failed ({done.stderr.strip()})")
