"""What analysts may not ask: every bad value is named, none is repeated, none breaks anything."""

import json
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import OTHER_SITE_KEYS
from tests.modules.analytics.asking import REPORT, event, store

START = {"start": "2026-06-01"}
LONG = "x" * 257


def where(*conditions: tuple[str, list[str]]) -> dict[str, Any]:
    return {
        "filter": {"where": [{"dimension": name, "values": those} for name, those in conditions]}
    }


BAD_REPORTS = {
    "three dimensions": ({"by": ["ITEM", "SOURCE", "OS"]}, "by"),
    "the same dimension twice": ({"by": ["ITEM", "ITEM"]}, "by"),
    "no rows": ({"limit": 0}, "limit"),
    "a negative limit": ({"limit": -1}, "limit"),
    "too many rows": ({"limit": 10_001}, "limit"),
    "end before start": ({"range": {"start": "2026-06-02", "end": "2026-06-01"}}, "range"),
    "an empty range": ({"range": {"start": "2026-06-01", "end": "2026-06-01"}}, "range"),
    "a range to come": ({"range": {"start": "2026-06-16"}}, "range"),
    "an end alone": ({"range": {"end": "2026-06-01"}}, "range.start"),
    "preset and start": ({"range": {"preset": "TODAY", **START}}, "range"),
    "preset and end": ({"range": {"preset": "TODAY", "end": "2026-06-01"}}, "range"),
    "a range of all times": ({"range": {"start": "0001-01-01", "end": "9999-12-31"}}, "range"),
    "no zone": ({"timezone": ""}, "timezone"),
    "an offset": ({"timezone": "+25:00"}, "timezone"),
    "a path": ({"timezone": "../../etc/localtime"}, "timezone"),
    "an absolute path": ({"timezone": "/etc/localtime"}, "timezone"),
    "a zone with a NUL": ({"timezone": "UTC\x00"}, "timezone"),
    "a very long zone": ({"timezone": "x" * 100_000}, "timezone"),
    "a long item": ({"filter": {"itemId": LONG}}, "filter.itemId"),
    "an empty item": ({"filter": {"itemId": ""}}, "filter.itemId"),
    "a NUL in the user": ({"filter": {"userId": "a\x00b"}}, "filter.userId"),
    "a control character": ({"filter": {"visitorId": "\x1b[31m"}}, "filter.visitorId"),
    "a long value": (where(("SOURCE", ["a"]), ("PAGE", ["b", LONG])), "filter.where.1.values"),
    "a NUL in a value": (where(("CATEGORY", ["\x00"])), "filter.where.0.values"),
    "too many entries": (where(*[("SOURCE", ["a"])] * 21), "filter.where"),
    "too many values": (where(("SOURCE", ["a"] * 500), ("OS", ["a"] * 501)), "filter.where"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_REPORTS)
async def test_bad_arguments_of_a_report(api: Any, case: str) -> None:
    """BAD_USER_INPUT with the argument's name, and nothing of the value."""
    arguments, field = BAD_REPORTS[case]
    error = await api.refused(REPORT, arguments)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    assert LONG not in json.dumps(error)
    assert "localtime" not in json.dumps(error)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("popularItems(limit: 0)", "BAD_USER_INPUT", "limit"),
        ("popularItems(limit: 101)", "BAD_USER_INPUT", "limit"),
        ("popularItems(limit: 99999999999)", "BAD_USER_INPUT", None),
        ("popularItems(by: FAME)", "BAD_USER_INPUT", None),
        ('popularItems(range: {end: "2026-06-01"})', "BAD_USER_INPUT", "range.start"),
        ('itemAnalytics(itemId: "")', "BAD_USER_INPUT", "itemId"),
        (f'itemAnalytics(itemId: "{LONG}")', "BAD_USER_INPUT", "itemId"),
        (r'itemAnalytics(itemId: "\u0000")', "BAD_USER_INPUT", "itemId"),
        ("itemAnalytics", "BAD_USER_INPUT", None),
        ('userAnalytics(userId: "")', "BAD_USER_INPUT", "userId"),
        (r'userAnalytics(userId: "a\u0007")', "BAD_USER_INPUT", "userId"),
        ('userAnalytics(userId: "u", range: {preset: EVER})', "BAD_USER_INPUT", None),
        ('timeSeries(timezone: "Mars/Olympus")', "BAD_USER_INPUT", "timezone"),
        ("timeSeries(granularity: SECOND)", "BAD_USER_INPUT", None),
        ("timeSeries(granularity: MINUTE)", "LIMIT_EXCEEDED", "range"),
        ('timeSeries(range: {start: "1900", end: "2200"})', "BAD_USER_INPUT", None),
        ('timeSeries(range: {start: "1900-01-01", end: "2200-01-01"})', "LIMIT_EXCEEDED", "range"),
        ('overview(filter: {itemId: ""})', "BAD_USER_INPUT", "filter.itemId"),
        ('overview(range: {start: "2026-06-31"})', "BAD_USER_INPUT", None),
        ("report(by: [NOTHING])", "BAD_USER_INPUT", None),
        ("report(by: [null])", "BAD_USER_INPUT", None),
        ('report(filter: {where: [{dimension: OS, values: [null]}]})', "BAD_USER_INPUT", None),
        ('report(filter: {where: [{dimension: OS}]})', "BAD_USER_INPUT", None),
    ],
)  # fmt: skip
async def test_bad_arguments_of_every_query(
    api: Any, query: str, code: str, field: str | None
) -> None:
    """Whoever finds them, GraphQL or Footfall, they are the caller's mistakes."""
    answer = await api.post(f"{{ {query} {{ __typename }} }}")
    error = answer["errors"][0]
    assert error["extensions"]["code"] == code
    if field is not None:
        assert error["extensions"]["field"] == field
    assert LONG not in json.dumps(error)


@pytest.mark.parametrize("dimension", ["SOURCE", "CATEGORY", "ITEM", "PAGE"])
@pytest.mark.parametrize(
    "value", ["$where", "$$ROOT", "{$gt: 1}", "a.b", "*", "' or 1", "x" * 256, "é😀"]
)
async def test_values_are_only_ever_compared(api: Any, dimension: str, value: str) -> None:
    """A value that looks like a field, an operator or a pattern is a text like any other."""
    await store(event(), event(source=value, item=value, page=value))
    await api.database["items"].insert_one(
        {"_id": f"demo:{value}", "site": "demo", "item": value, "category": value}
    )
    arguments = {"by": [dimension], **where((dimension, [value]))}
    found = (await api.ask(REPORT, arguments))["report"]
    assert [row["metrics"]["events"] for row in found["rows"]] == [1]
    assert found["rows"][0]["dimensions"] == [{"dimension": dimension, "value": value}]


async def test_twenty_conditions_and_a_thousand_values_are_allowed(api: Any) -> None:
    """What may be asked for works."""
    await store(event(os="7", source="7", position=7, at=event()["at"].replace(hour=7)))
    names = ["OS", "SOURCE", "POSITION", "HOUR_OF_DAY", "OS"] * 4
    many = [str(n) for n in range(50)]
    found = (await api.ask(REPORT, where(*[(name, many) for name in names])))["report"]
    assert found["totals"]["events"] == 1


QUERIES = [
    'itemAnalytics(itemId: "i") { impressions metrics { events uniqueVisitors } }',
    'userAnalytics(userId: "u") { impressions viewedItems }',
    "popularItems { itemId }",
    "timeSeries(range: {preset: LAST_24_HOURS}) { metrics { events uniqueSessions } }",
    "overview { current { events uniqueUsers } }",
    "report(by: [ITEM, CATEGORY]) { totals { events } rows { metrics { events } } meta { rows } }",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_another_sites_events_are_not_counted(api: Any, query: str) -> None:
    """A key of one site sees its own numbers: with the same ids, users and sessions on both."""
    empty = await api.ask(f"{{ {query} }}", keys=OTHER_SITE_KEYS)
    await store(*[event(item="i", user="u") for _ in range(3)])
    assert await api.ask(f"{{ {query} }}", keys=OTHER_SITE_KEYS) == empty
    assert await api.ask(f"{{ {query} }}") != empty


@pytest.mark.parametrize("query", QUERIES)
async def test_reports_need_a_read_key(api: Any, query: str) -> None:
    """A write key, which may be public, learns nothing; a read key does."""
    refused = await api.refused(f"{{ {query} }}", scope=Scope.WRITE)
    assert refused["extensions"]["code"] == "FORBIDDEN"
    await api.ask(f"{{ {query} }}", scope=Scope.READ)
