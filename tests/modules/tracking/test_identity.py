"""Sessions and visitors of events that name none."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.modules.tracking.salt_files import NoSaltFolderError, SaltFiles
from tests.conftest import NOW
from tests.modules.privacy.looking import parts

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def oplog(api: Any, collection: str) -> Any:
    """What the database's own log, from which replicas copy, has of a collection, newest first."""
    log = api.app.state.client["local"]["oplog.rs"]
    namespace = f"{api.settings.database}.{collection}"
    return log.find({"ns": namespace}, sort=[("$natural", -1)])


def holds(document: dict[str, Any], salt: bytes) -> bool:
    """Whether a salt is anywhere in a document."""
    return any(value == salt for _, value in parts(document))


async def identity(
    api: Any, headers: dict[str, str] | None = None, **fields: Any
) -> tuple[str, str]:
    """Session and visitor that one page view is given."""
    [result] = await api.track({"type": "PAGE_VIEW", **fields}, headers=headers)
    event = await api.database["events"].find_one({"_id": f"demo:{result['eventId']}"})
    return event["session"], event["visitor"]


async def test_the_same_browser_is_the_same_visitor_for_a_day(api: Any) -> None:
    """Site, address and user agent tell visitors apart; the next day nobody is known any more."""
    first = await identity(api, userAgent=FIREFOX)
    assert await identity(api, userAgent=FIREFOX) == first
    assert await identity(api, userAgent=FIREFOX + " other") != first
    api.clock.advance(days=1)
    next_day = await identity(api, userAgent=FIREFOX)
    assert not set(first) & set(next_day)


async def test_another_address_is_another_visitor(make_api: Any) -> None:
    """Behind a trusted proxy the forwarded address counts; without trust the header is worth nothing."""
    trusting = await make_api(trusted_proxies="192.0.2.1")
    one = await identity(trusting, {"X-Forwarded-For": "198.51.100.1"})
    two = await identity(trusting, {"X-Forwarded-For": "198.51.100.2"})
    spoofed = await identity(trusting, {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"})
    assert one != two
    assert spoofed == one
    plain = await make_api()
    assert await identity(plain, {"X-Forwarded-For": "198.51.100.1"}) == await identity(plain)


async def test_a_backend_that_names_its_users_does_not_make_one_of_them(api: Any) -> None:
    """Two users behind one address have a session each, and both their impressions count."""
    results = await api.track(
        {"type": "IMPRESSION", "itemId": "a", "userId": "u-1"},
        {"type": "IMPRESSION", "itemId": "a", "userId": "u-2"},
        {"type": "IMPRESSION", "itemId": "a", "visitorId": "v-1"},
        {"type": "IMPRESSION", "itemId": "a", "visitorId": "v-2"},
    )
    assert [result["verdict"] for result in results] == ["ACCEPTED"] * 4
    assert len(await api.database["events"].distinct("session")) == 4


async def test_processes_agree_and_no_address_is_stored(make_api: Any) -> None:
    """A second process derives the same ids from the day's salt; the address is nowhere in the database."""
    first = await identity(await make_api(), userAgent=FIREFOX)
    other_process = await make_api(empty=False)
    assert await identity(other_process, userAgent=FIREFOX) == first
    for name in await other_process.database.list_collection_names():
        async for document in other_process.database[name].find({}):
            assert "192.0.2.1" not in str(document)
            assert FIREFOX not in str(document)


async def test_a_salt_in_a_file_is_destroyed(make_api: Any, tmp_path: Path) -> None:
    """Processes that share the folder agree; an hour after the day the file is gone, and at midnight they
    forget it: from then on nobody can tell from an address which visitor it was. The database never had it."""
    folder = tmp_path / "salts"
    api = await make_api(salt_dir=folder)
    before = await identity(api, userAgent=FIREFOX)
    other_process = await make_api(empty=False, salt_dir=folder, clock=api.clock)
    assert await identity(other_process, userAgent=FIREFOX) == before
    [file] = folder.iterdir()
    salt = file.read_bytes()
    assert (len(salt), file.stat().st_mode & 0o077, folder.stat().st_mode & 0o077) == (32, 0, 0)
    assert await api.database["salts"].count_documents({}) == 0
    [entry] = [one async for one in oplog(api, "events").limit(1)]
    assert entry["o"]["visitor"].startswith("v_")
    assert not [one async for one in oplog(api, "salts") if holds(one, salt)]
    api.clock.advance(hours=12, minutes=59, seconds=59)
    api.services.tracking.sweep()
    assert api.services.tracking._salt._salt == b""
    assert file.exists()
    api.clock.advance(seconds=1)
    api.services.tracking.sweep()
    assert list(folder.iterdir()) == []
    other_process.services.tracking.sweep()  # finds nothing left to do
    api.clock.advance(hours=-13)
    assert not set(await identity(api, userAgent=FIREFOX)) & set(before)


async def test_processes_that_begin_a_day_at_once_agree(tmp_path: Path) -> None:
    """One of many proposals becomes the salt, whole; what a crash has left beside it goes with it."""
    files = SaltFiles(tmp_path / "salts")
    end = NOW + timedelta(hours=13)
    proposals = [bytes([number]) * 32 for number in range(40)]
    found = await asyncio.gather(*(files.of_day("2026-06-15", each, end) for each in proposals))
    assert len(set(found)) == 1
    assert found[0] in proposals
    assert [file.name for file in (tmp_path / "salts").iterdir()] == ["2026-06-15"]
    left = tmp_path / "salts" / "left-by-a-crash"
    left.write_bytes(b"x")
    os.utime(left, (NOW.timestamp(), NOW.timestamp()))
    files.sweep(NOW)
    assert await files.of_day("2026-06-15", b"another", end) == found[0]
    assert not left.exists()
    files.sweep(end)
    assert list((tmp_path / "salts").iterdir()) == []


def test_a_folder_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    """Not when the first event comes."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NoSaltFolderError, match="FOOTFALL_SALT_DIR"):
        SaltFiles(tmp_path / "file" / "salts")


async def test_a_salt_in_the_database_is_deleted(api: Any) -> None:
    """An hour after its day the database deletes it, and a process forgets it at midnight. What is left is in
    the database's own log, as docs/privacy.md says."""
    before = await identity(api, userAgent=FIREFOX)
    salts = api.database["salts"]
    [salt] = await salts.find({}).to_list(None)
    assert salt["expires_at"].isoformat() == "2026-06-16T01:00:00+00:00"
    assert (await salts.index_information())["expiry"]["expireAfterSeconds"] == 0
    assert len(salt["value"]) == 32
    of_process = api.services.tracking._salt
    assert of_process._salt == salt["value"]
    api.clock.advance(days=1)
    api.services.tracking.sweep()
    assert of_process._salt == b""
    await salts.delete_many({})  # as the database does
    api.clock.advance(days=-1)
    assert not set(await identity(api, userAgent=FIREFOX)) & set(before)
    assert [one async for one in oplog(api, "salts") if holds(one, salt["value"])]
    images = api.app.state.client["config"]["image_collection"]
    assert not [one async for one in images.find({}) if holds(one, salt["value"])]
