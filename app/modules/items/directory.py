"""The catalogue as other modules know it."""

from collections.abc import Sequence
from typing import Any

from app.modules.items.service import ItemService
from app.modules.items.types import Item


class Catalogue:
    """The ItemDirectory of core/ports.py."""

    def __init__(self, items: ItemService) -> None:
        self._items = items

    async def by_ids(self, site: str, ids: Sequence[str]) -> dict[str, Any]:
        """The items of the site that have these ids, by id, archived ones too."""
        found = await self._items.by_ids(site, ids)
        return {item_id: Item.of(document) for item_id, document in found.items()}
