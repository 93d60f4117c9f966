"""items: filters, order and pages, against a plain list of the same items."""

import math
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.examples import examples
from tests.modules.items.catalogue import ARCHIVE, ITEMS, create, ids, page_of, problem, update

PRICES = [None, "0", "2.5", "2.50", "10", "9.99"]
TITLES = ["lamp", "Lamp", "LAMP shade", "chair", "Émile", "zebra", "_x", "Ärmel"]
CATEGORIES = [None, "Lighting", "lighting", "Seats"]
KINDS = ["auction", "banner"]
STATUSES = ["ACTIVE", "ACTIVE", "ARCHIVED", "DRAFT", "SOLD"]
SORTS = ["CREATED_AT", "UPDATED_AT", "TITLE", "PRICE", "POPULARITY"]
COUNT = 47


def text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest_asyncio.fixture
async def catalogue(api: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Items with many equal fields, and impressions of some, in the order they were made."""
    made: list[dict[str, Any]] = []
    for n in range(COUNT):
        fields = {
            "id": f"item-{n * 31 % COUNT:02}",
            "title": TITLES[n % len(TITLES)],
            "price": PRICES[n * 5 % len(PRICES)],
            "category": CATEGORIES[n % len(CATEGORIES)],
            "kind": KINDS[n % 3 == 0],
            "status": STATUSES[n % len(STATUSES)],
        }
        made.append(await create(api, **fields))
        if n % 4 == 3:
            api.clock.advance(hours=1)
    for n in (5, 6, 40):
        api.clock.advance(minutes=1)
        made[n] = await update(api, made[n]["id"], title=made[n]["title"])
    impressions = [
        {"type": "IMPRESSION", "itemId": made[n]["id"], "sessionId": f"s{view}"}
        for n in range(0, COUNT, 2)
        for view in range(n % 5)
    ]
    # Neither clicks nor old impressions nor items that are not there make an item popular.
    others = [
        {"type": "CLICK", "itemId": made[1]["id"], "sessionId": "s"},
        {
            "type": "IMPRESSION",
            "itemId": made[3]["id"],
            "sessionId": "s",
            "timestamp": text(api.clock.now() - timedelta(days=30, seconds=1)),
        },
        {"type": "IMPRESSION", "itemId": "elsewhere", "sessionId": "s"},
    ]
    results = await api.track(*impressions, *others)
    assert {result["verdict"] for result in results} == {"ACCEPTED"}
    for n, item in enumerate(made):
        item["impressions"] = n % 5 if n % 2 == 0 else 0
    return made


def chosen(item: dict[str, Any], conditions: dict[str, Any]) -> bool:
    """Whether an item meets a filter: the plain meaning of the contract."""
    if item["status"] != conditions.get("status", item["status"]):
        return False
    if "status" not in conditions and item["status"] == "ARCHIVED":
        return False
    for field in ("category", "kind"):
        if field in conditions and item[field] != conditions[field]:
            return False
    price = None if item["price"] is None else Decimal(item["price"])
    if "minPrice" in conditions and (price is None or price < Decimal(conditions["minPrice"])):
        return False
    if "maxPrice" in conditions and (price is None or price > Decimal(conditions["maxPrice"])):
        return False
    created = item["createdAt"]
    return bool(
        conditions.get("startDate", created) <= created
        and ("endDate" not in conditions or created < conditions["endDate"])
    )


def in_order(items: list[dict[str, Any]], by: str, order: str) -> list[str]:
    """The ids in the order asked for: the plain meaning of the contract."""

    def value(item: dict[str, Any]) -> Any:
        if by == "PRICE":
            return None if item["price"] is None else Decimal(item["price"])
        if by == "POPULARITY":
            return item["impressions"] or None
        if by == "TITLE":
            return item["title"].casefold()
        return item["createdAt" if by == "CREATED_AT" else "updatedAt"]

    down = order == "DESC"
    ranked = sorted(
        (item for item in items if value(item) is not None),
        key=lambda item: (value(item), item["id"]),
        reverse=down,
    )
    last = sorted(
        (item for item in items if value(item) is None), key=lambda i: i["id"], reverse=down
    )
    return [item["id"] for item in [*ranked, *last]]


INSTANTS = [text(NOW + timedelta(hours=hours)) for hours in (0, 3, 6, 9)]
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(["Lighting", "lighting", "none"]),
        "kind": st.sampled_from(KINDS),
        "status": st.sampled_from(["ACTIVE", "ARCHIVED", "SOLD", "PAUSED"]),
        "minPrice": st.sampled_from(["-1", "0", "2.5", "9.990"]),
        "maxPrice": st.sampled_from(["9.99", "1e1", "99"]),
        "startDate": st.sampled_from(INSTANTS[:2]),
        "endDate": st.sampled_from(INSTANTS[1:]),
    },
)


# The catalogue is made once, and the examples only read it.
@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    conditions=FILTERS,
    by=st.sampled_from(SORTS),
    order=st.sampled_from(["ASC", "DESC"]),
    limit=st.integers(1, 30),
)
async def test_pages_are_the_whole_list_in_order(
    api: Any,
    catalogue: list[dict[str, Any]],
    conditions: dict[str, Any],
    by: str,
    order: str,
    limit: int,
) -> None:
    """For every filter, sort and limit: the pages, one after the other, are exactly the list."""
    expected = in_order([item for item in catalogue if chosen(item, conditions)], by, order)
    pages = math.ceil(len(expected) / limit)
    found: list[str] = []
    for page in range(1, pages + 2):
        answer = await page_of(
            api, filter=conditions, sort={"by": by, "order": order}, page=page, limit=limit
        )
        found += [item["id"] for item in answer["data"]]
        assert answer["pagination"] == {
            "page": page,
            "limit": limit,
            "total": len(expected),
            "totalPages": pages,
            "hasNext": page < pages,
            "hasPrev": page > 1,
        }
    assert found == expected


async def test_newest_first_is_the_default(api: Any) -> None:
    """Without a sort the newest item comes first; with an order alone it is of createdAt."""
    for n in range(3):
        await create(api, id=f"i{n}")
        api.clock.advance(seconds=1)
    assert await ids(api) == ["i2", "i1", "i0"]
    assert await ids(api, sort={}) == ["i2", "i1", "i0"]
    assert await ids(api, sort={"by": None, "order": "ASC"}) == ["i0", "i1", "i2"]
    assert await ids(api, filter={}, page=None, limit=None, sort=None) == ["i2", "i1", "i0"]


async def test_archived_items_must_be_asked_for(api: Any) -> None:
    """An archived item is in no list but that of archived items."""
    await create(api, id="old")
    await create(api, id="new", status="DRAFT")
    await api.ask(ARCHIVE, {"id": "old"})
    assert await ids(api) == ["new"]
    assert await ids(api, search="lamp") == ["new"]
    assert await ids(api, filter={"status": "ARCHIVED"}) == ["old"]
    assert await ids(api, filter={"status": "ARCHIVED"}, search="lamp") == ["old"]


async def test_made_from_start_to_before_end(api: Any) -> None:
    """startDate is included, endDate is left out, to the millisecond."""
    await create(api, id="lot")
    just_before, just_after = (
        text(NOW - timedelta(milliseconds=1)),
        text(NOW + timedelta(milliseconds=1)),
    )
    assert await ids(api, filter={"startDate": text(NOW)}) == ["lot"]
    assert await ids(api, filter={"startDate": just_after}) == []
    assert await ids(api, filter={"endDate": text(NOW)}) == []
    assert await ids(api, filter={"startDate": just_before, "endDate": just_after}) == ["lot"]


async def test_title_order_ignores_case_also_in_a_search(api: Any) -> None:
    """Titles sort as if all were lower case; a text search, which knows no collation, does so too."""
    for title in ("b lamp", "A lamp", "C lamp", "a lamp"):
        await create(api, title, id=title)
    expected = ["A lamp", "a lamp", "b lamp", "C lamp"]
    by_title = {"by": "TITLE", "order": "ASC"}
    assert await ids(api, sort=by_title) == expected
    assert await ids(api, search="lamp", sort=by_title) == expected
    await update(api, "b lamp", title="Z lamp")
    assert (await ids(api, sort=by_title))[-1] == "b lamp"


async def test_items_without_a_price_are_last_both_ways(api: Any) -> None:
    """Also after a price was set or cleared."""
    await create(api, id="a", price="1")
    await create(api, id="b")
    await create(api, id="c", price="2")
    for order, expected in (("ASC", ["a", "c", "b"]), ("DESC", ["c", "a", "b"])):
        assert await ids(api, sort={"by": "PRICE", "order": order}) == expected
    await update(api, "a", price=None)
    await update(api, "b", price="3")
    for order, expected in (("ASC", ["c", "b", "a"]), ("DESC", ["b", "c", "a"])):
        assert await ids(api, sort={"by": "PRICE", "order": order}) == expected


async def test_popularity_counts_impressions_of_thirty_days(api: Any) -> None:
    """Clicks, older impressions and another search do not count; a search can be sorted by it."""
    for name in ("a", "b", "c"):
        await create(api, id=name)
    await api.track(
        *({"type": "IMPRESSION", "itemId": "a", "sessionId": f"s{n}"} for n in range(2)),
        *({"type": "IMPRESSION", "itemId": "b", "sessionId": f"s{n}"} for n in range(3)),
        *({"type": "CLICK", "itemId": "c", "sessionId": f"s{n}"} for n in range(9)),
    )
    popular = {"by": "POPULARITY"}
    assert await ids(api, sort=popular) == ["b", "a", "c"]
    assert await ids(api, sort={"by": "POPULARITY", "order": "ASC"}) == ["a", "b", "c"]
    assert await ids(api, sort=popular, search="lamp", limit=1, page=2) == ["a"]
    api.clock.advance(days=30)
    assert await ids(api, sort=popular) == ["b", "a", "c"]
    api.clock.advance(seconds=1)
    assert await ids(api, sort=popular) == ["c", "b", "a"]


async def test_voided_impressions_make_nothing_popular(api: Any) -> None:
    """What an admin has withdrawn does not count; undone, it counts again."""
    for name in ("a", "b"):
        await create(api, id=name)
    await api.track({"type": "IMPRESSION", "itemId": "a", "sessionId": "s"})
    popular = {"by": "POPULARITY"}
    assert await ids(api, sort=popular) == ["a", "b"]
    void = await api.ask(
        'mutation { voidEvents(filter: {itemId: "a"}, reason: "test") { voidId voided } }'
    )
    assert void["voidEvents"]["voided"] == 1
    assert await ids(api, sort=popular) == ["b", "a"]
    await api.ask(f'mutation {{ undoVoid(voidId: "{void["voidEvents"]["voidId"]}") }}')
    assert await ids(api, sort=popular) == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"page": 0}, "BAD_USER_INPUT", "page"),
        ({"page": -1}, "BAD_USER_INPUT", "page"),
        ({"limit": 0}, "BAD_USER_INPUT", "limit"),
        ({"limit": 101}, "BAD_USER_INPUT", "limit"),
        ({"limit": -5}, "BAD_USER_INPUT", "limit"),
        ({"page": 101, "limit": 100}, "LIMIT_EXCEEDED", "page"),
        ({"page": 10_001, "limit": 1}, "LIMIT_EXCEEDED", "page"),
        ({"page": 2**31 - 1, "limit": 100}, "LIMIT_EXCEEDED", "page"),
        ({"search": "x" * 201}, "BAD_USER_INPUT", "search"),
        ({"search": "a\x00b"}, "BAD_USER_INPUT", "search"),
        ({"sort": {"by": "RELEVANCE"}}, "BAD_USER_INPUT", "sort.by"),
        ({"sort": {"by": "RELEVANCE"}, "search": " "}, "BAD_USER_INPUT", "sort.by"),
        ({"filter": {"category": "x" * 101}}, "BAD_USER_INPUT", "filter.category"),
        ({"filter": {"category": "a\x00"}}, "BAD_USER_INPUT", "filter.category"),
        ({"filter": {"kind": "x" * 51}}, "BAD_USER_INPUT", "filter.kind"),
        ({"filter": {"kind": "a\nb"}}, "BAD_USER_INPUT", "filter.kind"),
        ({"filter": {"minPrice": "2", "maxPrice": "1"}}, "BAD_USER_INPUT", "filter.maxPrice"),
        (
            {"filter": {"startDate": "2026-01-02", "endDate": "2026-01-01"}},
            "BAD_USER_INPUT",
            "filter.endDate",
        ),
    ],
)
async def test_bad_arguments_are_refused_by_name(
    api: Any, arguments: dict[str, Any], code: str, field: str
) -> None:
    """What cannot be answered is said with the argument's name."""
    assert problem(await api.refused(ITEMS, arguments)) == (code, field)


@pytest.mark.parametrize("arguments", [{"page": 100, "limit": 100}, {"page": 10_000, "limit": 1}])
async def test_deepest_pages(api: Any, arguments: dict[str, Any]) -> None:
    """The 10,000th item can be reached; a page past the end is empty and says so."""
    await create(api)
    answer = await page_of(api, **arguments)
    assert answer["data"] == []
    pages = answer["pagination"]
    assert (pages["total"], pages["hasNext"], pages["hasPrev"]) == (1, False, True)


async def test_empty_filters_do_not_filter(api: Any) -> None:
    """An empty text in a filter, and a blank search, are as if they were not there."""
    await create(api, id="lot")
    assert await ids(api, filter={"category": "", "kind": "", "status": None}) == ["lot"]
    assert await ids(api, search="  ") == ["lot"]
    assert await ids(api, search="") == ["lot"]
