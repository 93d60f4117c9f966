"""`footfall scrub`: the embedded MongoDB's data in new files."""

from pathlib import Path

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from app.cli import cli
from app.commands.scrub import NotEmbeddedError
from app.core.embedded import EmbeddedMongo


def test_the_embedded_data_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored is there, in other files; nothing is left beside them, mongod's log included."""
    monkeypatch.setenv("FOOTFALL_DATA_DIR", str(tmp_path))
    mongo = EmbeddedMongo(tmp_path, cache_gb=0.3)
    with mongo as url, MongoClient(url) as client:
        client.footfall.things.insert_many({"_id": n, "text": "x" * 100} for n in range(2_500))
    before = {path.name for path in (tmp_path / "mongo" / "db").iterdir()}
    assert CliRunner().invoke(cli, ["scrub"], catch_exceptions=False).exit_code == 0
    folder = tmp_path / "mongo"
    assert sorted(path.name for path in folder.iterdir()) == ["db", "start.lock", "users.lock"]
    after = {path.name for path in (folder / "db").iterdir()}
    collections = {name for name in before if name.startswith("collection-")}
    assert collections
    assert not collections & after
    with mongo as url, MongoClient(url) as client:
        assert client.footfall.things.count_documents({}) == 2_500


def test_a_mongodb_of_the_operators_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to do instead."""
    monkeypatch.setenv("FOOTFALL_MONGO_URL", "mongodb://127.0.0.1:1/?replicaSet=x")
    with pytest.raises(NotEmbeddedError, match="one after the other"):
        CliRunner().invoke(cli, ["scrub"], catch_exceptions=False)
