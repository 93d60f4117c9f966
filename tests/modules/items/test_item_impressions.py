"""Impressions that item and items track: they arrive, and the answer neither waits nor fails for them."""

import asyncio
import logging
from typing import Any

import pytest

from app.core.auth import Scope
from app.core.errors import UnavailableError
from tests.conftest import KEYS, OTHER_SITE_KEYS
from tests.modules.items.catalogue import ARCHIVE, ITEM, ITEMS, create

VISIT = {"sessionId": "s-1"}


async def stored_events(api: Any) -> list[dict[str, Any]]:
    """The events that are there once the background work has ended, by position and item."""
    await api.services.tracking.finish_background()
    events: list[dict[str, Any]] = await api.database["events"].find({}).to_list(None)
    return sorted(events, key=lambda event: (event.get("position", 0), event["item"]))


async def test_items_of_a_page_are_tracked_with_their_rank(api: Any) -> None:
    """The second page of two has the ranks 3 and 4; what the context says is in the events."""
    for n in range(5):
        await create(api, id=f"lot-{n}")
    tracking = {"sessionId": "s-1", "visitorId": "v-1", "userId": "u-1", "source": "homepage"}
    arguments = {"search": "lamp", "page": 2, "limit": 2, "tracking": tracking}
    data = await api.ask(ITEMS, arguments, scope=Scope.READ)
    shown = [item["id"] for item in data["items"]["data"]]
    events = await stored_events(api)
    assert [(event["item"], event["position"]) for event in events] == [
        (shown[0], 3),
        (shown[1], 4),
    ]
    for event in events:
        assert event["site"] == "demo"
        assert event["type"] == "IMPRESSION"
        assert (event["session"], event["visitor"], event["user"]) == ("s-1", "v-1", "u-1")
        assert event["source"] == "homepage"


@pytest.mark.parametrize("source", [None, ""])
async def test_default_sources(api: Any, source: str | None) -> None:
    """Without a source a list is "search" and a single item is "item", which has no rank."""
    await create(api, id="lot")
    await api.ask(ITEMS, {"tracking": {"sessionId": "a", "source": source}})
    await api.ask(ITEM, {"id": "lot", "tracking": {"sessionId": "b", "source": source}})
    single, listed = await stored_events(api)
    assert (listed["session"], listed["source"], listed["position"]) == ("a", "search", 1)
    assert (single["session"], single["source"]) == ("b", "item")
    assert "position" not in single


async def test_repeats_within_the_cooldown_do_not_count(api: Any) -> None:
    """The same session's second look counts after the cooldown only, whichever query it is."""
    await create(api, id="lot")
    for query in (ITEMS, ITEM, ITEMS):
        await api.ask(query, {"id": "lot", "tracking": VISIT})
        assert len(await stored_events(api)) == 1
    api.clock.advance(seconds=30)
    await api.ask(ITEMS, {"tracking": VISIT})
    assert len(await stored_events(api)) == 2
    await api.ask(ITEMS, {"tracking": {"sessionId": "s-2"}})
    assert len(await stored_events(api)) == 3


async def test_nothing_shown_is_nothing_tracked(api: Any) -> None:
    """Neither an answer without items, nor one without a tracking context, leaves an event."""
    await create(api, id="lot")
    await api.ask(ARCHIVE, {"id": "lot"})
    await api.ask(ITEMS, {"tracking": VISIT})
    await api.ask(ITEM, {"id": "nothing", "tracking": VISIT})
    await api.ask(ITEM, {"id": "lot", "tracking": VISIT}, keys=OTHER_SITE_KEYS)
    await api.ask(ITEM, {"id": "lot"})
    assert await stored_events(api) == []


async def test_bots_are_shown_but_not_counted(api: Any) -> None:
    """The rules of tracking hold: a crawler's impressions are rejected and its answer is whole."""
    await create(api, id="lot")
    headers = {"User-Agent": "Googlebot/2.1", "Origin": "https://shop.example.com"}
    data = await api.ask(ITEMS, {"tracking": VISIT}, headers=headers)
    assert len(data["items"]["data"]) == 1
    assert await stored_events(api) == []
    [decision] = await api.database["decisions"].find({}).to_list(None)
    assert decision["reason"] == "BOT"


async def test_unusable_context_does_not_fail_the_answer(api: Any) -> None:
    """What cannot be tracked is left out, and the answer is as ever."""
    await create(api, id="lot")
    tracking = {"sessionId": "x" * 300, "source": "\x00"}
    data = await api.ask(ITEMS, {"tracking": tracking})
    assert len(data["items"]["data"]) == 1
    assert await stored_events(api) == []


@pytest.mark.parametrize(("query", "arguments"), [(ITEMS, {}), (ITEM, {"id": "lot"})])
async def test_hanging_writes_do_not_delay_the_answer(
    api: Any, monkeypatch: pytest.MonkeyPatch, query: str, arguments: dict[str, Any]
) -> None:
    """While the write of the impressions hangs, the answer is there, and the same as without it."""
    await create(api, id="lot")
    expected = await api.ask(query, arguments)
    released = asyncio.Event()
    submit = api.services.commit.submit

    async def hang(*arguments: Any) -> Any:
        await released.wait()
        return await submit(*arguments)

    monkeypatch.setattr(api.services.commit, "submit", hang)
    for _ in range(3):
        assert await api.ask(query, {**arguments, "tracking": VISIT}) == expected
    assert await api.database["events"].count_documents({}) == 0
    released.set()
    assert len(await stored_events(api)) == 1


@pytest.mark.parametrize("error", [UnavailableError(), RuntimeError("broken")])
@pytest.mark.parametrize(("query", "arguments"), [(ITEMS, {}), (ITEM, {"id": "lot"})])
async def test_failing_writes_do_not_fail_the_answer(
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    query: str,
    arguments: dict[str, Any],
    error: Exception,
) -> None:
    """When the impressions cannot be written the answer is the same, and the log says so."""
    await create(api, id="lot")
    expected = await api.ask(query, arguments)

    async def fail(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(api.services.commit, "submit", fail)
    with caplog.at_level(logging.WARNING, "footfall.tracking"):
        assert await api.ask(query, {**arguments, "tracking": VISIT}) == expected
        assert await stored_events(api) == []
    assert "1 events of an answer were not tracked" in caplog.text


async def test_read_key_may_track_what_it_reads(api: Any) -> None:
    """It may not call a tracking mutation, but its answers are tracked for its own site."""
    await create(api, id="lot")
    mutation = 'mutation { trackImpression(input: {itemId: "lot"}) { verdict } }'
    error = await api.refused(mutation, scope=Scope.READ)
    assert error["extensions"]["code"] == "FORBIDDEN"
    await api.ask(ITEM, {"id": "lot", "tracking": VISIT}, scope=Scope.READ, keys=KEYS)
    assert len(await stored_events(api)) == 1
