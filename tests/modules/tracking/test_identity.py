"""Sessions and visitors of events that name none."""

from typing import Any

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


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


async def test_the_salt_of_a_day_is_destroyed(api: Any) -> None:
    """An hour after its day the database deletes it, a process forgets it at midnight, and no copy is left:
    from then on nobody can tell from an address which visitor it was."""
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
    images = api.app.state.client["config"]["image_collection"]
    assert not [one async for one in images.find({}) if salt["value"] in str(one).encode()]
