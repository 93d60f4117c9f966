"""Any events and arguments: funnels, retention, attribution and paths are what the oracle says."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest_asyncio
from bson import Decimal128
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.clock import FixedClock
from app.repositories.events import EventRepository
from tests.examples import examples
from tests.modules.analytics.behaviour import oracle
from tests.modules.analytics.behaviour.asking import attribution, funnel, paths, retention
from tests.modules.analytics.behaviour.oracle import Asked, Windows

LATER = datetime(2026, 4, 10, 12, tzinfo=UTC)
FAR = LATER + timedelta(minutes=6)
CATEGORIES = {"a": "shoes", "b": "$hats"}
MILLISECOND = timedelta(milliseconds=1)
thorough = settings(
    deadline=None,
    max_examples=examples(40),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest_asyncio.fixture
async def old(make_api: Any) -> AsyncIterator[Any]:
    """An application that keeps events for ever, with a catalogue."""
    api = await make_api(data_retention_days=0, clock=FixedClock(LATER))
    for item in ("a", "b", "c"):
        document = {"_id": f"demo:{item}", "site": "demo", "item": item}
        if item in CATEGORIES:
            document["category"] = CATEGORIES[item]
        await api.database["items"].insert_one(document)
    yield api
    await api.database["items"].delete_many({})


@st.composite
def stored(draw: st.DrawFn, types: list[str], instants: st.SearchStrategy[datetime]) -> Any:
    """Some fields of an event as it is stored."""
    event = {
        "type": draw(st.sampled_from(types)),
        "at": draw(instants),
        "visitor": draw(st.sampled_from("vvvw")),
        "session": draw(st.sampled_from("rrrs")),
        "user": draw(st.sampled_from([None, None, "u", "$u"])),
        "item": draw(st.sampled_from([None, "a", "a", "b", "c", "d"])),
        "page": draw(st.sampled_from([None, "/", "$p", "/q"])),
        "name": draw(st.sampled_from([None, None, "é"])),
        "source": draw(st.sampled_from([None, "search", "$home"])),
        "weight": draw(st.sampled_from([None, None, 2, 3])),
        "void": draw(st.sampled_from([None] * 4 + [{"id": "x"}])),
    }
    if event["type"] == "CONVERSION" and draw(st.booleans()):
        amounts = ["10.00", "0.01", "1E+3", "0.333333333", "999999999999999.99999999999999999", "7"]
        event["value"] = Decimal128(Decimal(draw(st.sampled_from(amounts))))
        event["currency"] = draw(st.sampled_from([None, "EUR", "CHF"]))
    return {name: value for name, value in event.items() if value is not None}


async def store(api: Any, events: list[dict[str, Any]], order: int) -> list[dict[str, Any]]:
    """These events and no others, and the same ones on another site; as they are stored."""
    await api.database["events"].delete_many({})
    documents = []
    for site in ("other", "demo"):
        # Ids are in another order than the events were drawn in.
        documents = [
            {"_id": f"{site}:{number * order % 97:02}", "site": site, "received_at": LATER, **event}
            for number, event in enumerate(events)
        ]
        await EventRepository().insert(site, documents)
    return documents


orders = st.sampled_from([1, 96, 35])
close = st.builds(
    lambda hours, rest: LATER - timedelta(days=1) + timedelta(hours=hours) + rest,
    st.integers(0, 3),
    st.sampled_from([timedelta(0), timedelta(0), MILLISECOND, -MILLISECOND]),
)
# Around a day apart, which is the shortest window of clicks.
spread = st.builds(
    lambda hours, rest: LATER - timedelta(hours=hours) + rest,
    st.sampled_from([48, 36, 24, 24, 12, 1]),
    st.sampled_from([timedelta(0), timedelta(0), timedelta(0), MILLISECOND]),
)
starts = st.one_of(st.just(LATER - timedelta(days=2)), close)


def many(events: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Mostly enough of them that something comes together."""
    return st.one_of(st.lists(events, max_size=4), *[st.lists(events, min_size=8, max_size=20)] * 4)


steps = st.lists(
    st.dictionaries(st.sampled_from(["type", "name", "category", "itemId", "page"]), st.none(),
                    min_size=1, max_size=1).flatmap(
        lambda parts: st.fixed_dictionaries({part: st.sampled_from({
            "type": ["CLICK", "CLICK", "VIEW", "CONVERSION"], "name": ["é"], "category": ["shoes", "$hats"],
            "itemId": ["a", "d"], "page": ["/", "$p"]}[part]) for part in parts})),
    min_size=2, max_size=4,
)  # fmt: skip


@thorough
@given(
    events=many(stored(["CLICK", "CLICK", "VIEW", "CONVERSION"], close)),
    order=orders,
    those=steps,
    hours=st.sampled_from([1, 2]),
    by=st.sampled_from([None, "ITEM", "CATEGORY", "SOURCE"]),
    start=starts,
)
async def test_funnels(
    old: Any,
    events: list[Any],
    order: int,
    those: list[dict[str, str]],
    hours: int,
    by: str | None,
    start: datetime,
) -> None:
    """Visitors, percentages, drop-off and medians of all steps, in total and by dimension."""
    documents = await store(old, events, order)
    period = {"start": start.isoformat(), "end": LATER.isoformat()}
    answer = await funnel(old, those, range=period, window=hours * 3600, by=by)
    covered = oracle.counted(documents, start, LATER)
    wanted = oracle.funnel(covered, those, timedelta(hours=hours), by and by.lower(), CATEGORIES)
    assert {name: answer[name] for name in ("steps", "rows")} == wanted
    assert answer["meta"]["rows"] == len(wanted["rows"])


days = st.builds(
    lambda days, rest: datetime(2026, 3, 29, tzinfo=UTC) + timedelta(days=days) + rest,
    st.integers(-30, 12),
    st.sampled_from([timedelta(hours=n) for n in (0, -1, -2, 4, 5, 12)]),
)
zones = ["UTC", "Europe/Zurich", "America/New_York", "Asia/Kathmandu"]


@thorough
@given(
    events=many(stored(["CLICK", "VIEW"], days.map(lambda at: min(at, FAR)))),
    order=orders,
    edges=st.tuples(days, days, st.booleans()),
    granularity=st.sampled_from(["DAY", "WEEK", "MONTH"]),
    zone=st.sampled_from(zones),
    periods=st.sampled_from([1, 3, 40]),
    item=st.sampled_from([None, None, "a"]),
)
async def test_retention(
    old: Any,
    events: list[Any],
    order: int,
    edges: tuple[datetime, datetime, bool],
    granularity: str,
    zone: str,
    periods: int,
    item: str | None,
) -> None:
    """Cohorts, who came back, what is still to come and what is complete, by any calendar."""
    documents = await store(old, events, order)
    start, end = min(edges[:2]), max(edges[:2]) + MILLISECOND
    if edges[2]:  # to the end of a day, week or month
        asked = Asked(start, end, granularity, zone, periods, LATER)
        end = asked.begins(asked.period(end) + 1)
    asked = Asked(start, end, granularity, zone, periods, LATER)
    answer = await retention(
        old,
        range={"start": start.isoformat(), "end": end.isoformat()},
        granularity=granularity,
        timezone=zone,
        periods=periods,
        filter={"itemId": item},
    )
    covered = oracle.counted(documents, datetime(1900, 1, 1, tzinfo=UTC), end)
    if item:
        covered = [event for event in covered if event.get("item") == item]
    wanted = oracle.retention(covered, asked)
    assert {name: answer[name] for name in ("cohorts", "overall")} == wanted


@thorough
@given(
    events=many(
        stored(["CLICK", "CLICK", "VIEW", "IMPRESSION", "CONVERSION", "CONVERSION"], spread)
    ),
    order=orders,
    model=st.sampled_from(["LAST_TOUCH", "LAST_CLICK", "FIRST_CLICK", "LINEAR", "LAST_VIEW"]),
    hours=st.sampled_from([11, 12, 24]),
    impressions=st.booleans(),
    by=st.sampled_from(["ITEM", "SOURCE", "PAGE"]),
    start=st.one_of(st.just(LATER - timedelta(days=3)), spread),
    limit=st.sampled_from([1, 100]),
)
async def test_attribution(
    old: Any,
    events: list[Any],
    order: int,
    model: str,
    hours: int,
    impressions: bool,
    by: str,
    start: datetime,
    limit: int,
) -> None:
    """What every touch is credited with, digit for digit, and that it all adds up."""
    documents = await store(old, events, order)
    answer = await attribution(
        old,
        range={"start": start.isoformat(), "end": LATER.isoformat()},
        model=model,
        clicks=1,
        views=hours,
        impressions=impressions,
        by=by,
        limit=limit,
    )
    windows = Windows(model, timedelta(days=1), timedelta(hours=hours), impressions)
    covered = oracle.counted(documents, start - timedelta(days=90), LATER)
    wanted = oracle.attribution(covered, start, by.lower(), windows)
    assert oracle.credit_of(answer["total"]) == wanted.pop(True)
    rows = [row for row in answer["rows"] if not row["direct"]]
    assert [row["value"] for row in answer["rows"] if row["direct"]] == [None] * (False in wanted)
    found = {
        False if row["direct"] else row["value"]: oracle.credit_of(row["credit"])
        for row in answer["rows"]
    }
    assert len(rows) == min(limit, len(wanted.keys() - {False}))
    assert answer["meta"]["rows"] == len(wanted.keys() - {False})
    assert found == {key: wanted[key] for key in found}
    ranked = [found[row["value"]].conversions for row in rows]
    assert ranked == sorted(ranked, reverse=True)
    parts = [*found.values(), oracle.credit_of(answer["others"])]
    total = oracle.credit_of(answer["total"])
    assert sum(part.conversions for part in parts) == total.conversions
    for currency, amount in total.amounts.items():
        assert sum(part.amounts.get(currency, 0) for part in parts) == amount


@thorough
@given(
    events=many(stored(["CLICK", "CLICK", "PAGE_VIEW", "PAGE_VIEW", "VIEW"], close)),
    order=orders,
    anchor=st.sampled_from([("item", "a"), ("item", "d"), ("page", "$p"), ("page", "/q")]),
    direction=st.sampled_from(["NEXT", "PREVIOUS"]),
    start=starts,
    limit=st.sampled_from([1, 100]),
)
async def test_paths(
    old: Any,
    events: list[Any],
    order: int,
    anchor: tuple[str, str],
    direction: str,
    start: datetime,
    limit: int,
) -> None:
    """Where sessions went or came from, how many ended there, and that shares are of all of them."""
    documents = await store(old, events, order)
    field, value = anchor
    period = {"start": start.isoformat(), "end": LATER.isoformat()}
    answer = await paths(old, **{field: value}, range=period, direction=direction, limit=limit)
    types = ("CLICK", "PAGE_VIEW") if field == "item" else ("PAGE_VIEW",)
    covered = oracle.counted(documents, start, LATER)
    found, ended = oracle.paths(covered, field, value, direction, types)
    sessions = sum(found.values()) + ended
    best = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    assert answer.pop("meta")["rows"] == len(found)
    assert answer == {
        "sessions": sessions,
        "rows": [
            {"value": value, "sessions": count, "share": oracle.percent(count, sessions)}
            for value, count in best[:limit]
        ],
        "others": sum(count for _, count in best[limit:]),
        "ended": ended,
        "endedShare": oracle.percent(ended, sessions),
    }
