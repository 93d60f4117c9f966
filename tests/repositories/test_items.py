"""The queries of the catalogue use its indexes, and its writes are atomic, on a real mongod."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from app.modules.items.search import ItemQuery, ItemSortField, SortOrder, match, page_stages
from app.repositories.items import ItemRepository
from app.schemas.item import Item, ItemStatus
from tests.conftest import NOW

FIELDS: dict[str, Any] = {
    "kind": "item",
    "description": None,
    "category": None,
    "status": "ACTIVE",
    "price": None,
    "currency": None,
    "starts_at": None,
    "ends_at": None,
    "created_at": NOW,
    "updated_at": NOW,
}


@pytest.fixture
def repository(api: Any) -> ItemRepository:
    return ItemRepository()


@pytest_asyncio.fixture
async def many(repository: ItemRepository) -> None:
    """Enough items of two sites that a plan without an index would lose."""
    for site in ("demo", "other"):
        for n in range(150):
            fields = {
                "item": f"i{n}",
                "title": f"Lamp {n}",
                "category": f"c{n % 10}",
                "kind": f"k{n % 10}",
                "status": "SOLD" if n % 10 else "ACTIVE",
                "created_at": NOW + timedelta(minutes=n),
            }
            await repository.insert(site, FIELDS | fields)


def stages_of(plan: Any) -> Iterator[dict[str, Any]]:
    """Every stage of the plan that won, whatever the version of MongoDB nests it in."""
    if isinstance(plan, list):
        for inner in plan:
            yield from stages_of(inner)
    elif isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan
        for name, inner in plan.items():
            if name != "rejectedPlans":
                yield from stages_of(inner)


async def explained(api: Any, query: ItemQuery) -> list[dict[str, Any]]:
    """The stages that MongoDB would run for a page."""
    pipeline = [{"$match": match(query) | {"site": "demo"}}, *page_stages(query, "demo", NOW)]
    command = {"aggregate": "items", "pipeline": pipeline, "cursor": {}}
    plan = await api.database.command({"explain": command, "verbosity": "queryPlanner"})
    return list(stages_of(plan))


TEXT_STAGES = {"TEXT", "TEXT_MATCH", "TEXT_OR"}


@pytest.mark.parametrize("sort_by", [None, *ItemSortField])
@pytest.mark.usefixtures("many")
async def test_a_search_uses_the_text_index(api: Any, sort_by: ItemSortField | None) -> None:
    """However it is sorted, a search reads the text index of its own site."""
    query = ItemQuery(search="lamp", category="c1", sort_by=sort_by)
    stages = await explained(api, query)
    names = {stage["stage"] for stage in stages}
    assert names & TEXT_STAGES
    assert "COLLSCAN" not in names
    prefixes = [stage["indexPrefix"] for stage in stages if "indexPrefix" in stage]
    assert prefixes == [{"site": "demo"}]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (ItemQuery(category="c1"), "by_category"),
        (ItemQuery(kind="k1"), "by_kind"),
        (ItemQuery(status=ItemStatus.ACTIVE), "by_status"),
        (ItemQuery(min_price=Decimal(3), sort_by=ItemSortField.PRICE), "by_price"),
        (ItemQuery(start=NOW, end=NOW + timedelta(minutes=5)), "by_creation"),
    ],
)
@pytest.mark.usefixtures("many")
async def test_filters_use_an_index(api: Any, query: ItemQuery, index: str) -> None:
    """A filter reads its own index, and no item of another site."""
    stages = await explained(api, query)
    scans = [stage for stage in stages if stage["stage"] == "IXSCAN"]
    assert [scan["indexName"] for scan in scans] == [index]
    assert scans[0]["indexBounds"]["site"] == ['["demo", "demo"]']
    assert "SORT" not in {stage["stage"] for stage in stages}


@pytest.mark.parametrize(
    ("sort_by", "order", "index"),
    [
        (ItemSortField.CREATED_AT, SortOrder.DESC, "by_creation"),
        (ItemSortField.CREATED_AT, SortOrder.ASC, "by_creation"),
        (ItemSortField.UPDATED_AT, SortOrder.DESC, "by_update"),
        (ItemSortField.TITLE, SortOrder.ASC, "by_title"),
        (ItemSortField.TITLE, SortOrder.DESC, "by_title"),
        (ItemSortField.PRICE, SortOrder.ASC, "by_price_unpriced_last"),
        (ItemSortField.PRICE, SortOrder.DESC, "by_price"),
    ],
)
@pytest.mark.usefixtures("many")
async def test_sorts_read_an_index_in_order(
    api: Any, sort_by: ItemSortField, order: SortOrder, index: str
) -> None:
    """A list in any stored order is read off an index, with nothing sorted in memory."""
    stages = await explained(api, ItemQuery(sort_by=sort_by, order=order))
    assert [stage["indexName"] for stage in stages if stage["stage"] == "IXSCAN"] == [index]
    assert not {"SORT", "COLLSCAN"} & {stage["stage"] for stage in stages}


async def test_insert_refuses_an_id_that_the_site_has(repository: ItemRepository) -> None:
    """Twice on one site is False; on another site it is another item."""
    assert await repository.insert("demo", FIELDS | {"item": "a", "title": "A"})
    assert not await repository.insert("demo", FIELDS | {"item": "a", "title": "B"})
    assert await repository.insert("other", FIELDS | {"item": "a", "title": "C"})
    stored = await repository.by_ids("demo", ["a", "b"])
    assert [item.title for item in stored] == ["A"]


async def test_update_is_one_step(repository: ItemRepository) -> None:
    """Of many conditional updates at once exactly one finds the condition true."""
    await repository.insert("demo", FIELDS | {"item": "a", "title": "A"})

    async def take(n: int) -> Item | None:
        changes = {"status": "SOLD", "title": f"by {n}"}
        return await repository.update(
            "demo", "a", changes, condition={"status": "ACTIVE"}, currency="EUR"
        )

    won = [item for item in await asyncio.gather(*map(take, range(20))) if item is not None]
    assert len(won) == 1
    stored = await repository.get("demo", "a")
    assert stored is not None
    assert (stored.title, stored.title_key, stored.status) == (
        won[0].title,
        won[0].title.casefold(),
        ItemStatus.SOLD,
    )


async def test_update_and_get_stay_on_the_site(repository: ItemRepository) -> None:
    """Another site's item is neither read nor changed."""
    await repository.insert("demo", FIELDS | {"item": "a", "title": "A"})
    assert await repository.get("other", "a") is None
    changed = await repository.update("other", "a", {"title": "B"}, condition={}, currency="EUR")
    assert changed is None
    assert await repository.count("other", {}, max_seconds=5) == 0
    assert await repository.find("other", {"site": "demo"}, max_seconds=5) == []
