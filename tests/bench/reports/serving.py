"""The API and its commands as an operator runs them: processes of their own on the bench's mongod."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.bench.reports import vocabulary as words
from tests.bench.reports.filling import DATABASE
from tests.conftest import LiveServer, start_server, stop_server, wait_until_ready

START_SECONDS = 1_800  # indexes that a kept database does not have yet are made at the start
# The events lie at a fixed time, which is longer ago each day, and must not be past their retention.
SETTINGS = {"FOOTFALL_DATA_RETENTION_DAYS": "3650", "FOOTFALL_RATE_LIMIT": "off"}


class CommandError(Exception):
    """A command of footfall did not start or not end as it should."""


@contextmanager
def serving(mongo_url: str, folder: Path) -> Iterator[LiveServer]:
    """`footfall serve` with one worker, from when it is ready; it is ended when the block is left.

    Raises CommandError.
    """
    server = start_server(mongo_url, DATABASE, folder, wait=False, **SETTINGS)
    try:
        _wait(server)
        yield server
    finally:
        try:
            stop_server(server)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


def _wait(server: LiveServer) -> None:
    try:
        wait_until_ready(server, seconds=START_SECONDS)
    except AssertionError as error:
        raise CommandError(str(error)) from None


def footfall(mongo_url: str, folder: Path, *arguments: str) -> float:
    """Run a command, its progress shown; the seconds it took. Raises CommandError."""
    environment = {
        **os.environ,
        **SETTINGS,
        "FOOTFALL_MONGO_URL": mongo_url,
        "FOOTFALL_DATABASE": DATABASE,
    }
    began = time.monotonic()
    ended = subprocess.run([_program(), *arguments], env=environment, cwd=folder, check=False)
    if ended.returncode:
        raise CommandError(f"footfall {' '.join(arguments)} ended with {ended.returncode}")
    return time.monotonic() - began


def can_rebuild() -> bool:
    """Whether there is a command that rolls up."""
    ended = subprocess.run([_program(), "rebuild", "--help"], capture_output=True, check=False)
    return ended.returncode == 0


def rebuild(mongo_url: str, folder: Path) -> float:
    """Roll everything up anew; the seconds it took."""
    start, end = words.FIRST, words.FIRST + words.LENGTH + timedelta(days=1)
    return footfall(
        mongo_url,
        folder,
        *("rebuild", "--site", words.SITE),
        *("--from", f"{start:%Y-%m-%d}", "--to", f"{end:%Y-%m-%d}"),
    )


def _program() -> Path:
    return Path(sys.executable).parent / "footfall"
