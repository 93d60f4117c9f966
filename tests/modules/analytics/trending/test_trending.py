"""Trending items: two periods compared, by what is sure and not by what is small."""

from datetime import timedelta
from math import sqrt
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.repositories.events import EventRepository
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store

TRENDING = """query ($range: RangeInput, $by: TrendBy, $direction: Direction, $limit: Int,
  $minimum: Int, $filter: ReportFilter) {
  trendingItems(range: $range, by: $by, direction: $direction, limit: $limit, minimum: $minimum,
                filter: $filter) {
    start end previousStart exact
    items { itemId item { title } current previous growthPercent isNew ratioLow ratioHigh certain } } }"""
START = NOW - timedelta(days=2)
MIDDLE = NOW - timedelta(days=1)
DAY = {"start": MIDDLE.isoformat(), "end": NOW.isoformat()}


async def ask(api: Any, **arguments: Any) -> Any:
    return (await api.ask(TRENDING, {"range": DAY, **arguments}))["trendingItems"]


async def happened(counts: dict[str, tuple[int, int]], **fields: Any) -> None:
    """So many impressions of each item in the day before, and in the day that is asked for."""
    await store(
        *[
            event(**{"item": item, "at": at, **fields})
            for item, (before, now) in counts.items()
            for at, number in ((START, before), (MIDDLE, now))
            for _ in range(number)
        ]
    )


def interval(now: int, before: int) -> tuple[float, float | None]:
    """Wilson's 95% interval of the share that is now, as a ratio of the two; by the textbook's formula."""
    z, n = NormalDist().inv_cdf(0.975), now + before
    share = now / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(middle - half, 0), middle + half
    return low / (1 - low), (high / (1 - high) if before else None)


def ids(found: Any) -> list[str]:
    return [item["itemId"] for item in found["items"]]


async def test_much_that_grows_comes_before_little_that_grows_more(api: Any) -> None:
    """900 after 500 is a trend, 3 after 1 is not, whatever the percentages say."""
    await happened({"large": (500, 900), "small": (1, 3), "same": (50, 50), "less": (60, 50)})
    found = await ask(api, minimum=1)
    assert ids(found) == ["large", "small"]
    large, small = found["items"]
    assert (large["current"], large["previous"], large["growthPercent"]) == (900, 500, 80.0)
    assert large["certain"] is True
    assert 1.6 < large["ratioLow"] < 1.7
    assert (small["growthPercent"], small["certain"]) == (200.0, False)
    assert small["ratioLow"] < 0.5 < 10 < small["ratioHigh"]
    assert ids(await ask(api)) == ["large"]
    assert ids(await ask(api, limit=1, minimum=1)) == ["large"]


async def test_falling_items_are_those_that_surely_fell_most(api: Any) -> None:
    """The other direction, with items that are gone; what grew is not among them."""
    await happened({"gone": (40, 0), "less": (900, 500), "little": (3, 1), "more": (5, 50)})
    found = await ask(api, direction="FALLING", minimum=1)
    assert ids(found) == ["gone", "less", "little"]
    gone = found["items"][0]
    assert (gone["growthPercent"], gone["ratioLow"], gone["certain"]) == (-100.0, 0, True)
    assert found["items"][2]["certain"] is False


async def test_what_was_not_there_before_is_new(api: Any) -> None:
    """It has no percentage and no upper bound, and is ordered by its lower bound like any other."""
    await happened({"new": (0, 12), "few": (0, 3), "grown": (10, 90)})
    found = await ask(api)
    assert ids(found) == ["grown", "new"]
    new = found["items"][1]
    assert (new["isNew"], new["growthPercent"], new["ratioHigh"]) == (True, None, None)
    assert new["certain"] is True
    assert found["items"][0]["isNew"] is False


async def test_the_minimum_is_of_the_larger_period(api: Any) -> None:
    """Exactly the minimum is enough; below it in both periods is not."""
    await happened({"ten": (9, 10), "nine": (1, 9), "was": (10, 0), "few": (9, 0)})
    assert ids(await ask(api, minimum=None)) == ["ten"]
    assert ids(await ask(api, direction="FALLING")) == ["was"]


async def test_of_equal_trends_the_id_decides(api: Any) -> None:
    """The order is always the same."""
    await happened(dict.fromkeys(("c", "a", "b"), (10, 20)))
    assert ids(await ask(api)) == ["a", "b", "c"]


async def test_the_periods_are_equal_long_and_do_not_overlap(api: Any) -> None:
    """The first instant is in, the end is out; the millisecond before the start is the previous one's."""
    edge = timedelta(milliseconds=1)
    await store(
        *[event(item="now", at=at) for at in (MIDDLE, NOW - edge) for _ in range(10)],
        *[event(item="before", at=at) for at in (START, MIDDLE - edge) for _ in range(10)],
        *[event(item=item, at=at) for item, at in (("now", NOW), ("before", START - edge))],
    )
    found = await ask(api)
    assert (found["previousStart"], found["start"], found["end"]) == (
        "2026-06-13T12:00:00.000Z",
        "2026-06-14T12:00:00.000Z",
        "2026-06-15T12:00:00.000Z",
    )
    [now] = found["items"]
    assert (now["itemId"], now["current"], now["previous"]) == ("now", 20, 0)
    [before] = (await ask(api, direction="FALLING"))["items"]
    assert (before["current"], before["previous"]) == (0, 20)


async def test_a_range_that_is_not_over_is_compared_as_far_as_it_is(api: Any) -> None:
    """At noon half of today is compared with half a day, and not with the whole of yesterday."""
    found = await ask(api, range={"preset": "TODAY"})
    assert found["start"] == "2026-06-15T00:00:00.000Z"
    assert found["end"] == "2026-06-15T12:05:00.001Z"
    assert found["previousStart"] == "2026-06-14T11:54:59.999Z"
    assert (await ask(api, range=None))["end"] == "2026-06-15T12:05:00.001Z"


@pytest.mark.parametrize(
    ("by", "event_type"),
    [("IMPRESSIONS", "IMPRESSION"), ("VIEWS", "VIEW"), ("CLICKS", "CLICK"), ("CONVERSIONS", "CONVERSION")],
)  # fmt: skip
async def test_each_number_can_trend(api: Any, by: str, event_type: str) -> None:
    """Only events of that type count, only those of an item, only what the filter leaves."""
    types = ("IMPRESSION", "VIEW", "CLICK", "CONVERSION")
    await store(
        *[event(each, item=each, source="s", at=MIDDLE) for each in types for _ in range(10)],
        *[event(event_type, at=MIDDLE) for _ in range(20)],
        *[event(event_type, item="elsewhere", at=MIDDLE) for _ in range(20)],
        *[
            event(event_type, item="void", source="s", at=MIDDLE, void={"id": "v"})
            for _ in range(20)
        ],
    )
    where = {"where": [{"dimension": "SOURCE", "values": ["s"]}]}
    assert ids(await ask(api, by=by, filter=where)) == [event_type]


async def test_items_of_the_catalogue_come_with_it(api: Any) -> None:
    """An item that is not there is null; nothing is looked up where it is not selected."""
    await happened({"known": (0, 20), "unknown": (0, 10)})
    await api.ask('mutation { createItem(input: {id: "known", title: "Vase"}) { id } }')
    found = await ask(api)
    assert [item["item"] for item in found["items"]] == [{"title": "Vase"}, None]
    assert await api.ask("{ trendingItems { items { itemId } } }")
    assert await api.ask("{ trendingItems { exact } }")


async def test_a_sample_does_not_make_a_trend_surer(api: Any) -> None:
    """Counts are scaled up; minimum and interval go by the events that there are."""
    await happened({"a": (5, 20), "few": (0, 9)}, weight=100)
    found = await ask(api)
    [item] = found["items"]
    assert (item["current"], item["previous"], found["exact"]) == (2_000, 500, False)
    assert (item["ratioLow"], item["ratioHigh"]) == pytest.approx(interval(20, 5))


async def test_a_sample_that_was_changed_is_no_trend(api: Any) -> None:
    """As many events that stand for twice as many are twice as many."""
    await happened({"a": (20, 0)}, weight=10)
    await happened({"a": (0, 20)}, weight=20)
    [item] = (await ask(api))["items"]
    assert (item["current"], item["previous"]) == (400, 200)
    low, high = interval(20, 20)
    assert (item["ratioLow"], item["ratioHigh"]) == pytest.approx((2 * low, 2 * (high or 0)))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"range": {"preset": "ALL"}}, "range.preset"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"minimum": 0}, "minimum"),
        ({"minimum": 2**31 - 1}, "minimum"),
        ({"filter": {"itemId": ""}}, "filter.itemId"),
        ({"range": {"start": "2026-06-02", "end": "2026-06-01"}}, "range"),
    ],
)
async def test_what_cannot_be_compared_is_refused(
    api: Any, arguments: dict[str, Any], field: str
) -> None:
    """BAD_USER_INPUT with the argument's name; null is the default."""
    error = await api.refused(TRENDING, arguments)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    await ask(api, range=None, by=None, direction=None, limit=None, minimum=None, filter=None)


async def test_the_first_instants_of_all_times_can_be_asked_for(api: Any) -> None:
    """The period before the longest range begins before the years that can be asked for."""
    found = await ask(api, range={"start": "1900-01-01", "end": "2200-12-31"})
    assert found["items"] == []


async def test_it_ends_in_time(make_api: Any) -> None:
    """Where the server allows next to no time, the answer is LIMIT_EXCEEDED and nothing else."""
    api = await make_api(report_timeout=1e-6)
    error = await api.refused("{ trendingItems { exact } }")
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


counts = st.dictionaries(
    st.sampled_from(["a", "b", "c", "$d", "é"]),
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    max_size=5,
)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(counted=counts, minimum=st.integers(1, 10), rising=st.booleans(), limit=st.integers(1, 5))
async def test_trends_are_what_the_textbook_says(
    api: Any, counted: dict[str, tuple[int, int]], minimum: int, rising: bool, limit: int
) -> None:
    """Which items, in what order, and their intervals, for any counts."""
    await api.database["events"].delete_many({})
    await happened(counted)
    await EventRepository().insert("other", [event(site="other", item="a", at=MIDDLE)])
    found = await ask(
        api, direction="RISING" if rising else "FALLING", minimum=minimum, limit=limit
    )
    wanted = []
    for item, (before, now) in counted.items():
        if max(before, now) >= minimum and (now > before if rising else now < before):
            low, high = interval(now, before)
            wanted.append((-low if rising else high, item, low, high))
    wanted.sort(key=lambda row: (round(row[0] or 0, 9), row[1]))
    assert ids(found) == [item for _, item, _, _ in wanted[:limit]]
    for item, (_, _, low, high) in zip(found["items"], wanted, strict=False):
        assert item["ratioLow"] == pytest.approx(low, abs=1e-9)
        assert item["ratioHigh"] == (None if high is None else pytest.approx(high))
        assert item["certain"] == (low > 1 or (high is not None and high < 1))
