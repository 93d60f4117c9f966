"""Durations and scroll depths: each number by its definition, and whatever the events are."""

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.analytics.engagement.spread import place_of, value_at
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.oracle import Asked, Event, covers, value_of

DURATION = "count mean p25 median p75 p90 p95 histogram { atLeast below count percent }"
DEPTH = "pages mean p25 median p75 p90 p95 reached { depth pages percent }"
BOTH = f"duration {{ {DURATION} }} scrollDepth {{ {DEPTH} }}"
ENGAGEMENT = f"""query ($range: RangeInput, $filter: ReportFilter, $by: Dimension, $limit: Int) {{
  engagement(range: $range, filter: $filter, by: $by, limit: $limit) {{
    {BOTH} rows {{ dimension {{ dimension value }} {BOTH} }} exact }} }}"""
BINS = [0, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200]
PERCENTILES = {"p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95}
CATEGORIES = {"a": "shoes"}


async def ask(api: Any, **arguments: Any) -> Any:
    return (await api.ask(ENGAGEMENT, arguments))["engagement"]


def shares(counts: list[int]) -> list[float | None]:
    return [100 * count / sum(counts) if sum(counts) else None for count in counts]


def percentiles(numbers: list[int]) -> dict[str, Any]:
    """By nearest rank, as the definition says it."""
    ordered = sorted(numbers)
    return {
        name: ordered[max(1, math.ceil(p * len(ordered) / 100)) - 1] if ordered else None
        for name, p in PERCENTILES.items()
    }


def mean(numbers: list[int]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def expected(events: list[Event]) -> dict[str, Any]:
    """What is said of these events. One with a weight is there as often as it weighs."""
    durations = [
        e["engagement"] for e in events if "engagement" in e for _ in range(e.get("weight", 1))
    ]
    deepest: dict[Any, int] = {}
    weights: dict[Any, int] = {}
    for e in events:
        if "scroll_depth" in e:
            place = ("page", e["page"]) if "page" in e else ("item", e.get("item"))
            key = (e["session"], *place)
            deepest[key] = max(deepest.get(key, 0), e["scroll_depth"])
            weights[key] = max(weights.get(key, 0), e.get("weight", 1))
    depths = [depth for key, depth in deepest.items() for _ in range(weights[key])]
    ends = [*BINS[1:], 10**9]
    counts = [
        sum(start * 1000 <= d < end * 1000 for d in durations)
        for start, end in zip(BINS, ends, strict=True)
    ]
    reached = {at: sum(depth >= at for depth in depths) for at in (25, 50, 75, 100)}
    return {
        "duration": {
            "count": len(durations),
            "mean": mean(durations),
            **percentiles(durations),
            "histogram": [
                {
                    "atLeast": start * 1000,
                    "below": None if end == 10**9 else end * 1000,
                    "count": count,
                    "percent": share,
                }
                for start, end, count, share in zip(BINS, ends, counts, shares(counts), strict=True)
            ],
        },
        "scrollDepth": {
            "pages": len(depths),
            "mean": mean(depths),
            **percentiles(depths),
            "reached": [
                {"depth": at, "pages": n, "percent": 100 * n / len(depths) if depths else None}
                for at, n in reached.items()
            ],
        },
    }


async def test_nothing_is_nothing(api: Any) -> None:
    """Without events all counts are 0 and all else is null; the bins are there."""
    ever = {"preset": "ALL"}
    for dimension in ("HOUR_OF_DAY", "CATEGORY"):
        assert await ask(api, range=ever, by=dimension) == {
            **expected([]),
            "rows": [],
            "exact": True,
        }
    await store(event("PAGE_VIEW"))
    found = await ask(api)
    assert found == {**expected([]), "rows": [], "exact": True}
    assert found["duration"]["median"] is None
    assert len(found["duration"]["histogram"]) == 12


async def test_bins_begin_with_their_edge_and_end_before_the_next(api: Any) -> None:
    """999 ms and 1 s are in different bins; 30 minutes, the longest there is, is in the last."""
    lengths = [0, 999, 1_000, 1_999, 2_000, 59_999, 60_000, 1_199_999, 1_200_000, 1_800_000]
    await store(*[event("ENGAGEMENT", engagement=length) for length in lengths])
    found = (await ask(api))["duration"]
    counts = {each["atLeast"]: each["count"] for each in found["histogram"]}
    assert counts == {
        **dict.fromkeys(counts, 0),
        0: 2,
        1_000: 2,
        2_000: 1,
        30_000: 1,
        60_000: 1,
        600_000: 1,
        1_200_000: 2,
    }
    assert sum(each["percent"] for each in found["histogram"]) == pytest.approx(100)


async def test_percentiles_are_numbers_that_occur(api: Any) -> None:
    """Nearest rank: of 1 to 10 seconds the median is 5 and not 5.5, the 25th percentile 3."""
    await store(*[event("ENGAGEMENT", engagement=1_000 * n) for n in range(1, 11)])
    found = (await ask(api))["duration"]
    assert [found[name] for name in PERCENTILES] == [3_000, 5_000, 8_000, 9_000, 10_000]
    assert found["mean"] == 5_500.0


async def test_a_page_counts_once_in_a_session_with_its_deepest(api: Any) -> None:
    """Reports at 25, 50 and 75 percent are one page that was read to 75; without a page the item counts."""
    await store(
        *[event("ENGAGEMENT", page="/a", scroll_depth=depth) for depth in (25, 75, 50)],
        event("PAGE_VIEW", page="/a", scroll_depth=100, session="2"),
        event("ENGAGEMENT", page="/b", scroll_depth=10, item="x"),
        event("ENGAGEMENT", page="/b", scroll_depth=20, item="y"),
        event("ENGAGEMENT", item="x", scroll_depth=0),
        event("ENGAGEMENT", item="y", scroll_depth=5),
        event("PAGE_VIEW", page="/never-scrolled"),
    )
    found = (await ask(api))["scrollDepth"]
    assert found["pages"] == 5
    assert found["mean"] == (75 + 100 + 20 + 0 + 5) / 5
    assert found["median"] == 20
    assert [each["pages"] for each in found["reached"]] == [2, 2, 2, 1]


async def test_the_mean_is_that_of_metrics(api: Any) -> None:
    """The same events as averageEngagement: of any type, as long as they carry a duration."""
    await store(
        event("PAGE_VIEW", engagement=7),
        event("ENGAGEMENT", engagement=1_000),
        event("VIEW", item="a", engagement=33),
        event("CLICK", item="a"),
    )
    metrics = await api.ask("{ overview { current { averageEngagement } } }")
    found = await ask(api)
    assert found["duration"]["mean"] == metrics["overview"]["current"]["averageEngagement"]


async def test_what_was_withdrawn_or_is_anothers_is_left_out(api: Any) -> None:
    """Voided events and those of other sites have no part in it."""
    await store(
        event("ENGAGEMENT", engagement=5, scroll_depth=50),
        event("ENGAGEMENT", engagement=9_000, scroll_depth=90, void={"id": "v"}),
    )
    await store(event("ENGAGEMENT", site="other", engagement=7, scroll_depth=70), site="other")
    found = await ask(api)
    assert found["duration"]["count"] == 1
    assert found["scrollDepth"]["p95"] == 50


async def test_a_sample_is_scaled_up(api: Any) -> None:
    """An event that stands for ten counts ten times, in percentiles too, and the answer says so."""
    events = [
        event("ENGAGEMENT", engagement=1_000, scroll_depth=10, session="1"),
        event("ENGAGEMENT", engagement=9_000, scroll_depth=90, session="2", weight=10),
    ]
    await store(*events)
    found = await ask(api)
    assert found == {**expected(events), "rows": [], "exact": False}
    assert found["duration"]["median"] == 9_000


async def test_rows_are_in_order_and_bounded(api: Any) -> None:
    """Those with the most events first, of equals by value; null is a value too."""
    await store(
        *[event("ENGAGEMENT", item=item, engagement=1) for item in "abbc"],
        event("PAGE_VIEW", engagement=1),
        event("CLICK", item="z"),
    )
    found = await ask(api, by="ITEM", limit=3)
    assert [row["dimension"]["value"] for row in found["rows"]] == ["b", None, "a"]


@pytest.mark.parametrize("limit", [0, -1, 51])
async def test_a_limit_out_of_bounds_is_refused(api: Any, limit: int) -> None:
    """BAD_USER_INPUT with the field; null is the default."""
    error = await api.refused(ENGAGEMENT, {"limit": limit})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "limit"}
    await ask(api, limit=None, by=None, filter=None, range=None)


async def test_only_what_is_asked_for_is_answered(api: Any) -> None:
    """Parts that are not selected are not counted, and nothing breaks."""
    await store(event("ENGAGEMENT", engagement=5, scroll_depth=50, item="a"))
    for query in (
        "{ engagement { exact } }",
        "{ engagement(by: ITEM) { rows { scrollDepth { pages } } } }",
        "{ engagement(by: ITEM) { ...F } } fragment F on Engagement { rows { duration { count } } }",
        "{ engagement(by: ITEM) { duration { median } } }",
    ):
        assert await api.ask(query)


@pytest.mark.parametrize(
    "query", ["{ engagement { duration { count } } }", '{ clickMap(itemId: "a") { clicks } }']
)
async def test_it_ends_in_time(make_api: Any, query: str) -> None:
    """Where the server allows next to no time, the answer is LIMIT_EXCEEDED and nothing else."""
    api = await make_api(report_timeout=1e-6)
    error = await api.refused(query)
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


@given(
    counts=st.dictionaries(st.integers(0, 50), st.integers(1, 5), min_size=1), p=st.integers(1, 100)
)
def test_places_in_counts_are_places_in_the_numbers(counts: dict[int, int], p: int) -> None:
    """The place of a percentile in counted numbers is its place in the numbers written out."""
    numbers = sorted(value for value, count in counts.items() for _ in range(count))
    place = place_of(p, len(numbers))
    assert place == max(1, math.ceil(p * len(numbers) / 100))
    value, below = value_at(place, counts)
    assert value == numbers[place - 1]
    assert below == sum(number < value for number in numbers)


events_of_a_site = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["ENGAGEMENT", "PAGE_VIEW", "VIEW"]),
            "session": st.sampled_from("rst"),
            "at": st.integers(0, 40).map(lambda hours: NOW - timedelta(hours=hours)),
        },
        optional={
            "item": st.sampled_from(["a", "b", "$c"]),
            "page": st.sampled_from(["/p", "/q", "$p"]),
            "device": st.sampled_from(["tv", "mobile"]),
            "engagement": st.one_of(
                st.integers(0, 1_800_000), st.integers(0, 3_000), st.sampled_from([1_000, 60_000])
            ),
            "scroll_depth": st.one_of(st.integers(0, 100), st.sampled_from([25, 50, 75, 100])),
            "weight": st.sampled_from([2, 10]),
        },
    ),
    max_size=40,
)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    events=events_of_a_site,
    by=st.sampled_from([None, "ITEM", "DEVICE", "PAGE", "CATEGORY", "HOUR_OF_DAY"]),
    where=st.lists(
        st.sampled_from([("ITEM", ["a", "$c"]), ("DEVICE", ["tv"]), ("CATEGORY", ["shoes"])]),
        max_size=1,
    ),
    limit=st.integers(1, 4),
)
async def test_engagement_is_what_the_oracle_says(
    api: Any, events: list[Event], by: str | None, where: list[Any], limit: int
) -> None:
    """Any events, filters and dimensions: every number, and the rows in their order."""
    await api.database["events"].delete_many({})
    await api.database["items"].update_one(
        {"_id": "demo:a"},
        {"$set": {"site": "demo", "item": "a", "category": "shoes"}},
        upsert=True,
    )
    await store(*[event(e["type"], **{k: v for k, v in e.items() if k != "type"}) for e in events])
    asked = Asked(NOW - timedelta(hours=24), NOW + timedelta(hours=1), where=where)
    covered = [e for e in events if covers(asked, e, CATEGORIES)]
    found = await ask(
        api,
        range={"preset": "LAST_24_HOURS"},
        by=by,
        limit=limit,
        filter={"where": [{"dimension": name, "values": values} for name, values in where]},
    )
    rows = found.pop("rows")
    assert found.pop("exact") == (
        not any("weight" in e for e in events if e["at"] >= NOW - timedelta(hours=24))
    )
    assert found == expected(covered)
    if by is None:
        assert not rows
        return
    of_value: dict[str | None, list[Event]] = {}
    for e in covered:
        if "engagement" in e or "scroll_depth" in e:
            value = (
                value_of({**e, "page": e.get("page")}, by, asked, CATEGORIES)
                if by != "PAGE"
                else e.get("page")
            )
            of_value.setdefault(value, []).append(e)
    order = sorted(
        of_value,
        key=lambda v: (-sum(e.get("weight", 1) for e in of_value[v]), v is not None, v or ""),
    )
    assert rows == [
        {"dimension": {"dimension": by, "value": value}, **expected(of_value[value])}
        for value in order[:limit]
    ]
