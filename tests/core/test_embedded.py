"""The embedded MongoDB: a real mongod, shared, and gone when the last one leaves."""

import json
import os
from pathlib import Path

import pytest
from pymongo import MongoClient

from app.core.embedded import EmbeddedMongo, NoMongodError


def pid_of(folder: Path) -> int:
    return int(json.loads((folder / "mongo" / "mongod.json").read_text())["pid"])


def test_data_stays_and_the_process_does_not(tmp_path: Path) -> None:
    """What was written is there at the next start, on whatever port; in between no mongod runs."""
    with EmbeddedMongo(tmp_path, cache_gb=0.25) as url, MongoClient(url) as client:
        client["shop"]["things"].insert_one({"_id": 1})
        pid = pid_of(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with EmbeddedMongo(tmp_path, cache_gb=0.25) as url, MongoClient(url) as client:
        assert client["shop"]["things"].count_documents({}) == 1


def test_two_users_share_one_and_the_last_one_ends_it(tmp_path: Path) -> None:
    """A command beside a running server uses the server's mongod and leaves it running."""
    with EmbeddedMongo(tmp_path, cache_gb=0.25) as first:
        pid = pid_of(tmp_path)
        with EmbeddedMongo(tmp_path, cache_gb=0.25) as second:
            assert second == first
            assert pid_of(tmp_path) == pid
        with MongoClient(first) as client:
            assert client.admin.command("ping")["ok"]


def test_without_a_mongod_it_says_what_to_do(tmp_path: Path) -> None:
    """A program that is not there is named by its setting; nothing else is tried in its place."""
    with (
        pytest.raises(NoMongodError, match="FOOTFALL_MONGOD"),
        EmbeddedMongo(tmp_path, tmp_path / "no"),
    ):
        pass


def test_a_mongod_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    """A program that ends at once is not waited for."""
    broken = tmp_path / "mongod"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(NoMongodError, match=r"mongod\.log"), EmbeddedMongo(tmp_path, broken):
        pass
