"""Any events, ranges, zones, filters and dimensions: every number is what it is by definition."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest_asyncio
from bson import Decimal128
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.clock import FixedClock
from app.core.quarters import quarter_of
from app.modules.analytics.service import AnalyticsService
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from tests.examples import examples
from tests.modules.analytics import oracle
from tests.modules.analytics.asking import METRICS, REPORT
from tests.modules.analytics.oracle import Asked

LATER = datetime(2024, 4, 10, 12, tzinfo=UTC)
CATEGORIES = {"a": "shoes", "b": "$hats"}
# Clocks are set in New York, in Berlin, and on Lord Howe and in Sydney around the last three; around
# the first one four weeks begin that are rolled up as one.
TURNS = [
    datetime(2024, 2, 19, tzinfo=UTC),
    datetime(2024, 3, 10, 7, tzinfo=UTC),
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),
]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe",
         "Pacific/Chatham", "America/St_Johns"]  # fmt: skip
DIMENSIONS = [*oracle.FIELDS, "CATEGORY", "HOUR_OF_DAY", "WEEKDAY"]


instants = st.builds(
    lambda turn, minutes, rest: turn + timedelta(minutes=minutes) + rest,
    st.sampled_from(TURNS),
    st.one_of(st.sampled_from([0, 15, 30, 45, 60]), st.integers(-3_000, 3_000)),
    st.sampled_from([timedelta(milliseconds=n) for n in (0, -1, 1, 59_999)]),
)
amounts = st.one_of(
    st.sampled_from(
        ["0", "0.10", "19.99", "1E+3", "0.333333333", "999999999999999.99999999999999999"]
    ),
    st.decimals(0, 1_000, places=2).map(str),
).map(lambda text: Decimal128(Decimal(text)))


@st.composite
def stored_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event as it is stored: what it does not have is absent."""
    event = {
        "type": draw(st.sampled_from(["IMPRESSION", "IMPRESSION", "VIEW", "CLICK", "CONVERSION",
                                      "ENGAGEMENT", "BOUNCE", "PAGE_VIEW", "PAGE_VIEW", "CUSTOM"])),
        "at": draw(instants),
        "session": draw(st.sampled_from("rst")),
        "visitor": draw(st.sampled_from("vwx")),
        "item": draw(st.sampled_from([None, *"aabbcd"])),
        "user": draw(st.sampled_from([None, None, "u", "$u"])),
        "source": draw(st.sampled_from([None, "search", "$home"])),
        "device": draw(st.sampled_from([None, "tv"])),
        "name": draw(st.sampled_from([None, None, "é"])),
        "position": draw(st.sampled_from([None, 1, 2, 10])),
        "engagement": draw(st.one_of(st.none(), st.integers(0, 1_800_000))),
        "scroll_depth": draw(st.one_of(st.none(), st.integers(0, 100))),
    }  # fmt: skip
    if draw(st.booleans()):
        event["value"] = draw(amounts)
        event["currency"] = draw(st.sampled_from(["EUR", "EUR", "CHF"]))
    return {name: value for name, value in event.items() if value is not None}


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of Asked."""
    values = [
        "search",
        "$home",
        "a",
        "b",
        "c",
        "tv",
        "é",
        "1",
        "2",
        "3",
        "10",
        "0",
        "shoes",
        "$hats",
        "x",
    ]
    return {
        "item": draw(st.sampled_from([None, None, "a", "?"])),
        "user": draw(st.sampled_from([None, None, None, "$u"])),
        "visitor": draw(st.sampled_from([None, None, None, "v"])),
        "where": draw(
            st.lists(
                st.tuples(
                    st.sampled_from(DIMENSIONS), st.lists(st.sampled_from(values), max_size=9)
                ),
                max_size=2,
            )
        ),
    }


@st.composite
def ranges(draw: st.DrawFn, longest: timedelta) -> tuple[dict[str, Any], dict[str, Any]]:
    """A RangeInput, and what it is in Asked."""
    up_to_now = {"end": LATER + timedelta(minutes=5, milliseconds=1), "now": LATER}
    presets = {
        name: {"start": LATER - timedelta(hours=hours), **up_to_now}
        for name, hours in (
            ("LAST_24_HOURS", 24),
            ("LAST_7_DAYS", 7 * 24),
            ("LAST_30_DAYS", 30 * 24),
        )
        if timedelta(hours=hours) < longest
    }
    preset = draw(st.sampled_from([None, None, *presets]))
    if preset:
        return {"preset": preset}, presets[preset]
    start, end = sorted((draw(instants), draw(instants)))
    end = min(max(end, start + timedelta(milliseconds=1)), start + longest)
    return {"start": start.isoformat(), "end": end.isoformat()}, {"start": start, "end": end}


@st.composite
def reports(draw: st.DrawFn) -> tuple[dict[str, Any], Asked]:
    """The arguments of a report, and the same for the oracle."""
    granularity = draw(st.sampled_from([None, "MINUTE", "HOUR", "DAY", "WEEK", "MONTH"]))
    longest = timedelta(days={"MINUTE": 1.5}.get(granularity or "", 60))
    sent, covered = draw(ranges(longest))
    asked = Asked(
        **covered,
        **draw(filters()),
        zone=draw(st.sampled_from(ZONES)),
        by=draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2, unique=True)),
        granularity=granularity,
        limit=draw(st.sampled_from([1, 2, 3, 10_000])),
    )
    return arguments(asked, sent), asked


def arguments(asked: Asked, sent: dict[str, Any]) -> dict[str, Any]:
    where = [{"dimension": name, "values": values} for name, values in asked.where]
    return {
        "range": sent,
        "by": asked.by,
        "granularity": asked.granularity,
        "timezone": asked.zone,
        "limit": asked.limit,
        "filter": {"itemId": asked.item, "userId": asked.user, "visitorId": asked.visitor, "where": where},
    }  # fmt: skip


events_of_a_site = st.lists(stored_events(), max_size=40)
thorough = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest_asyncio.fixture
async def old(make_api: Any) -> AsyncIterator[Any]:
    """An application that keeps events for ever, long ago, with a catalogue."""
    api = await make_api(data_retention_days=0, report_cache_size=0, clock=FixedClock(LATER))
    for item in ("a", "b", "c"):
        document = {"_id": f"demo:{item}", "site": "demo", "item": item}
        if item in CATEGORIES:
            document["category"] = CATEGORIES[item]
        await api.database["items"].insert_one(document)
    yield api
    await api.database["items"].delete_many({})


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[dict[str, Any], int]]:
    """Events, each with when it arrives: before everything was rolled up, before quarters were
    once more, or since; and those that are withdrawn again, -1."""
    events = draw(events_of_a_site)
    return [(event, draw(st.sampled_from([0, 0, 0, 1, 2, -1]))) for event in events]


def counted(history: list[tuple[dict[str, Any], int]]) -> list[dict[str, Any]]:
    """The events that count at last."""
    return [event for event, arrival in history if arrival >= 0]


async def store(api: Any, history: list[tuple[dict[str, Any], int]]) -> None:
    """These events and no others, and the same ones on another site, rolled up in between."""
    for name in ("events", "marks", "quarter_hours", "rollups", "sessions"):
        await api.database[name].delete_many({})
    placed = [(place, event, arrival) for place, (event, arrival) in enumerate(history)]
    await insert(placed, (0, -1))
    await api.services.rollups.roll_up(0, 0, 0)
    for site in ("demo", "other"):
        withdrawn = [(place, event) for place, event, arrival in placed if arrival == -1]
        await MarkRepository().mark(site, {quarter_of(event["at"]) for _, event in withdrawn})
        ids = [f"{site}:{place}" for place, _ in withdrawn]
        await api.database["events"].update_many({"_id": {"$in": ids}}, {"$set": {"void": {}}})
    await insert(placed, (1,))
    await api.services.rollups.roll_up(0, 3_600, 3_600)
    await insert(placed, (2,))


async def insert(placed: list[tuple[int, dict[str, Any], int]], arrivals: tuple[int, ...]) -> None:
    """Store those that arrive then, with the marks that they have."""
    arriving = [(place, event) for place, event, arrival in placed if arrival in arrivals]
    for site in ("demo", "other"):
        await MarkRepository().mark(site, {quarter_of(event["at"]) for _, event in arriving})
        documents = [
            {"_id": f"{site}:{place}", "site": site, "received_at": LATER, **event}
            for place, event in arriving
        ]
        await EventRepository().insert(site, documents)


def from_events_alone(api: Any) -> Any:
    """Ask as if nothing had been rolled up."""

    async def ask(query: str, variables: dict[str, Any]) -> Any:
        runner = api.services.registry[AnalyticsService]._runner
        stock, runner._stock = runner._stock, None
        try:
            return await api.ask(query, variables)
        finally:
            runner._stock = stock

    return ask


@settings(thorough, max_examples=examples(12))
@given(history=histories(), asked=st.lists(reports(), min_size=3, max_size=3))
async def test_reports_are_what_the_oracle_says(
    old: Any,
    history: list[tuple[dict[str, Any], int]],
    asked: list[tuple[dict[str, Any], Asked]],
) -> None:
    """Totals, rows, their order, their number, and every metric in them, digit for digit, from rollups
    and from events, whatever was late or withdrawn."""
    await store(old, history)
    events = counted(history)
    for sent, report in asked:
        wanted = oracle.report(events, report, CATEGORIES)
        rows = wanted.pop("rows in all")
        for ask in (old.ask, from_events_alone(old)):
            answer = (await ask(REPORT, sent))["report"]
            assert answer["meta"]["rows"] == rows
            del answer["meta"]
            assert answer == wanted


ITEM = f"""query ($id: ID!, $range: RangeInput) {{ itemAnalytics(itemId: $id, range: $range) {{
  impressions clicks uniqueUsers uniqueSessions clickThroughRate metrics {{ {METRICS} }} }} }}"""
USER = """query ($id: ID!, $range: RangeInput) { userAnalytics(userId: $id, range: $range) {
  impressions clicks viewedItems clickedItems clickThroughRate } }"""
POPULAR = """query ($by: PopularBy, $limit: Int, $range: RangeInput) {
  popularItems(by: $by, limit: $limit, range: $range) {
    itemId impressions clicks uniqueUsers uniqueSessions } }"""
OVERVIEW = f"""query ($range: RangeInput, $filter: ReportFilter) {{
  overview(range: $range, filter: $filter) {{ current {{ {METRICS} }} previous {{ {METRICS} }} }} }}"""
IN_SHORT = ("impressions", "clicks", "uniqueUsers", "uniqueSessions")


@settings(thorough, max_examples=examples(10))
@given(
    history=histories(),
    asked=reports(),
    by=st.sampled_from(["IMPRESSIONS", "VIEWS", "CLICKS", "CONVERSIONS", "REVENUE"]),
    limit=st.integers(1, 4),
)
async def test_presets_are_what_the_oracle_says(
    old: Any,
    history: list[tuple[dict[str, Any], int]],
    asked: tuple[dict[str, Any], Asked],
    by: str,
    limit: int,
) -> None:
    """One item, one user, the most popular items, and a period against the one before."""
    sent, report = asked
    await store(old, history)
    events = counted(history)
    within = replace(Asked(report.start, report.end), zone=report.zone)
    period = {"range": sent["range"]}

    item = (await old.ask(ITEM, {"id": "a", **period}))["itemAnalytics"]
    of_item = oracle.report(events, replace(within, item="a"), CATEGORIES)["totals"]
    short = {name: of_item[name] for name in (*IN_SHORT, "clickThroughRate")}
    assert item == {**short, "metrics": of_item}

    user = (await old.ask(USER, {"id": "u", **period}))["userAnalytics"]
    assert user == oracle.user(events, replace(within, user="u"))

    popular = await old.ask(POPULAR, {"by": by, "limit": limit, **period})
    assert popular["popularItems"] == oracle.popular(events, within, by.lower())[:limit]

    overview = await old.ask(OVERVIEW, {"filter": sent["filter"], **period})
    compared = oracle.overview(events, replace(report, by=[], granularity=None), CATEGORIES)
    assert overview["overview"] == compared
