"""The feed of events as they are accepted."""

import asyncio
from typing import Any

import pytest

from app.modules.analytics.realtime import feed as feed_module
from app.modules.analytics.realtime.entries import Backlog, short_digest
from app.modules.analytics.realtime.feed import LiveFeed
from app.modules.analytics.realtime.seats import Seats
from app.repositories.event_stream import EventStream, StreamBrokenError, StreamLostError
from tests.conftest import OTHER_SITE_KEYS
from tests.sockets import FEED, connected, until

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)


def clicks(*names: str, **more: Any) -> list[dict[str, Any]]:
    """One event for each id; custom ones have no cooldown."""
    return [{"type": "CUSTOM", "name": "x", "id": name, **more} for name in names]


def live_feed(api: Any) -> LiveFeed:
    feed: LiveFeed = api.services.registry[LiveFeed]
    return feed


async def test_what_is_shown_of_an_event(api: Any) -> None:
    """All that an analyst may see of it, its visitor and session as digests, and no user."""
    async with connected(api) as socket:
        operation = await socket.feed()
        await api.track(
            {
                "type": "CUSTOM", "name": "add", "id": "e1", "itemId": "lot-1", "visitorId": "anna",
                "sessionId": "s1", "userId": "u-1", "source": "search", "userAgent": CHROME,
                "pageUrl": "https://shop.example/lot?secret=1", "timestamp": "2026-06-15T11:59:00Z",
            }
        )  # fmt: skip
        assert await socket.event(operation) == {
            "eventId": "e1",
            "type": "CUSTOM",
            "name": "add",
            "itemId": "lot-1",
            "page": "https://shop.example/lot",
            "source": "search",
            "device": "desktop",
            "browser": "Chrome",
            "os": "Windows",
            "country": None,
            "timestamp": "2026-06-15T11:59:00.000Z",
            "receivedAt": "2026-06-15T12:00:00.000Z",
            "visitor": short_digest("demo", "anna"),
            "session": short_digest("demo", "s1"),
        }


async def test_only_what_is_accepted_comes_and_once(api: Any) -> None:
    """Repeats, rejected events and corrections are no events; a released one is, when it counts."""
    async with connected(api) as socket:
        operation = await socket.feed()
        await api.track(*clicks("a"))
        await api.track(*clicks("a"), {"type": "CLICK"}, {"type": "PAGE_VIEW", "honeypot": "x"})
        await api.track({"type": "PAGE_VIEW", "id": "bot", "honeypot": "x"})
        await api.ask('mutation { voidEvents(filter: {eventIds: ["a"]}, reason: "x") { voided } }')
        await api.ask('mutation { releaseEvent(eventId: "bot") { verdict } }')
        await api.track(*clicks("b"))
        seen = [(await socket.event(operation))["eventId"] for _ in range(3)]
        assert seen == ["a", "bot", "b"]


async def test_types_and_item_narrow_it(api: Any) -> None:
    """Each subscription has its own filter; several go on side by side on one connection."""
    async with connected(api) as socket:
        views = await socket.feed(types=["PAGE_VIEW", "CUSTOM"])
        of_item = await socket.feed(itemId="lot-1")
        both = await socket.feed(types=["CLICK"], itemId="lot-1")
        await api.track(
            {"type": "PAGE_VIEW", "id": "1"},
            {"type": "CLICK", "id": "2", "itemId": "lot-1"},
            {"type": "CLICK", "id": "3", "itemId": "lot-2"},
            {"type": "CUSTOM", "name": "x", "id": "4", "itemId": "lot-1"},
            {"type": "CLICK", "id": "last", "itemId": "lot-1", "sessionId": "s2"},
            {"type": "PAGE_VIEW", "id": "last-view"},
        )
        seen = {
            operation: [(await socket.event(operation))["eventId"] for _ in range(number)]
            for operation, number in ((views, 3), (of_item, 3), (both, 2))
        }
        assert seen == {
            views: ["1", "4", "last-view"],
            of_item: ["2", "4", "last"],
            both: ["2", "last"],
        }


async def test_events_of_another_site_never_come(api: Any) -> None:
    """Two sites listen on one stream and track the same ids; each sees its own."""
    async with connected(api) as ours, connected(api, keys=OTHER_SITE_KEYS) as theirs:
        our_feed, their_feed = await ours.feed(), await theirs.feed()
        who = {"visitorId": "v"}
        await api.track(*clicks("a", "b", **who))
        await api.track(*clicks("a", "c", **who), keys=OTHER_SITE_KEYS)
        await api.track(*clicks("last", **who))
        our_events = [await ours.event(our_feed) for _ in range(3)]
        their_events = [await theirs.event(their_feed) for _ in range(2)]
        assert [event["eventId"] for event in our_events] == ["a", "b", "last"]
        assert [event["eventId"] for event in their_events] == ["a", "c"]
        # Not even that a visitor has the same id can be told.
        assert not {e["visitor"] for e in our_events} & {e["visitor"] for e in their_events}
        assert (ours.waiting(our_feed), theirs.waiting(their_feed)) == (0, 0)


async def test_events_that_another_process_accepts_come(make_api: Any) -> None:
    """Two applications on one database: each subscriber sees what either accepts, once, in one order."""
    here = await make_api()
    there = await make_api(empty=False)
    async with connected(here) as one, connected(there) as two:
        feeds = [(one, await one.feed()), (two, await two.feed())]
        ids = [f"e{number}" for number in range(60)]
        for place in range(0, 60, 2):
            await asyncio.gather(
                here.track(*clicks(ids[place])), there.track(*clicks(ids[place + 1]))
            )
        seen = [[(await s.event(f))["eventId"] for _ in ids] for s, f in feeds]
        assert sorted(seen[0]) == sorted(ids)
        assert seen[0] == seen[1]


async def test_nothing_is_asked_while_nobody_listens(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream begins with the first subscriber, is one for all, and ends with the last."""
    opened = []
    plain = EventStream.open

    def open_stream(self: EventStream, sites: Any, after: Any = None) -> Any:
        opened.append(sorted(sites))
        return plain(self, sites, after)

    monkeypatch.setattr(EventStream, "open", open_stream)
    feed = live_feed(api)
    await api.track(*clicks("before"))
    assert not feed.is_running
    async with connected(api) as socket:
        first = await socket.feed()
        second = await socket.feed()
        assert opened == [["demo"]]
        socket.complete(first)
        await api.track(*clicks("a"))
        assert (await socket.event(second))["eventId"] == "a"
        socket.complete(second)
        await until(lambda: not feed.is_running)
        assert socket.waiting(first) == 0
        assert opened == [["demo"]]
        # And once more from the start, with nothing of what happened meanwhile.
        await api.track(*clicks("unseen"))
        third = await socket.feed()
        await api.track(*clicks("b"))
        assert (await socket.event(third))["eventId"] == "b"
    await until(lambda: not feed.is_running)
    assert api.services.registry[Seats].taken == 0


class Breaking(EventStream):
    """A stream that breaks when it is told to."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.broke = 0
        self.stays_broken = False
        self.may_open = asyncio.Event()
        self.may_open.set()

    def open(self, sites: Any, after: Any = None) -> Any:
        opened = super().open(sites, after)
        breaking = self

        class Opened:
            async def __aenter__(self) -> Any:
                await breaking.may_open.wait()
                stream = await opened.__aenter__()
                plain = stream.next

                async def read() -> Any:
                    if breaking.trouble is not None:
                        trouble, breaking.trouble = breaking.trouble, None
                        breaking.broke += 1
                        if breaking.stays_broken:
                            breaking.may_open.clear()
                        raise trouble
                    return await plain()

                stream.next = read
                return stream

            async def __aexit__(self, *error: Any) -> Any:
                return await opened.__aexit__(*error)

        return Opened()


@pytest.fixture
def breaking(api: Any, monkeypatch: pytest.MonkeyPatch) -> Breaking:
    """The application's stream, which can be broken."""
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.01)
    stream = Breaking()
    live_feed(api)._stream = stream
    return stream


async def test_a_failover_loses_nothing(api: Any, breaking: Breaking) -> None:
    """The stream goes on where it was, without a gap, also for events that came meanwhile."""
    async with connected(api) as socket:
        operation = await socket.feed()
        for number in range(5):
            breaking.trouble = StreamBrokenError()
            await api.track(*clicks(f"e{number}"))
        seen = [(await socket.event(operation))["eventId"] for _ in range(5)]
        assert seen == [f"e{number}" for number in range(5)]
        assert breaking.broke > 0


async def test_nothing_is_lost_from_the_first_moment(api: Any, breaking: Breaking) -> None:
    """A stream that breaks before it has given anything goes on from where it was opened."""
    breaking.trouble, breaking.stays_broken = StreamBrokenError(), True
    async with connected(api) as socket:
        operation = await socket.feed()
        await until(lambda: breaking.broke == 1)
        await api.track(*clicks("meanwhile"))
        breaking.may_open.set()
        assert (await socket.event(operation))["eventId"] == "meanwhile"


async def test_a_gap_is_told(api: Any, breaking: Breaking) -> None:
    """When the database has forgotten where the stream was, GAP comes, and then what follows."""
    async with connected(api) as socket:
        operation = await socket.feed()
        breaking.trouble = StreamLostError()
        assert (await socket.data(operation))["kind"] == "GAP"
        await api.track(*clicks("after"))
        assert (await socket.event(operation))["eventId"] == "after"


async def test_a_dropped_collection_is_a_gap(api: Any, breaking: Breaking) -> None:
    """The database ends the stream itself; the feed goes on with what comes then."""
    async with connected(api) as socket:
        operation = await socket.feed()
        await api.database.events.rename("events_before")
        assert (await socket.data(operation))["kind"] == "GAP"
        await api.database.events_before.rename("events")
        while (entry := await socket.data(operation))["kind"] == "GAP":
            await api.track(*clicks("after"))
        assert entry["event"]["eventId"] == "after"


async def test_a_mistake_of_ours_ends_the_feed_and_is_logged(
    api: Any, breaking: Breaking, caplog: pytest.LogCaptureFixture
) -> None:
    """Readers are told; nobody waits for ever for what will not come."""
    async with connected(api) as socket:
        operation = await socket.feed()
        breaking.trouble = RuntimeError("a bug")
        error = await socket.error(operation)
        assert error["extensions"]["code"] == "UNAVAILABLE"
        assert "a bug" in caplog.text
        assert "a bug" not in error["message"]


async def test_a_slow_reader_is_dropped_and_a_fast_one_goes_on(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for it, what is kept is bounded, and it is told how many events it missed."""
    monkeypatch.setattr(Backlog.__init__, "__defaults__", (50,))
    async with connected(api) as slow, connected(api) as fast:
        slow_feed, fast_feed = await slow.feed(), await fast.feed()
        slow.hold()
        ids = [f"e{number}" for number in range(300)]
        for place in range(0, 300, 30):
            await api.track(*clicks(*ids[place : place + 30]))
            seen = [(await fast.event(fast_feed))["eventId"] for _ in range(30)]
            assert seen == ids[place : place + 30]
        assert len(live_feed(api)._sites["demo"].backlog._entries) == 50
        slow.release()
        first = (await slow.event(slow_feed))["eventId"]  # it was on its way already
        error = await slow.error(slow_feed)
        assert first == ids[0]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["message"].startswith("Too slow: 299 events of the site were missed.")
        # Whoever subscribes again is served again, on the same connection.
        again = await slow.feed()
        await api.track(*clicks("again"))
        assert (await slow.event(again))["eventId"] == "again"
        assert (await fast.event(fast_feed))["eventId"] == "again"


async def test_the_missed_of_another_site_are_not_told(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another site has makes nobody slow and is counted for nobody."""
    monkeypatch.setattr(Backlog.__init__, "__defaults__", (5,))
    async with connected(api) as ours, connected(api, keys=OTHER_SITE_KEYS) as theirs:
        our_feed, their_feed = await ours.feed(), await theirs.feed()
        ours.hold()
        for number in range(20):
            await api.track(*clicks(f"t{number}"), keys=OTHER_SITE_KEYS)
            assert (await theirs.event(their_feed))["eventId"] == f"t{number}"
        await api.track(*clicks("a", "b", "c"))
        ours.release()
        assert [(await ours.event(our_feed))["eventId"] for _ in range(3)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"types": []}, "types"),
        ({"itemId": ""}, "itemId"),
        ({"itemId": "x" * 3000}, "itemId"),
        ({"itemId": "a\u0000b"}, "itemId"),
        ({"types": ["NOTHING"]}, "types"),
    ],
)
async def test_bad_arguments_are_refused(api: Any, variables: dict[str, Any], field: str) -> None:
    """BAD_USER_INPUT that names the argument, and nothing is opened."""
    async with connected(api) as socket:
        error = await socket.error(socket.start(FEED, **variables))
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["extensions"]["field"].startswith(field)
        assert not live_feed(api).is_running


async def test_explicit_nulls_are_the_defaults(api: Any) -> None:
    """As everywhere."""
    async with connected(api) as socket:
        operation = await socket.feed(types=None, itemId=None)
        await api.track(*clicks("a"))
        assert (await socket.event(operation))["eventId"] == "a"


async def test_voided_events_do_not_come_again(api: Any) -> None:
    """Withdrawing and counting again changes what is stored, and accepts nothing."""
    async with connected(api) as socket:
        operation = await socket.feed()
        await api.track(*clicks("a"))
        void = await api.ask(
            'mutation { voidEvents(filter: {eventIds: ["a"]}, reason: "x") { voidId } }'
        )
        undo = "mutation ($id: ID!) { undoVoid(voidId: $id) }"
        await api.ask(undo, {"id": void["voidEvents"]["voidId"]})
        await api.track(*clicks("b"))
        assert [(await socket.event(operation))["eventId"] for _ in range(2)] == ["a", "b"]
