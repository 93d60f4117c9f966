"""The catalogue's rules where the database does not matter: defaults, checks, queries, batches."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from bson import Decimal128
from mongomock_motor import AsyncMongoMockClient

from app.core.clock import FixedClock
from app.core.context import MAX_LOADERS, Context
from app.core.database import prepare
from app.core.errors import BadInputError, ConflictError, LimitExceededError, NotFoundError
from app.core.ports import ItemReports
from app.modules.items.loaders import analytics_loader
from app.modules.items.search import (
    ItemQuery,
    ItemSortField,
    SortOrder,
    match,
    page_stages,
    text_search,
)
from app.modules.items.service import ItemService
from app.modules.items.validation import check_fields, is_item_id
from app.repositories.items import ItemRepository
from app.schemas import Item
from app.schemas.item import ItemStatus
from tests.conftest import NOW

SURROGATE = "a\ud800b"


@dataclass(frozen=True)
class Site:
    currency: str
    timezone: str = "UTC"
    archived_at: datetime | None = None


class Sites:
    """Each site has its own currency."""

    async def get(self, site: str) -> Site:
        return Site({"demo": "CHF", "other": "SEK"}[site])


@pytest_asyncio.fixture
async def service() -> AsyncIterator[ItemService]:
    """A service on a database in memory; documents are bound to it until the next application."""
    client = AsyncMongoMockClient()
    await prepare(client["test"], [Item])
    yield ItemService(ItemRepository(), Sites(), FixedClock(NOW), max_seconds=5)
    client.close()


async def test_a_price_has_the_currency_of_its_site(service: ItemService) -> None:
    """Unless it has one of its own; what has no price has none."""
    lamp = {"title": "Lamp"}
    assert (await service.create("demo", lamp)).currency is None
    own = await service.create("demo", lamp | {"price": Decimal(1), "currency": "JPY"})
    assert own.currency == "JPY"
    for site, currency in (("demo", "CHF"), ("other", "SEK")):
        priced = await service.create(site, lamp | {"price": Decimal("1.50")})
        assert (priced.currency, str(priced.price)) == (currency, "1.50")


async def test_new_ids_sort_by_age(service: ItemService) -> None:
    """An item without an id of the caller's gets one that is larger than those made before."""
    items = [await service.create("demo", {"title": "Lamp"}) for _ in range(20)]
    made = [item.item for item in items]
    assert made == sorted(set(made))


async def test_conflict_and_not_found_are_of_one_site(service: ItemService) -> None:
    """An id is taken on its own site only, and known on its own site only."""
    await service.create("demo", {"item": "lot", "title": "Lamp"})
    with pytest.raises(ConflictError, match=r"^input\.id: "):
        await service.create("demo", {"item": "lot", "title": "Lamp"})
    with pytest.raises(NotFoundError):
        await service.update("other", "lot", {})
    assert await service.get("other", "lot") is None
    assert (await service.create("other", {"item": "lot", "title": "Chair"})).title == "Chair"
    assert set(await service.by_ids("demo", ["lot", "lot", "none", ""])) == {"lot"}


@pytest.mark.parametrize(
    "name", ["item", "title", "kind", "description", "category", "image_url", "link", "campaign"]
)
def test_lone_surrogates_are_refused(name: str) -> None:
    """JSON can say them, MongoDB cannot keep them."""
    with pytest.raises(BadInputError):
        check_fields({name: SURROGATE})


def test_lone_surrogates_are_nowhere() -> None:
    """Nothing has such an id, and nothing can be searched for with one."""
    assert not is_item_id(SURROGATE)
    with pytest.raises(BadInputError, match=r"^search: "):
        ItemQuery(search=SURROGATE)
    with pytest.raises(BadInputError, match=r"^filter\.kind: "):
        ItemQuery(kind=SURROGATE)
    for attributes in ({SURROGATE: 1}, {"a": SURROGATE}):
        with pytest.raises(BadInputError, match=r"^input\.attributes: "):
            check_fields({"attributes": attributes})


@pytest.mark.parametrize("page", [0, -1, 101])
def test_a_query_that_cannot_be_answered_cannot_be_made(page: int) -> None:
    """The bounds hold wherever a query comes from."""
    with pytest.raises((BadInputError, LimitExceededError), match=r"^page: "):
        ItemQuery(page=page, limit=100)


def test_conditions_of_a_query() -> None:
    """Each condition is one exact comparison; zero is a bound like any other."""
    query = ItemQuery(
        search='"Lamp" -shade lamp',
        category="$ne",
        kind="auction",
        status=ItemStatus.SOLD,
        min_price=Decimal(0),
        max_price=Decimal("9.90"),
        start=NOW,
        end=NOW + timedelta(days=1),
    )
    assert match(query) == {
        "status": "SOLD",
        "$text": {"$search": '" lamp " " shade "'},
        "category": "$ne",
        "kind": "auction",
        "price": {"$gte": Decimal128("0"), "$lte": Decimal128("9.90")},
        "created_at": {"$gte": NOW, "$lt": NOW + timedelta(days=1)},
    }
    assert match(ItemQuery()) == {"status": {"$ne": "ARCHIVED"}}


@pytest.mark.parametrize(
    ("query", "order"),
    [
        (ItemQuery(), {"created_at": -1, "_id": -1}),
        (ItemQuery(search="x"), {"score": -1, "_id": -1}),
        (
            ItemQuery(search="x", sort_by=ItemSortField.TITLE, order=SortOrder.ASC),
            {"title_key": 1, "_id": 1},
        ),
        (ItemQuery(sort_by=ItemSortField.PRICE), {"price": -1, "_id": -1}),
        (
            ItemQuery(sort_by=ItemSortField.PRICE, order=SortOrder.ASC),
            {"unpriced": 1, "price": 1, "_id": 1},
        ),
        (
            ItemQuery(sort_by=ItemSortField.POPULARITY, order=SortOrder.ASC),
            {"unseen": 1, "impressions": 1, "_id": 1},
        ),
    ],
)
def test_order_of_a_query(query: ItemQuery, order: dict[str, int]) -> None:
    """The id breaks ties in the direction of the sort, and keys stand in the order that they count."""
    sorts = [stage["$sort"] for stage in page_stages(query, "demo", NOW) if "$sort" in stage]
    assert [list(sort.items()) for sort in sorts] == [list(order.items())]


def test_words_are_quoted_with_their_spaces_once() -> None:
    """A word that comes twice is asked for once; nothing but words is left."""
    assert text_search('lamp -"LED" Lamp') == '" lamp " " led "'
    assert text_search("-'\"") == ""


class BrokenReports:
    async def for_items(self, site: str, item_ids: Any, range: Any) -> dict[str, Any]:  # noqa: A002
        raise BadInputError("must not be before start", "range.end")


async def test_a_failed_report_fails_each_of_its_items() -> None:
    """Every item of the batch gets the error, none is left waiting."""
    loader = analytics_loader(Context({ItemReports: BrokenReports()}), "demo", None)
    for item in [loader.load("a"), loader.load("b")]:
        with pytest.raises(BadInputError):
            await item


def test_a_context_keeps_few_loaders() -> None:
    """A socket's client cannot fill the memory with loaders by asking for ever new ranges."""
    context = Context({})
    for key in range(10 * MAX_LOADERS):
        first = context.loader(key, object)
        assert context.loader(key, object) is first
        assert len(context.loaders) <= MAX_LOADERS
