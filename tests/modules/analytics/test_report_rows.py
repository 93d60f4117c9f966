"""Reports by dimensions: which rows there are, their order, what of them is shown, and filters."""

from datetime import timedelta
from typing import Any

import pytest

from app.modules.analytics import planner
from app.modules.analytics.pipelines import dimensions, passes
from tests.conftest import NOW
from tests.modules.analytics.asking import event, report, store, utc, values

FIELDS = {
    "ITEM": "item", "SOURCE": "source", "DEVICE": "device", "BROWSER": "browser", "OS": "os",
    "COUNTRY": "country", "REGION": "region", "LANGUAGE": "language", "REFERRER": "referrer",
    "PAGE": "page", "CAMPAIGN": "campaign", "UTM_SOURCE": "utm_source",
    "UTM_MEDIUM": "utm_medium", "UTM_CAMPAIGN": "utm_campaign", "UTM_CONTENT": "utm_content",
    "UTM_TERM": "utm_term", "EVENT_NAME": "name", "VARIANT": "variant",
}  # fmt: skip


def counts(answer: Any) -> list[tuple[Any, ...]]:
    """Values and events of every row."""
    return [
        (*of_row, row["metrics"]["events"])
        for of_row, row in zip(values(answer), answer["rows"], strict=True)
    ]


def where(*conditions: tuple[str, list[str]]) -> dict[str, Any]:
    return {"where": [{"dimension": name, "values": those} for name, those in conditions]}


async def in_catalogue(api: Any, **categories: str | None) -> None:
    """Put items of these categories into the catalogue."""
    await api.database["items"].insert_many(
        [
            {"_id": f"demo:{item}", "site": "demo", "item": item, "title": item, "kind": "item",
             "status": "ACTIVE", "created_at": NOW, "updated_at": NOW, "search": [],
             **({"category": category} if category else {})}
            for item, category in categories.items()
        ]
    )  # fmt: skip


@pytest.mark.parametrize("dimension", FIELDS)
async def test_a_dimension_is_its_field(api: Any, dimension: str) -> None:
    """Rows by it, most events first, null where it is not known; and a filter on it."""
    field = FIELDS[dimension]
    await store(event(**{field: "$a"}), event(**{field: "$a"}), event(**{field: "b"}), event())
    answer = await report(api, by=[dimension])
    assert counts(answer) == [("$a", 2), (None, 1), ("b", 1)]
    assert answer["rows"][0]["dimensions"] == [{"dimension": dimension, "value": "$a"}]
    assert answer["rows"][0]["start"] is None
    assert answer["meta"] == {"asOf": "2026-06-15T12:00:00.000Z", "exact": True, "rows": 3}
    for those, events in ((["$a"], 2), (["b", "$a"], 3), (["c"], 0), ([], 0), ([""], 0)):
        found = await report(api, by=[dimension], filter=where((dimension, those)))
        assert found["totals"]["events"] == events
        assert sum(row[1] for row in counts(found)) == events


async def test_position_is_text(api: Any) -> None:
    """Positions are numbers where they are stored; what is no number matches nothing."""
    await store(event(position=2), event(position=10), event(position=2), event())
    assert counts(await report(api, by=["POSITION"])) == [("2", 2), (None, 1), ("10", 1)]
    for those, events in (
        (["2"], 2),
        (["2", "10"], 3),
        (["02", "+2", "2.0", "two", "²", "9" * 99], 0),
    ):
        found = await report(api, filter=where(("POSITION", those)))
        assert found["totals"]["events"] == events


async def test_hours_and_weekdays_are_those_of_the_time_zone(api: Any) -> None:
    """The same instants are other hours and days elsewhere; an hour that passes twice is one hour."""
    await store(
        event(at=utc("2026-06-14T23:59:59.999")),  # a Sunday
        event(at=utc("2026-06-15T00:00")),
        event(at=utc("2026-06-15T00:14:59.999")),
    )
    assert counts(await report(api, by=["HOUR_OF_DAY", "WEEKDAY"])) == [
        ("0", "1", 2),
        ("23", "7", 1),
    ]
    nepal = await report(api, by=["HOUR_OF_DAY", "WEEKDAY"], timezone="Asia/Kathmandu")
    assert counts(nepal) == [("5", "1", 3)]
    west = await report(api, by=["WEEKDAY", "HOUR_OF_DAY"], timezone="Pacific/Marquesas")
    assert counts(west) == [("7", "14", 3)]
    only = where(("HOUR_OF_DAY", ["0", "7"]), ("WEEKDAY", ["1", "2"]))
    assert (await report(api, filter=only))["totals"]["events"] == 2
    assert (await report(api, filter=where(("HOUR_OF_DAY", ["24", "x"]))))["totals"]["events"] == 0


async def test_hours_over_a_change_of_the_clocks(make_api: Any) -> None:
    """2:00 comes twice on the day that clocks are set back, and not at all when they are set forward."""
    api = await make_api(data_retention_days=0)
    hours = [utc("2026-10-25T00:00") + timedelta(hours=n) for n in range(3)]
    hours += [utc("2026-03-29T00:00") + timedelta(hours=n) for n in range(3)]
    await store(*[event(at=at) for at in hours])
    everything = {"start": "2026-01-01", "end": "2027-01-01"}
    found = await report(api, by=["HOUR_OF_DAY"], range=everything, timezone="Europe/Berlin")
    assert counts(found) == [("2", 2), ("3", 2), ("1", 1), ("4", 1)]


@pytest.mark.parametrize("named_items", [20_000, 2], ids=["named", "looked up"])
async def test_category_is_the_items_in_the_catalogue(
    api: Any, monkeypatch: pytest.MonkeyPatch, named_items: int
) -> None:
    """Items that are not there, or have none, have no category; another site's catalogue is not asked.

    With more items than a pipeline can name it is the same.
    """
    monkeypatch.setattr(dimensions, "MAX_NAMED_ITEMS", named_items)
    await in_catalogue(api, a="$books", b="toys", c=None, e="books", z="toys")
    await api.database["items"].insert_one({"_id": "other:d", "site": "other", "category": "toys"})
    await store(*[event(item=item, visitor=item) for item in "aabcdee$"], event())
    answer = await report(api, by=["CATEGORY"])
    assert counts(answer) == [(None, 4), ("$books", 2), ("books", 2), ("toys", 1)]
    assert [row["metrics"]["uniqueVisitors"] for row in answer["rows"]] == [4, 1, 1, 1]
    assert counts(await report(api, by=["CATEGORY", "ITEM"], limit=2)) == [
        ("$books", "a", 2),
        ("books", "e", 2),
    ]
    books = where(("CATEGORY", ["books", "toys"]), ("CATEGORY", ["$books", "books"]))
    assert counts(await report(api, by=["ITEM", "CATEGORY"], filter=books)) == [("e", "books", 2)]
    toys = {"itemId": "b", **where(("CATEGORY", ["toys"]))}
    assert (await report(api, filter=toys))["totals"]["events"] == 1
    assert (await report(api, filter=where(("CATEGORY", ["none"]))))["totals"]["events"] == 0


async def test_many_categories_by_many_items(api: Any) -> None:
    """Every item finds its own category, wherever it sorts."""
    categories = {f"i{n}": f"c{n % 7}" if n % 5 else None for n in range(300)}
    await in_catalogue(api, **categories)
    await store(*[event(item=f"i{n}") for n in range(0, 400, 3)])
    wanted: dict[str | None, int] = {}
    for n in range(0, 400, 3):
        category = categories.get(f"i{n}")
        wanted[category] = wanted.get(category, 0) + 1
    assert dict(counts(await report(api, by=["CATEGORY"]))) == wanted


async def test_rows_by_events_then_by_values(api: Any) -> None:
    """Most events first; where two have as many, their values decide, unknown ones first."""
    rows = [
        ("b", "x", 1),
        ("a", "y", 1),
        ("a", "x", 2),
        (None, "z", 1),
        ("a", None, 1),
        ("B", "x", 1),
    ]
    for source, device, number in rows:
        fields = {k: v for k, v in (("source", source), ("device", device)) if v}
        await store(*[event(**fields) for _ in range(number)])
    assert counts(await report(api, by=["SOURCE", "DEVICE"])) == [
        ("a", "x", 2), (None, "z", 1), ("B", "x", 1), ("a", None, 1), ("a", "y", 1), ("b", "x", 1),
    ]  # fmt: skip


async def test_rows_of_buckets_come_by_time_first(api: Any) -> None:
    """With a granularity: by start, then by events, then by values. Empty rows are not filled in."""
    for day, source in ((1, "b"), (3, "a"), (3, "b"), (3, "b"), (1, "a")):
        await store(event(at=utc(f"2026-06-0{day}"), source=source))
    answer = await report(api, by=["SOURCE"], granularity="DAY", range={"start": "2026-06-01"})
    starts = [row["start"][:10] for row in answer["rows"]]
    assert [(start, *row) for start, row in zip(starts, counts(answer), strict=True)] == [
        ("2026-06-01", "a", 1), ("2026-06-01", "b", 1), ("2026-06-03", "b", 2), ("2026-06-03", "a", 1),
    ]  # fmt: skip


async def test_a_report_by_nothing_has_one_row(api: Any) -> None:
    """All events are one row, the same as the totals; no events are no row."""
    assert (await report(api, by=[]))["rows"] == []
    await store(event(), event("CLICK", item="i"))
    answer = await report(api, by=None)
    assert answer["rows"] == [{"dimensions": [], "start": None, "metrics": answer["totals"]}]
    assert answer["meta"]["rows"] == 1


@pytest.mark.parametrize(
    "by", [["ITEM"], ["ITEM", "POSITION"], ["HOUR_OF_DAY", "ITEM"], ["CATEGORY", "SOURCE"]]
)
@pytest.mark.parametrize("granularity", [None, "DAY"])
@pytest.mark.parametrize("narrowed_to", [1_000, 1])
async def test_a_limit_only_cuts(
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
    by: list[str],
    granularity: str | None,
    narrowed_to: int,
) -> None:
    """The first rows are the same in all their numbers, and totals and row count stay those of all."""
    monkeypatch.setattr(passes, "MAX_NARROWED_VALUES", narrowed_to)
    monkeypatch.setattr(planner, "MAX_PORTION_BYTES", 150)  # keys go in several portions
    await in_catalogue(api, i0="even", i1="odd", i2="even")
    await store(
        *[
            event(
                ["IMPRESSION", "CLICK", "CONVERSION"][n % 3], at=NOW - timedelta(hours=n * n % 60),
                visitor=f"v{n % 7}", session=f"s{n % 9}", value="1",
                **{k: v for k, v in {"item": f"i{n % 5}", "position": n % 4, "source": "s",
                                     "user": f"u{n}"}.items() if n % 6},
            )
            for n in range(40)
        ]
    )  # fmt: skip
    everything = await report(api, by=by, granularity=granularity)
    assert len(everything["rows"]) == everything["meta"]["rows"] >= 4
    for limit in (1, 2, 4, len(everything["rows"])):
        cut = await report(api, by=by, granularity=granularity, limit=limit)
        assert cut["rows"] == everything["rows"][:limit]
        assert (cut["totals"], cut["meta"]) == (everything["totals"], everything["meta"])


async def test_default_limit_is_100(api: Any) -> None:
    """A null limit is the default as well."""
    await store(*[event(item=f"{n}") for n in range(101)])
    for arguments in ({}, {"limit": None}):
        answer = await report(api, by=["ITEM"], **arguments)
        assert (len(answer["rows"]), answer["meta"]["rows"]) == (100, 101)


async def test_all_parts_of_a_filter_must_hold(api: Any) -> None:
    """Values of an entry are alternatives; entries, item, user and visitor all hold at once."""
    await store(
        event(item="i", user="u", visitor="w", source="a", device="d"),
        event(item="i", user="u", visitor="w", source="b", device="d"),
        event(item="i", user="u", visitor="x", source="a", device="e"),
        event(item="j", user="u", visitor="w", source="a", device="d"),
        event(item="i", visitor="w", source="a", device="d"),
    )
    for wanted, events in (
        ({"itemId": "i"}, 4),
        ({"userId": "u"}, 4),
        ({"visitorId": "w"}, 4),
        ({"itemId": "i", "userId": "u", "visitorId": "w"}, 2),
        (where(("SOURCE", ["a"]), ("DEVICE", ["d"])), 3),
        (where(("SOURCE", ["a", "b"]), ("SOURCE", ["b", "c"])), 1),
        ({"itemId": "i", **where(("ITEM", ["j"]))}, 0),
        ({"itemId": "i", "userId": "u", "visitorId": "w", **where(("SOURCE", ["a"]))}, 1),
        ({"where": None, "itemId": None}, 5),
        ({"where": []}, 5),
    ):
        assert (await report(api, filter=wanted))["totals"]["events"] == events, wanted


async def test_voided_events_are_not_in_reports(api: Any) -> None:
    """What an admin has withdrawn is not counted any more."""
    await store(event(), event(void={"id": "x", "at": NOW, "why": "a test"}))
    assert (await report(api))["totals"]["events"] == 1
