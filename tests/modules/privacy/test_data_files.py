"""The files of the database: no byte of them names who was erased, once they have been written anew."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from app.commands.running import database
from app.core.config import Settings
from app.core.embedded import DataInUseError, EmbeddedMongo
from app.modules.analytics.rollups.columns import hash_of
from tests.conftest import api_maker
from tests.modules.privacy.looking import ERASE, naming

WHO = "visitor-who-was-here-4711"
# What columns and small sets have of them.
HASH = hash_of(WHO).to_bytes(8, "little")
CROWD = 1_200
# Nothing is compressed, so that an id that is in a file can be found there.
READABLE = (
    *("--wiredTigerCollectionBlockCompressor", "none", "--wiredTigerJournalCompressor", "none"),
    *("--wiredTigerIndexPrefixCompression", "false"),
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def files_naming(folder: Path, who: str | bytes) -> list[str]:
    """Every file below a folder, whatever it is, that has these bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    sought = who.encode() if isinstance(who, str) else who
    return [path.name for path in files if sought in path.read_bytes()]


async def come(api: Any) -> None:
    """Visitors come, more than are counted one by one. Ids of events are made of the visitor's, and others
    have repeats of theirs; some events are invalid, refused, or released."""
    crowd = [
        {"type": "PAGE_VIEW", "id": f"{who}-early", "visitorId": who, "sessionId": f"early-{who}",
         "timestamp": "2026-06-05T09:00:00Z"}
        for who in (WHO, *(f"one-of-many-{number}" for number in range(CROWD - 1)))
    ]  # fmt: skip
    for start in range(0, CROWD, 600):
        await api.track(*crowd[start : start + 600])
    for who in (WHO, "somebody"):
        theirs = {"visitorId": who, "userId": f"user-of-{who}", "sessionId": f"session-of-{who}"}
        await api.track(
            {"type": "IMPRESSION", "itemId": "lot", **theirs},
            {"type": "IMPRESSION", "itemId": "lot", **theirs},
            {"type": "PAGE_VIEW", "pageUrl": f"https://a.example/{who}", **theirs},
            {"type": "CLICK", "itemId": "lot", "userAgent": GOOGLEBOT, **theirs},
            {
                "type": "CLICK",
                "itemId": "lot",
                "visitorId": who,
                "sessionId": "of-both",
                "id": f"{who}-click",
            },
            {"type": "PAGE_VIEW", "id": f"{who}-bot", "userAgent": GOOGLEBOT, **theirs},
            {"type": "PAGE_VIEW", "id": f"{who}-invalid", "scrollDepth": 500, **theirs},
        )
    release = "mutation ($id: ID!) { releaseEvent(eventId: $id) { verdict } }"
    await api.ask(release, {"id": f"{WHO}-bot"})
    await api.ask("mutation { updateSite(input: {consentRequired: true}) { id } }")
    await api.track({"type": "PAGE_VIEW", "id": f"{WHO}-no-consent", **theirs})


async def live(api: Any, url: str) -> None:
    """Visitors come, everything is on the disk, and one of them is erased."""
    await come(api)
    await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()
    with MongoClient(url) as client:
        client.admin.command("fsync")
    sets = [one["content"] async for one in api.database["rollups"].find({})]
    assert any("sketch" in str(content) for content in sets)
    receipt = (await api.ask(ERASE, {"v": WHO}))["eraseVisitor"]
    assert receipt["finishedAt"] is not None
    assert receipt["removed"] == {"events": 5, "sessions": 3, "decisions": 3, "goneEvents": 0}
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
    assert files_naming(tmp_path, HASH)
    before = files_naming(tmp_path, WHO)
    assert any(name.startswith("collection-") for name in before)
    assert any(name.startswith("index-") for name in before)
    mongo.rewrite()
    for trace in (WHO, HASH, f"user-of-{WHO}", f"session-of-{WHO}"):
        assert files_naming(tmp_path, trace) == []
    assert files_naming(tmp_path, "session-of-somebody")
    with mongo as url:
        async with api_maker(url, "footfall") as make_api:
            api = await make_api(empty=False)
            totals = await api.ask("{ overview { current { events uniqueVisitors } } }")
            assert totals["overview"]["current"] == {
                "events": CROWD - 1 + 2,
                "uniqueVisitors": pytest.approx(CROWD, rel=0.02),
            }
            [tracked] = await api.track({"type": "PAGE_VIEW", "consentGiven": True})
            assert tracked["verdict"] == "ACCEPTED"
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


async def test_no_file_has_a_salt_that_is_not_in_the_database(tmp_path: Path) -> None:
    """Neither its collections nor its logs: when the file goes, the salt is gone. One in the database is in
    them, which the other half of the test would not find otherwise."""
    salts = tmp_path / "salts"
    with EmbeddedMongo(tmp_path, cache_gb=0.3, expires=False, arguments=READABLE) as url:
        async with api_maker(url, "footfall") as make_api:
            api = await make_api()
            await api.track({"type": "PAGE_VIEW"})
            [of_database] = await api.database["salts"].find({}).to_list(None)
            api = await make_api(salt_dir=salts)
            await api.track({"type": "PAGE_VIEW"})
            [file] = salts.iterdir()
            of_file = file.read_bytes()
            with MongoClient(url) as client:
                client.admin.command("fsync")
            assert files_naming(tmp_path, of_file) == [file.name]
            api.clock.advance(days=2)
            api.services.tracking.sweep()
    assert files_naming(tmp_path, of_file) == []
    assert files_naming(tmp_path, of_database["value"])


def test_the_embedded_mongodb_gets_no_salts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server and its workers are told to keep them in a folder beside it, unless another is named."""
    monkeypatch.setenv("FOOTFALL_DATA_DIR", str(tmp_path))
    for named, expected in (("", tmp_path / "salts"), (str(tmp_path / "x"), tmp_path / "x")):
        monkeypatch.setenv("FOOTFALL_MONGO_URL", "")
        monkeypatch.setenv("FOOTFALL_SALT_DIR", named)
        with database() as settings:
            assert settings.salt_dir == expected
            assert Settings().salt_dir == expected
