"""Paths at their edges: repeats, first visits, ends, ranges, weights; and by an index."""

from datetime import timedelta
from typing import Any

from app.modules.analytics.behaviour.paths import Anchor
from app.modules.analytics.behaviour.pipelines.paths import paths as stages
from app.modules.analytics.query import ReportQuery
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.zones import zone_named
from tests.conftest import NOW
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.behaviour.asking import paths

MINUTE = timedelta(minutes=1)


def visits(session: str, items: str, kind: str = "CLICK", **more: Any) -> list[dict[str, Any]]:
    """Visits of items of one letter, a minute apart."""
    return [
        event(kind, session=session, item=item, at=NOW - (60 - n) * MINUTE, **more)
        for n, item in enumerate(items)
    ]


def rows(answer: Any) -> list[tuple[str, int]]:
    return [(row["value"], row["sessions"]) for row in answer["rows"]]


async def test_next_and_previous(api: Any) -> None:
    """Each session counts once, with its first visit; repeats in a row are one; some end there."""
    await store(
        *visits("1", "abac"),
        *visits("2", "xaab"),
        *visits("3", "yac"),
        *visits("4", "xa"),
        *visits("5", "xyz"),
    )
    following = await paths(api, item="a")
    assert following == {
        "sessions": 4,
        "rows": [
            {"value": "b", "sessions": 2, "share": 50.0},
            {"value": "c", "sessions": 1, "share": 25.0},
        ],
        "others": 0,
        "ended": 1,
        "endedShare": 25.0,
        "meta": {"exact": True, "rows": 2},
    }
    previous = await paths(api, item="a", direction="PREVIOUS", limit=1)
    assert rows(previous) == [("x", 2)]
    assert (previous["others"], previous["ended"], previous["meta"]["rows"]) == (1, 1, 2)


async def test_clicks_and_page_views_are_visits_of_items(api: Any) -> None:
    """Impressions and views are not: a list shows many items; a page view without an item is none."""
    await store(
        *visits("1", "a"),
        event("VIEW", session="1", item="b", at=NOW - 3 * MINUTE),
        event("IMPRESSION", session="1", item="b", at=NOW - 2 * MINUTE),
        event("PAGE_VIEW", session="1", page="/b", at=NOW - 2 * MINUTE),
        event("PAGE_VIEW", session="1", item="c", at=NOW - MINUTE),
    )
    assert rows(await paths(api, item="a")) == [("c", 1)]


async def test_pages(api: Any) -> None:
    """By the page views' addresses, whatever else happened there; texts that look like fields too."""
    await store(
        event("PAGE_VIEW", page="$a", at=NOW - 5 * MINUTE),
        event("CLICK", page="/c", item="i", at=NOW - 4 * MINUTE),
        event("PAGE_VIEW", page="$a", at=NOW - 4 * MINUTE),
        event("PAGE_VIEW", page="$b", at=NOW - 3 * MINUTE),
    )
    assert rows(await paths(api, page="$a")) == [("$b", 1)]
    assert rows(await paths(api, page="$b", direction="PREVIOUS")) == [("$a", 1)]


async def test_only_visits_in_the_range(api: Any) -> None:
    """What comes before or after it is not seen, to the millisecond."""
    await store(*visits("1", "xab"))
    first, late = NOW - 60 * MINUTE, timedelta(milliseconds=1)

    async def asked(direction: str, start: Any, end: Any) -> int:
        period = {"start": start.isoformat(), "end": end.isoformat()}
        return (await paths(api, item="a", direction=direction, range=period))["ended"]

    assert await asked("NEXT", first, first + 2 * MINUTE) == 1
    assert await asked("NEXT", first, first + 2 * MINUTE + late) == 0
    assert await asked("PREVIOUS", first, NOW) == 0
    assert await asked("PREVIOUS", first + late, NOW) == 1


async def test_withdrawn_visits_are_not_there(api: Any) -> None:
    """Neither as the visit that is asked for nor as the next one."""
    void = {"id": "x"}
    a, b, c = visits("1", "abc")
    await store({**a, "void": void}, *visits("2", "a"), {**b, "session": "2", "void": void}, c)
    answer = await paths(api, item="a")
    assert (answer["sessions"], answer["ended"], rows(answer)) == (1, 1, [])


async def test_a_sampled_session_stands_for_several(api: Any) -> None:
    """With the largest weight of its visits of the item, and meta says that it is not exact."""
    await store(
        *visits("1", "ab", weight=2),
        event("CLICK", session="1", item="a", weight=3),
        *visits("2", "a"),
    )
    answer = await paths(api, item="a")
    assert (answer["sessions"], answer["ended"], rows(answer)) == (4, 1, [("b", 3)])
    assert answer["meta"]["exact"] is False


async def test_nothing_was_visited(api: Any) -> None:
    """Zeros, no rows, and no share of nothing."""
    answer = await paths(api, item="?")
    assert (answer["sessions"], answer["rows"], answer["endedShare"]) == (0, [], None)


async def test_the_next_visit_is_found_by_an_index(api: Any) -> None:
    """Each session is looked up by itself: neither all events nor other sites' are read."""
    await store(*[each for n in range(50) for each in visits(str(n), "ab")])
    await store(*[each for n in range(50) for each in visits(f"x{n}", "cd")])
    time_range = TimeRange(NOW - timedelta(days=1), NOW)
    query = ReportQuery(time_range, zone_named("UTC"), "EUR")
    pipeline = [{"$match": {"site": "demo"}}, *stages(query, Anchor(item="a"), 10)]
    command = {"aggregate": "events", "pipeline": pipeline, "cursor": {}}
    explained = await api.database.command("explain", command, verbosity="executionStats")
    [lookup] = [stage for stage in explained["stages"] if "$lookup" in stage]
    assert lookup["indexesUsed"] == ["by_session"]
    assert lookup["collectionScans"] == 0
    assert lookup["totalDocsExamined"] <= 100
