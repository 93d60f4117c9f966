"""The queries sessionMetrics and sessions, asked as an analyst does."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.auth import Scope
from app.modules.analytics.sessions import reading
from app.modules.analytics.sessions.reading import spans_of
from app.repositories.sessions import SessionEvents, SessionRepository
from tests.conftest import NOW, OTHER_SITE_KEYS
from tests.modules.analytics.asking import event, utc
from tests.modules.analytics.sessions.asking import (
    EVER,
    METRICS,
    SESSIONS,
    arrive,
    mark,
    metrics,
    page,
    roll_up_all,
    stored,
)

RANGE = {"start": "2026-06-10", "end": "2026-06-12"}
START = utc("2026-06-10")


def at(hours: float, session: str, kind: str = "PAGE_VIEW", **more: Any) -> dict[str, Any]:
    """An event so long after the range starts."""
    return event(kind, session=session, at=START + timedelta(hours=hours), **more)


def visits() -> list[dict[str, Any]]:
    """Three sessions of two visitors in the range, one in the period before, and one before that."""
    return [
        at(-90, "long ago", visitor="old"),
        at(-1, "before", visitor="old", page="/a", referrer="a.com"),
        at(1, "one", visitor="new", page="/a", referrer="a.com", device="tv"),
        at(1.1, "one", "CLICK", visitor="new", item="i"),
        at(1.2, "one", "PAGE_VIEW", visitor="new", page="/b"),
        at(1.25, "one", "CONVERSION", visitor="new"),
        at(2, "two", visitor="new", page="/b"),
        at(30, "three", visitor="old", page="/a", utm_source="x", utm_campaign="c"),
        at(30.25, "three", "IMPRESSION", visitor="old", item="i"),
    ]


def compared(value: Any, previous: Any, change: float | None) -> dict[str, Any]:
    return {"value": value, "previous": previous, "changePercent": change}


def row(sessions: Any, bounces: Any, conversions: Any) -> dict[str, Any]:
    return {"sessions": sessions, "bounceRate": bounces, "conversionRate": conversions}


@pytest.mark.parametrize("rolled_up", [True, False])
async def test_the_numbers_of_a_range(api: Any, rolled_up: bool) -> None:
    """All of them, with those of the period before and the change; rolled up or not."""
    await arrive(*visits())
    if rolled_up:
        await roll_up_all(api)
    third = pytest.approx(100 / 3)
    never = compared(0.0, None, None)
    assert await metrics(api, range=RANGE) == {
        "sessions": compared(3, 1, 200.0),
        "events": compared(7, 1, 600.0),
        "pageViews": compared(4, 1, 300.0),
        "conversions": compared(1, 0, None),
        "averageDuration": compared(600.0, 0.0, None),
        "medianDuration": compared(900.0, 0.0, None),
        "pagesPerSession": compared(pytest.approx(4 / 3), 1.0, third),
        "bouncedSessions": compared(2, 1, 100.0),
        "bounceRate": compared(pytest.approx(200 / 3), 100.0, pytest.approx(-100 / 3)),
        "convertedSessions": compared(1, 0, None),
        "conversionRate": compared(third, 0.0, None),
        "visitors": compared(2, 1, 100.0),
        "newVisitors": compared(1, 0, None),
        "returningVisitors": compared(1, 1, 0.0),
        "entryPages": [
            {"page": "/a"}
            | row(compared(2, 1, 100.0), compared(50.0, 100.0, -50.0), compared(50.0, 0.0, None)),
            {"page": "/b"} | row(compared(1, 0, None), compared(100.0, None, None), never),
        ],
        "exitPages": [
            {"page": "/b"}
            | row(compared(2, 0, None), compared(50.0, None, None), compared(50.0, None, None)),
            {"page": "/a"}
            | row(compared(1, 1, 0.0), compared(100.0, 100.0, 0.0), compared(0.0, 0.0, None)),
        ],
        "sources": [
            source() | row(compared(1, 0, None), compared(100.0, None, None), never),
            source(utmSource="x", utmCampaign="c")
            | row(compared(1, 0, None), compared(100.0, None, None), never),
            source(referrer="a.com")
            | row(compared(1, 1, 0.0), compared(0.0, 100.0, -100.0), compared(100.0, 0.0, None)),
        ],
        "exact": True,
    }


def source(**fields: str) -> dict[str, str | None]:
    return {**dict.fromkeys(("referrer", "utmSource", "utmMedium", "utmCampaign")), **fields}


async def test_nothing_is_zeros_and_nulls(api: Any) -> None:
    """A site without sessions has counts of zero and no rates; null arguments are the defaults."""
    answer = await metrics(api, range=None, filter=None, limit=None, timezone=None)
    assert answer["sessions"] == compared(0, 0, None)
    assert answer["medianDuration"] == answer["bounceRate"] == compared(None, None, None)
    assert (answer["entryPages"], answer["exact"]) == ([], True)
    ever = await metrics(api, range={"preset": "ALL"})
    assert ever["sessions"]["value"] == 0
    assert await page(api) == {"data": [], "nextCursor": None}


@pytest.mark.parametrize("rolled_up", [True, False])
async def test_filters_narrow_what_is_counted_but_not_what_is_known(
    api: Any, rolled_up: bool
) -> None:
    """A visitor whose first session the filter leaves out is no new one."""
    await arrive(*visits())
    if rolled_up:
        await roll_up_all(api)
    for condition, sessions, new in (
        ({"device": "tv"}, 1, 1),
        ({"exitPage": "/b"}, 2, 1),
        ({"entryPage": "/b"}, 1, 0),
        ({"visitorId": "old"}, 1, 0),
        ({"utmSource": "x", "utmCampaign": "c"}, 1, 0),
        ({"userId": "nobody"}, 0, 0),
        ({"referrer": "$a.com"}, 0, 0),
    ):
        answer = await metrics(api, range=RANGE, filter=condition)
        assert answer["sessions"]["value"] == sessions, condition
        assert answer["newVisitors"]["value"] == new, condition


async def test_events_that_just_happened_are_in_the_next_answer(api: Any) -> None:
    """Also where they change what was rolled up: a session grows, another visitor is the first."""
    await arrive(*visits())
    await roll_up_all(api)
    await arrive(
        at(2.4, "two", "CLICK", visitor="new", item="i"),
        at(-3, "earlier", visitor="new"),
        at(40, "four", visitor="newest", page="/a"),
    )
    answer = await metrics(api, range=RANGE)
    assert answer["sessions"] == compared(4, 2, 100.0)
    assert answer["bouncedSessions"]["value"] == 2
    assert answer["newVisitors"] == compared(1, 1, 0.0)
    assert answer["visitors"] == compared(3, 2, 50.0)
    assert answer["entryPages"][0]["sessions"]["value"] == 3
    [two] = [one for one in (await page(api))["data"] if one["sessionId"] == "two"]
    assert (two["duration"], two["itemsClicked"], two["bounced"]) == (1440.0, 1, False)


async def test_the_first_rows_are_right_when_others_fall_behind(api: Any) -> None:
    """Rows that were ahead and lost their sessions make room for rows that were behind."""
    await arrive(*[at(n / 10, f"a{n}", page=f"/a{n % 3}") for n in range(9)])
    await arrive(at(5, "b", page="/b"), at(5, "c1", page="/c"), at(6, "c2", page="/c"))
    await roll_up_all(api)
    gone = {"session": {"$regex": "^a"}}
    await mark(*[START + timedelta(hours=n / 10) for n in range(9)])
    await api.database["events"].update_many(gone, {"$set": {"void": {"id": "x"}}})
    answer = await metrics(api, range=RANGE, limit=1)
    assert [one["page"] for one in answer["entryPages"]] == ["/c"]
    assert answer["sessions"]["value"] == 3


async def test_numbers_stay_when_events_go_by_their_age(api: Any) -> None:
    """Sessions are kept as long as their last event would be; ALL begins with the first of them."""
    await arrive(*visits())
    await roll_up_all(api)
    before = await metrics(api, range=RANGE), await page(api)
    await api.ask("mutation { cleanOldEvents(daysToKeep: 0) { events } }")
    assert (await metrics(api, range=RANGE), await page(api)) == before
    everything = await metrics(api, range={"preset": "ALL"})
    assert everything["sessions"]["value"] == 5
    # What is left of one session id is derived anew, what has gone stays.
    await arrive(at(20, "one", visitor="new"))
    after = await metrics(api, range=RANGE)
    assert after["sessions"]["value"] == 4
    assert after["convertedSessions"]["value"] == 1


async def test_a_sample_is_scaled_up_and_marked_as_not_exact(api: Any) -> None:
    """A session stands for as many as its visitor does; the median counts it so often."""
    await arrive(at(1, "one", weight=5), at(1.25, "one", weight=5), at(3, "two"))
    await roll_up_all(api)
    for _ in range(2):
        answer = await metrics(api, range=RANGE)
        assert answer["sessions"]["value"] == 6
        assert answer["pageViews"]["value"] == 11
        assert answer["medianDuration"]["value"] == 900.0
        assert answer["averageDuration"]["value"] == 750.0
        assert answer["visitors"]["value"] == 5
        assert answer["exact"] is False
        await api.database["sessions"].delete_many({})
        await mark(START + timedelta(hours=1), START + timedelta(hours=3))


async def test_pages_of_sessions_are_walked_by_their_cursor(api: Any) -> None:
    """Newest first, each once, those of one instant too; some of them stored and some not."""
    await arrive(*[at(hour, f"s{n}", visitor=f"v{n % 2}") for hour in range(3) for n in range(4)])
    await roll_up_all(api)
    await arrive(*[at(1.2, f"s{n}", visitor=f"v{n % 2}") for n in (0, 3)])
    everything = (await page(api))["data"]
    assert len(everything) == 12
    assert everything == sorted(everything, key=lambda one: (one["start"], one["id"]), reverse=True)
    walked, after = [], None
    while True:
        found = await page(api, limit=5, after=after)
        walked += found["data"]
        after = found["nextCursor"]
        if after is None:
            break
    assert walked == everything
    of_one = (await page(api, visitorId="v1"))["data"]
    assert of_one == [one for one in everything if one["visitorId"] == "v1"]
    assert (await page(api, userId="nobody"))["data"] == []
    in_range = await page(api, range={"start": "2026-06-10", "end": "2026-06-10T01:00:00"})
    assert len(in_range["data"]) == 4


async def test_one_session_in_full(api: Any) -> None:
    """Every field of it, as the tracking stores events."""
    await api.track(
        {
            "type": "PAGE_VIEW",
            "sessionId": "s",
            "visitorId": "v",
            "userId": "u",
            "pageUrl": "https://shop.example/?utm_source=news&utm_medium=mail",
            "referrer": "https://www.google.com/search",
            "timestamp": "2026-06-15T11:00:00Z",
        },
        {"type": "VIEW", "sessionId": "s", "visitorId": "v", "itemId": "a",
         "timestamp": "2026-06-15T11:10:00.250Z"},
    )  # fmt: skip
    await mark(NOW - timedelta(hours=1))
    [session] = (await page(api, userId="u"))["data"]
    assert session.pop("id")
    assert session == {
        "sessionId": "s",
        "visitorId": "v",
        "userId": "u",
        "start": "2026-06-15T11:00:00.000Z",
        "lastActivity": "2026-06-15T11:10:00.250Z",
        "duration": 600.25,
        "events": 2,
        "pageViews": 1,
        "conversions": 0,
        "itemsSeen": 1,
        "itemsClicked": 0,
        "bounced": True,
        "entryPage": "https://shop.example/",
        "exitPage": "https://shop.example/",
        "referrer": "google.com",
        "utmSource": "news",
        "utmMedium": "mail",
        "utmCampaign": None,
        "device": None,
    }


LONG = "x" * 257
BAD = [
    (METRICS, {"limit": 0}, "limit"),
    (METRICS, {"limit": 101}, "limit"),
    (METRICS, {"timezone": "Mars"}, "timezone"),
    (METRICS, {"range": {"end": "2026-06-01"}}, "range.start"),
    (METRICS, {"filter": {"visitorId": ""}}, "filter.visitorId"),
    (METRICS, {"filter": {"userId": LONG}}, "filter.userId"),
    (METRICS, {"filter": {"entryPage": LONG}}, "filter.entryPage"),
    (METRICS, {"filter": {"utmTerm": "a\x00"}}, "filter.utmTerm"),
    (SESSIONS, {"limit": 0}, "limit"),
    (SESSIONS, {"limit": 501}, "limit"),
    (SESSIONS, {"visitorId": ""}, "visitorId"),
    (SESSIONS, {"userId": "\x07"}, "userId"),
    (SESSIONS, {"after": ""}, "after"),
    (SESSIONS, {"after": f"9{'0' * 13}.{'a' * 32}"}, "after"),
    (SESSIONS, {"after": "1.a"}, "after"),
    (SESSIONS, {"range": {"start": "2026-06-02", "end": "2026-06-01"}}, "range"),
]


async def test_bad_arguments_are_named_and_not_repeated(api: Any) -> None:
    """BAD_USER_INPUT and the argument; the furthest cursors that can be read are no error."""
    for query, arguments, field in BAD:
        error = await api.refused(query, arguments)
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}, arguments
        assert LONG not in str(error)
    await arrive(at(1, "one"))
    for instant, number in (("9" * 13, 1), ("-" + "9" * 13, 0)):
        assert len((await page(api, after=f"{instant}.{'f' * 32}"))["data"]) == number


async def test_a_site_sees_its_own_sessions_only(api: Any) -> None:
    """Rolled up or not, and for a read key; a write key learns nothing."""
    empty = await api.ask(METRICS, {"range": EVER}, keys=OTHER_SITE_KEYS)
    await arrive(*visits())
    for _ in range(2):
        assert await api.ask(METRICS, {"range": EVER}, keys=OTHER_SITE_KEYS) == empty
        theirs = await api.ask(SESSIONS, {"range": EVER}, keys=OTHER_SITE_KEYS)
        assert theirs["sessions"]["data"] == []
        await roll_up_all(api)
    await arrive(at(1, "one", site="other", visitor="new"), site="other")
    answer = await api.ask(METRICS, {"range": EVER}, keys=OTHER_SITE_KEYS, scope=Scope.READ)
    assert answer["sessionMetrics"]["newVisitors"]["value"] == 1
    assert len(await stored(api)) == 5
    for query in (METRICS, SESSIONS):
        refused = await api.refused(query, scope=Scope.WRITE)
        assert refused["extensions"]["code"] == "FORBIDDEN"


async def test_too_much_that_has_changed_is_unavailable(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound an answer is refused for now; once it is rolled up it is there again."""
    monkeypatch.setattr(reading, "MAX_CHANGED", 4)
    await arrive(*visits())
    refused = await api.refused(METRICS, {"range": RANGE})
    assert refused["extensions"]["code"] == "UNAVAILABLE"
    await roll_up_all(api)
    assert (await metrics(api, range=RANGE))["sessions"]["value"] == 3


async def test_all_numbers_of_an_answer_are_of_one_instant(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes between two reads of an answer, events and rollups, is in none of its numbers."""
    await arrive(*visits())
    expected = await metrics(api, range=RANGE)
    aggregate = SessionRepository.aggregate

    async def with_more_in_between(self: Any, site: str, *arguments: Any, **more: Any) -> Any:
        found = await aggregate(self, site, *arguments, **more)
        if len(await stored(api)) < 20:
            await arrive(at(3, f"more{len(await stored(api))}", visitor="more", page="/more"))
            await roll_up_all(api)
        return found

    monkeypatch.setattr(SessionRepository, "aggregate", with_more_in_between)
    assert await metrics(api, range=RANGE) == expected
    assert len(await stored(api)) > 5


async def test_a_report_takes_no_longer_than_it_may(make_api: Any) -> None:
    """Its time is shared by all that it reads; LIMIT_EXCEEDED says what to do."""
    api = await make_api(report_timeout=0.0001)
    await mark(NOW)
    for query in (METRICS, SESSIONS):
        error = await api.refused(query)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "shorter range" in error["message"]


@pytest.mark.parametrize(
    ("selected", "pipelines"),
    [
        ("asOf", 1),
        ("sessions { value } bounceRate { previous }", 1),
        ("medianDuration { value }", 3),
        ("newVisitors { value }", 3),
        ("sources { referrer }", 2),
    ],
)
async def test_only_what_is_selected_is_run(
    api: Any, monkeypatch: pytest.MonkeyPatch, selected: str, pipelines: int
) -> None:
    """A number that nobody asked for costs nothing."""
    await arrive(*visits())
    await roll_up_all(api)
    ran = []
    aggregate = SessionRepository.aggregate

    async def counted(self: Any, site: str, pipeline: Any, **more: Any) -> Any:
        ran.append(pipeline)
        return await aggregate(self, site, pipeline, **more)

    monkeypatch.setattr(SessionRepository, "aggregate", counted)
    await api.ask(f"query ($r: RangeInput) {{ sessionMetrics(range: $r) {{ {selected} }} }}",
                  {"r": RANGE})  # fmt: skip
    assert len(ran) == pipelines


def test_quarters_become_as_few_spans_as_can_be() -> None:
    """Neighbours are one span; so are all of an import."""
    quarter = timedelta(minutes=15)
    quarters = [START, START + quarter, START + 3 * quarter]
    assert spans_of(quarters) == [
        (START, START + 2 * quarter),
        (START + 3 * quarter, START + 4 * quarter),
    ]
    assert spans_of([]) == []


async def test_many_spans_are_searched_some_at_a_time(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is forgotten, and a session that is found twice is derived once."""
    monkeypatch.setattr(reading, "SPANS_AT_ONCE", 2)
    searched = []
    sessions_in = SessionEvents.sessions_in

    def counted(self: Any, site: str, spans: Any, **more: Any) -> Any:
        searched.append(len(spans))
        return sessions_in(self, site, spans, **more)

    monkeypatch.setattr(SessionEvents, "sessions_in", counted)
    await arrive(*[at(hour, f"s{hour % 3}") for hour in range(5)])
    assert len((await page(api))["data"]) == 5
    assert searched == [2, 2, 1]
