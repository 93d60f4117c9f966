"""What the items of one answer need, asked for all of them at once."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.dataloader import DataLoader

from app.core.context import Context
from app.core.ports import ItemReports
from app.modules.items.related import Likeness
from app.modules.items.service import ItemService
from app.schemas import Item as ItemDocument

MAX_BATCH = 100


@dataclass(frozen=True, slots=True)
class RelatedTo:
    """Asks for the items like this one."""

    item: str
    likeness: Likeness


# The loaders keep nothing: on a socket one context serves many operations, and items change.


def analytics_loader(context: Context, site: str, period: Any) -> DataLoader[str, Any]:
    """By item id: its GraphQL ItemAnalytics of this RangeInput, or of the default one for None."""

    async def load(item_ids: list[str]) -> Sequence[Any]:
        reports = context.get(ItemReports)
        found = await reports.for_items(site, list(dict.fromkeys(item_ids)), period)
        return [found[item_id] for item_id in item_ids]

    key = None if period is None else dataclasses.astuple(period)
    return context.loader(("item analytics", key), lambda: DataLoader(load, MAX_BATCH, cache=False))


def related_loader(
    context: Context, site: str, limit: int
) -> DataLoader[RelatedTo, list[ItemDocument]]:
    """By item: the first `limit` items like it, without itself."""

    async def load(asked: list[RelatedTo]) -> Sequence[list[ItemDocument]]:
        likenesses = list(dict.fromkeys(one.likeness for one in asked))
        found = await context.get(ItemService).alike(site, likenesses, limit + 1)
        return [
            [item for item in found[one.likeness] if item.item != one.item][:limit] for one in asked
        ]

    return context.loader(
        ("related items", limit), lambda: DataLoader(load, MAX_BATCH, cache=False)
    )
