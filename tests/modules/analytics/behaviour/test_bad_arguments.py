"""What may not be asked of behaviour: every bad value is named, none is repeated, none breaks anything."""

import json
from typing import Any

from app.core.auth import Scope
from tests.conftest import OTHER_SITE_KEYS
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.behaviour.asking import ATTRIBUTION, FUNNEL, PATHS, RETENTION

LONG = "x" * 257
TWO = [{"type": "VIEW"}, {"type": "CLICK"}]
SINCE = {"start": "2026-06-01"}

BAD: list[tuple[str, dict[str, Any], str]] = [
    (FUNNEL, {"steps": []}, "steps"),
    (FUNNEL, {"steps": TWO[:1]}, "steps"),
    (FUNNEL, {"steps": TWO * 4 + TWO[:1]}, "steps"),
    (FUNNEL, {"steps": [*TWO, {}]}, "steps.2"),
    (FUNNEL, {"steps": [{"type": None, "name": None}, *TWO]}, "steps.0"),
    (FUNNEL, {"steps": [*TWO, {"name": ""}]}, "steps.2.name"),
    (FUNNEL, {"steps": [*TWO, {"category": LONG}]}, "steps.2.category"),
    (FUNNEL, {"steps": [*TWO, {"itemId": "a\x00"}]}, "steps.2.itemId"),
    (FUNNEL, {"steps": [*TWO, {"page": "a\x1b"}]}, "steps.2.page"),
    (FUNNEL, {"steps": TWO, "window": 0}, "windowSeconds"),
    (FUNNEL, {"steps": TWO, "window": 7_776_001}, "windowSeconds"),
    (FUNNEL, {"steps": TWO, "limit": 0}, "limit"),
    (FUNNEL, {"steps": TWO, "limit": 1_001}, "limit"),
    (FUNNEL, {"steps": TWO, "range": {"end": "2026-06-01"}}, "range.start"),
    (FUNNEL, {"steps": TWO, "filter": {"itemId": ""}}, "filter.itemId"),
    (RETENTION, {"granularity": "HOUR"}, "granularity"),
    (RETENTION, {"granularity": "MINUTE"}, "granularity"),
    (RETENTION, {"periods": 0}, "periods"),
    (RETENTION, {"periods": 61}, "periods"),
    (RETENTION, {"timezone": "Mars/Olympus"}, "timezone"),
    (RETENTION, {"range": {"preset": "TODAY", **SINCE}}, "range"),
    (ATTRIBUTION, {"clicks": 0}, "clickWindowDays"),
    (ATTRIBUTION, {"clicks": 91}, "clickWindowDays"),
    (ATTRIBUTION, {"views": 0}, "viewWindowHours"),
    (ATTRIBUTION, {"views": 2_161}, "viewWindowHours"),
    (ATTRIBUTION, {"limit": 0}, "limit"),
    (ATTRIBUTION, {"limit": 1_001}, "limit"),
    (ATTRIBUTION, {"filter": {"userId": LONG}}, "filter.userId"),
    (PATHS, {}, "itemId"),
    (PATHS, {"item": "a", "page": "/"}, "itemId"),
    (PATHS, {"item": ""}, "itemId"),
    (PATHS, {"item": LONG}, "itemId"),
    (PATHS, {"page": "\x07"}, "page"),
    (PATHS, {"item": "a", "limit": 0}, "limit"),
    (PATHS, {"item": "a", "limit": 101}, "limit"),
]


async def test_bad_arguments(api: Any) -> None:
    """BAD_USER_INPUT with the argument's name, and nothing of the value."""
    for query, arguments, field in BAD:
        error = await api.refused(query, arguments)
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}, arguments
        assert LONG not in json.dumps(error)


async def test_too_many_cohorts(api: Any) -> None:
    """LIMIT_EXCEEDED with words that say what to ask instead; any range of weeks is bounded too."""
    for arguments in (
        {"granularity": "DAY", "range": {"start": "2025-11-01"}},
        {"granularity": "WEEK", "range": {"start": "2000-01-01"}},
        {"granularity": "MONTH", "range": {"start": "1900-01-01"}},
    ):
        error = await api.refused(RETENTION, arguments)
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "field": "range"}
        assert "Ask for" in error["message"]


async def test_null_is_the_default(api: Any) -> None:
    """Every argument that has a default may be null."""
    nothing = dict.fromkeys(("range", "window", "by", "filter", "limit", "granularity", "timezone"))
    more = dict.fromkeys(
        ("periods", "model", "clicks", "views", "impressions", "direction", "page")
    )
    await store(event("CLICK", item="a"), event("VIEW"))
    for query, needed in ((FUNNEL, {"steps": TWO}), (RETENTION, {}), (ATTRIBUTION, {}),
                          (PATHS, {"item": "a"})):  # fmt: skip
        assert await api.ask(query, {**nothing, **more, **needed}) == await api.ask(query, needed)


async def test_the_widest_range_and_window_work(api: Any) -> None:
    """From 1900 to 2200, with the longest windows and a filter on the clock."""
    await store(event("CLICK", item="a"))
    widest = {"range": {"start": "1900-01-01", "end": "2200-12-31"}}
    noon = {"where": [{"dimension": "HOUR_OF_DAY", "values": ["12"]}]}
    found = await api.ask(FUNNEL, {"steps": TWO[::-1], "window": 7_776_000, "by": "HOUR_OF_DAY",
                                   "filter": noon, **widest})  # fmt: skip
    assert found["funnel"]["rows"][0]["value"] == "12"
    await api.ask(
        ATTRIBUTION, {"clicks": 90, "views": 2_160, "by": "WEEKDAY", "filter": noon, **widest}
    )
    await api.ask(PATHS, {"item": "a", **widest})
    since = {"range": {"start": "2023-01-01"}, "granularity": "WEEK", "filter": noon}
    found = await api.ask(RETENTION, {**since, "timezone": "America/New_York"})
    assert found["retention"]["overall"][0]["visitors"] == 0


QUERIES = [
    "funnel(steps: [{type: VIEW}, {type: CLICK}], by: ITEM) { steps { visitors } rows { value } }",
    "retention { cohorts { visitors } overall { visitors } }",
    "attribution { total { conversions } rows { value } }",
    'paths(itemId: "i") { sessions rows { value } ended }',
    'paths(itemId: "j", direction: PREVIOUS) { sessions rows { value } ended }',
]


async def test_another_sites_events_are_not_counted(api: Any) -> None:
    """A key of one site sees its own numbers, with the same ids on both sites."""
    empty = [await api.ask(f"{{ {query} }}", keys=OTHER_SITE_KEYS) for query in QUERIES]
    await store(*[event(kind, item="i") for kind in ("VIEW", "CLICK", "CONVERSION")])
    await store(event("PAGE_VIEW", item="j"))
    for query, nothing in zip(QUERIES, empty, strict=True):
        assert await api.ask(f"{{ {query} }}", keys=OTHER_SITE_KEYS) == nothing
        assert await api.ask(f"{{ {query} }}") != nothing
    # With events of its own, the other site's session goes nowhere that only this one's went.
    await store(event("CLICK", item="i", site="other"), site="other")
    other = await api.ask(f"{{ {QUERIES[3]} }}", keys=OTHER_SITE_KEYS)
    assert other == {"paths": {"sessions": 1, "rows": [], "ended": 1}}


async def test_they_need_a_read_key(api: Any) -> None:
    """A write key, which may be public, learns nothing; a read key does."""
    for query in QUERIES:
        refused = await api.refused(f"{{ {query} }}", scope=Scope.WRITE)
        assert refused["extensions"]["code"] == "FORBIDDEN"
        await api.ask(f"{{ {query} }}", scope=Scope.READ)
