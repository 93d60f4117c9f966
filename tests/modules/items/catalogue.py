"""What the tests of the catalogue share: its operations, and a way to call each."""

from typing import Any

FIELDS = """id title kind description category status price currency imageUrl link campaignId
            startsAt endsAt attributes createdAt updatedAt"""

CREATE = f"mutation ($input: CreateItemInput!) {{ createItem(input: $input) {{ {FIELDS} }} }}"
UPDATE = f"""mutation ($id: ID!, $input: UpdateItemInput!) {{
               updateItem(id: $id, input: $input) {{ {FIELDS} }} }}"""
ARCHIVE = f"mutation ($id: ID!) {{ archiveItem(id: $id) {{ {FIELDS} }} }}"
ITEM = f"""query ($id: ID!, $tracking: TrackingContext) {{
             item(id: $id, tracking: $tracking) {{ {FIELDS} }} }}"""
ITEMS = f"""query ($search: String, $filter: ItemFilter, $sort: ItemSort, $page: Int, $limit: Int,
                   $tracking: TrackingContext) {{
              items(search: $search, filter: $filter, sort: $sort, page: $page, limit: $limit,
                    tracking: $tracking) {{
                data {{ {FIELDS} }}
                pagination {{ page limit total totalPages hasNext hasPrev }} }} }}"""


async def create(api: Any, title: str = "Lamp", **fields: Any) -> dict[str, Any]:
    """A new item."""
    data = await api.ask(CREATE, {"input": {"title": title, **fields}})
    item: dict[str, Any] = data["createItem"]
    return item


async def update(api: Any, item_id: str, **changes: Any) -> dict[str, Any]:
    """The item with these changes."""
    data = await api.ask(UPDATE, {"id": item_id, "input": changes})
    item: dict[str, Any] = data["updateItem"]
    return item


async def read(api: Any, item_id: str, **kw: Any) -> dict[str, Any] | None:
    """The item, or None."""
    data = await api.ask(ITEM, {"id": item_id}, **kw)
    item: dict[str, Any] | None = data["item"]
    return item


async def page_of(api: Any, **arguments: Any) -> dict[str, Any]:
    """A page of items."""
    data = await api.ask(ITEMS, arguments)
    page: dict[str, Any] = data["items"]
    return page


async def ids(api: Any, **arguments: Any) -> list[str]:
    """The ids on a page of items."""
    return [item["id"] for item in (await page_of(api, **arguments))["data"]]


def problem(error: dict[str, Any]) -> tuple[str, str | None]:
    """What went wrong, and with which field."""
    return error["extensions"]["code"], error["extensions"].get("field")
