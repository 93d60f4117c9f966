"""One site's catalogue is not there for another site's keys."""

from typing import Any

import pytest

from tests.conftest import OTHER_SITE_KEYS
from tests.modules.items.catalogue import ARCHIVE, CREATE, ITEM, ITEMS, UPDATE, create, read

THEIRS = {"id": "lot-1", "title": "Lamp", "category": "Lighting", "kind": "auction", "price": "5"}
LISTS: list[dict[str, Any]] = [
    {},
    {"search": "lamp"},
    {"search": "lamp", "sort": {"by": "POPULARITY"}},
    {"sort": {"by": "POPULARITY"}},
    {"sort": {"by": "PRICE", "order": "ASC"}},
    {"filter": {"category": "Lighting", "kind": "auction", "minPrice": "1"}},
]


@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        (ITEM, {"id": "lot-1"}),
        (UPDATE, {"id": "lot-1", "input": {"title": "Mine"}}),
        (UPDATE, {"id": "lot-1", "input": {"endsAt": "2026-01-01"}}),
        (UPDATE, {"id": "lot-1", "input": {}}),
        (ARCHIVE, {"id": "lot-1"}),
        *((ITEMS, arguments) for arguments in LISTS),
    ],
)
async def test_answers_are_those_of_an_item_that_is_nowhere(
    api: Any, operation: str, variables: dict[str, Any]
) -> None:
    """For the other site an operation answers byte for byte what it did before the item was made."""
    before = await api.post(operation, variables, keys=OTHER_SITE_KEYS)
    made = await create(api, **THEIRS, startsAt="2026-02-01")
    await api.track({"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s"})
    assert await api.post(operation, variables, keys=OTHER_SITE_KEYS) == before
    assert await read(api, "lot-1") == made


async def test_two_sites_may_use_one_id(api: Any) -> None:
    """The same id on two sites is two items: no conflict, and each site changes its own."""
    ours = await create(api, **THEIRS)
    data = await api.ask(CREATE, {"input": {**THEIRS, "title": "Other"}}, keys=OTHER_SITE_KEYS)
    assert data["createItem"]["title"] == "Other"
    await api.ask(ARCHIVE, {"id": "lot-1"}, keys=OTHER_SITE_KEYS)
    assert await read(api, "lot-1") == ours
    assert (await api.ask(ITEMS))["items"]["data"] == [ours]


async def test_popularity_and_relations_stay_on_the_site(api: Any) -> None:
    """Another site's impressions of the same ids make nothing popular; its items are not related."""
    for name in ("a", "b"):
        await create(api, id=name, category="Lighting")
        given = {"id": f"other-{name}", "title": "Lamp", "category": "Lighting"}
        await api.ask(CREATE, {"input": given}, keys=OTHER_SITE_KEYS)
    await api.track({"type": "IMPRESSION", "itemId": "a", "sessionId": "s"}, keys=OTHER_SITE_KEYS)
    popular = await api.ask("{ items(sort: {by: POPULARITY}) { data { id related { id } } } }")
    assert popular["items"]["data"] == [
        {"id": "b", "related": [{"id": "a"}]},
        {"id": "a", "related": [{"id": "b"}]},
    ]
