"""Item.related and Item.analytics, one question for a page of items; and the directory of items."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.core.ports import ItemDirectory, ItemReports
from app.modules.items.service import ItemService
from tests.modules.items.catalogue import ARCHIVE, create, problem

RELATED = "query ($id: ID!, $limit: Int) { item(id: $id) { related(limit: $limit) { id } } }"


async def related(api: Any, item_id: str, **arguments: Any) -> list[str]:
    """The ids of the related items."""
    data = await api.ask(RELATED, {"id": item_id, **arguments})
    return [item["id"] for item in data["item"]["related"]]


async def make(api: Any, item_id: str, category: str | None, kind: str, **fields: Any) -> None:
    await create(api, id=item_id, category=category, kind=kind, **fields)
    api.clock.advance(seconds=1)


async def test_related_is_category_then_kind_newest_first(api: Any) -> None:
    """Other ACTIVE items: of the same category first, then of the same kind, each newest first."""
    await make(api, "kind-old", "c2", "auction")
    await make(api, "same-old", "c1", "banner")
    await make(api, "lot", "c1", "auction")
    await make(api, "same-new", "c1", "auction")
    await make(api, "kind-new", None, "auction")
    await make(api, "neither", "c2", "banner")
    await make(api, "draft", "c1", "auction", status="DRAFT")
    await make(api, "archived", "c1", "auction")
    await api.ask(ARCHIVE, {"id": "archived"})
    assert await related(api, "lot") == ["same-new", "same-old", "kind-new", "kind-old"]
    assert await related(api, "lot", limit=3) == ["same-new", "same-old", "kind-new"]
    assert await related(api, "lot", limit=1) == ["same-new"]
    assert await related(api, "kind-new") == ["same-new", "lot", "kind-old"]
    assert await related(api, "draft", limit=50) == [
        *("same-new", "lot", "same-old", "kind-new", "kind-old")
    ]


async def test_related_of_items_made_at_once(api: Any) -> None:
    """Items made in the same millisecond are in order of their ids; five is the default."""
    for n in range(8):
        await create(api, id=f"i{n}")
    assert await related(api, "i6") == ["i7", "i5", "i4", "i3", "i2"]
    assert await related(api, "i6", limit=None) == ["i7", "i5", "i4", "i3", "i2"]
    assert await related(api, "i0", limit=50) == [f"i{n}" for n in range(7, 0, -1)]


@pytest.mark.parametrize("limit", [0, -1, 51])
async def test_related_limit_is_1_to_50(api: Any, limit: int) -> None:
    """Outside of it the error names the argument."""
    await create(api, id="lot")
    error = await api.refused(RELATED, {"id": "lot", "limit": limit})
    assert problem(error) == ("BAD_USER_INPUT", "limit")


async def test_related_items_of_related_items_are_bounded(api: Any) -> None:
    """Nesting is allowed up to 1,000 items in all, by the limits; more is LIMIT_EXCEEDED."""
    for n in range(3):
        await create(api, id=f"i{n}")
    nested = "{ items(limit: %d) { data { related(limit: %d) { id related(limit: %d) { id } } } } }"
    data = await api.ask(nested % (20, 10, 5))
    inner = data["items"]["data"][0]["related"][0]["related"]
    assert len(inner) == 2
    error = await api.refused(nested % (20, 10, 6))
    assert problem(error) == ("LIMIT_EXCEEDED", "limit")
    error = await api.refused(nested % (21, 48, 1))
    assert problem(error) == ("LIMIT_EXCEEDED", "limit")


async def test_related_of_a_page_is_one_query(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many items, categories and kinds a page has, their related items are one query."""
    for n in range(100):
        await create(api, id=f"i{n:02}", category=f"c{n % 40}", kind=f"k{n % 7}")
    repository = api.services.registry[ItemService]._items
    find = repository.find
    calls = []

    async def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return await find(*arguments, **named)

    monkeypatch.setattr(repository, "find", counted)
    data = await api.ask("{ items(limit: 100) { data { id related(limit: 10) { id } } } }")
    assert len(calls) == 2  # the page itself, and all that is related
    items = data["items"]["data"]
    assert len(items) == 100
    for item in items:
        alone = await related(api, item["id"], limit=10)
        assert [other["id"] for other in item["related"]] == alone
        assert item["id"] not in alone


@dataclass
class CountedReports:
    """The reports of the application, with a note of what was asked."""

    inner: ItemReports
    calls: list[tuple[str, list[str], Any]] = field(default_factory=list)

    async def for_items(self, site: str, item_ids: Sequence[str], range: Any) -> dict[str, Any]:  # noqa: A002
        self.calls.append((site, list(item_ids), range))
        return await self.inner.for_items(site, item_ids, range)


@pytest.fixture
def reports(api: Any) -> CountedReports:
    counted = CountedReports(api.services.registry[ItemReports])
    api.services.registry[ItemReports] = counted
    return counted


async def test_analytics_of_a_page_are_one_report(api: Any, reports: CountedReports) -> None:
    """A page of a hundred items with their numbers asks for one report, not for a hundred."""
    for n in range(100):
        await create(api, id=f"i{n:02}")
    await api.track(
        *({"type": "IMPRESSION", "itemId": "i07", "sessionId": f"s{n}"} for n in range(3))
    )
    api.clock.advance(minutes=1)
    data = await api.ask("{ items(limit: 100) { data { id analytics { itemId impressions } } } }")
    [(site, asked, period)] = reports.calls
    assert (site, len(asked), period) == ("demo", 100, None)
    for item in data["items"]["data"]:
        assert item["analytics"]["itemId"] == item["id"]
        assert item["analytics"]["impressions"] == (3 if item["id"] == "i07" else 0)


async def test_analytics_of_two_ranges_are_two_reports(api: Any, reports: CountedReports) -> None:
    """Each range is asked for once, for all items, and answered apart."""
    for n in range(4):
        await create(api, id=f"i{n}")
    await api.track({"type": "IMPRESSION", "itemId": "i1", "sessionId": "s"})
    api.clock.advance(minutes=1)
    data = await api.ask(
        """{ items { data { id
               before: analytics(range: {start: "2026-06-01", end: "2026-06-02"}) { impressions }
               after: analytics(range: {start: "2026-06-15", end: "2026-06-16"}) { impressions }
               again: analytics(range: {start: "2026-06-15", end: "2026-06-16"}) { impressions }
           } } }"""
    )
    assert [sorted(asked) for _, asked, _ in reports.calls] == [["i0", "i1", "i2", "i3"]] * 2
    [item] = [item for item in data["items"]["data"] if item["id"] == "i1"]
    numbers = {name: item[name]["impressions"] for name in ("before", "after", "again")}
    assert numbers == {"before": 0, "after": 1, "again": 1}


async def test_a_range_that_is_none_is_the_clients_mistake(api: Any) -> None:
    """A range that ends before it begins is BAD_USER_INPUT for a whole page of items."""
    for n in range(3):
        await create(api, id=f"i{n}")
    error = await api.refused(
        """{ items { data { analytics(range: {start: "2026-06-02", end: "2026-06-01"}) {
               impressions } } } }"""
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_directory_answers_by_id_and_site(api: Any) -> None:
    """Those that there are, archived ones too; neither unknown ids nor another site's."""
    await create(api, id="a", price="1.50")
    await create(api, id="b")
    await api.ask(ARCHIVE, {"id": "b"})
    directory = api.services.registry[ItemDirectory]
    found = await directory.by_ids("demo", ["a", "b", "a", "c", "", "\x00", "x" * 300])
    assert {item_id: item.title for item_id, item in found.items()} == {"a": "Lamp", "b": "Lamp"}
    assert str(found["a"].price) == "1.50"
    assert await directory.by_ids("other", ["a", "b"]) == {}
    assert await directory.by_ids("demo", []) == {}
