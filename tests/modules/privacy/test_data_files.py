"""The files of the database: no byte of them names who was erased, once they have been written anew."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from app.core.embedded import DataInUseError, EmbeddedMongo
from tests.conftest import api_maker
from tests.modules.privacy.looking import ERASE, naming

WHO = "visitor-who-was-here-4711"
# Nothing is compressed, so that an id that is in a file can be found there.
READABLE = (
    *("--wiredTigerCollectionBlockCompressor", "none", "--wiredTigerJournalCompressor", "none"),
    *("--wiredTigerIndexPrefixCompression", "false"),
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def files_naming(folder: Path, who: str) -> list[str]:
    """Every file below a folder, whatever it is, that has these bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if who.encode() in path.read_bytes()]


async def live(api: Any, url: str) -> None:
    """Some visitors come, everything is on the disk, and one of them is erased."""
    for who in (WHO, "somebody"):
        theirs = {"visitorId": who, "userId": f"user-of-{who}", "sessionId": f"session-of-{who}"}
        await api.track(
            {"type": "IMPRESSION", "itemId": "lot", **theirs},
            {"type": "IMPRESSION", "itemId": "lot", **theirs},
            {"type": "PAGE_VIEW", "pageUrl": f"https://a.example/{who}", **theirs},
            {"type": "CLICK", "itemId": "lot", "userAgent": GOOGLEBOT, **theirs},
        )
    await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()
    with MongoClient(url) as client:
        client.admin.command("fsync")
    receipt = (await api.ask(ERASE, {"v": WHO}))["eraseVisitor"]
    assert receipt["finishedAt"] is not None
    assert receipt["removed"] == {"events": 2, "sessions": 1, "decisions": 2, "goneEvents": 0}
    assert await naming(api, WHO) == []


async def test_no_file_names_who_was_erased(tmp_path: Path) -> None:
    """Before the files are written anew they do: in free space, the journal and the replica set's log.
    What is left is there afterwards, and works."""
    mongo = EmbeddedMongo(tmp_path, cache_gb=0.3, expires=False, arguments=READABLE)
    with mongo as url:
        async with api_maker(url, "footfall") as make_api:
            await live(await make_api(), url)
        with pytest.raises(DataInUseError):
            EmbeddedMongo(tmp_path).rewrite()
    before = files_naming(tmp_path, WHO)
    assert any(name.startswith("collection-") for name in before)
    assert any(name.startswith("index-") for name in before)
    mongo.rewrite()
    for trace in (WHO, f"user-of-{WHO}", f"session-of-{WHO}"):
        assert files_naming(tmp_path, trace) == []
    assert files_naming(tmp_path, "session-of-somebody")
    with mongo as url:
        async with api_maker(url, "footfall") as make_api:
            api = await make_api(empty=False)
            totals = await api.ask("{ overview { current { events uniqueVisitors } } }")
            assert totals["overview"]["current"] == {"events": 2, "uniqueVisitors": 1}
            await api.track({"type": "PAGE_VIEW"})
            indexes = await api.database["events"].index_information()
            assert indexes["one_conversion_an_order"]["unique"]


async def test_an_interrupted_rewrite_loses_nothing(tmp_path: Path) -> None:
    """Whichever of the two exchanges of folders it got to, the next start has one whole database."""
    mongo = EmbeddedMongo(tmp_path, cache_gb=0.3)
    with mongo as url, MongoClient(url) as client:
        client.footfall.things.insert_one({"_id": 1})
    data = tmp_path / "mongo" / "db"
    data.rename(data.with_name("db.old"))
    with mongo as url, MongoClient(url) as client:
        assert client.footfall.things.count_documents({}) == 1
    (data.with_name("db.old")).mkdir()
    with mongo as url, MongoClient(url) as client:
        assert client.footfall.things.count_documents({}) == 1
    assert not data.with_name("db.old").exists()
