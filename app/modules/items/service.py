"""The catalogue: making, changing and finding items."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bson import Decimal128
from uuid_utils import uuid7

from app.core.clock import Clock
from app.core.errors import BadInputError, ConflictError, NotFoundError
from app.core.ports import SiteSettings, check_in_use
from app.modules.items.related import Likeness, newest_stages
from app.modules.items.search import ItemQuery, match, page_stages
from app.modules.items.validation import check_fields, is_item_id
from app.repositories.items import ItemRepository
from app.schemas import Item
from app.schemas.item import ItemStatus

DEFAULT_KIND = "item"
_OPTIONAL = (
    *("description", "category", "price", "currency", "image_url", "link"),
    *("campaign", "starts_at", "ends_at", "attributes"),
)


class ItemService:
    """Keeps the items of every site. Fields go by their names in the document (schemas/item.py)."""

    def __init__(
        self, items: ItemRepository, sites: SiteSettings, clock: Clock, max_seconds: float
    ) -> None:
        """`max_seconds` is how long the database may take for one search."""
        self._items = items
        self._sites = sites
        self._clock = clock
        self._max_seconds = max_seconds

    async def create(self, site: str, fields: Mapping[str, Any]) -> Item:
        """Make an item.

        Raises BadInputError, ConflictError where the id is taken, ForbiddenError where the site is archived.
        """
        check_in_use(await self._sites.get(site))
        defaults = {"item": str(uuid7()), "kind": DEFAULT_KIND, "status": ItemStatus.ACTIVE}
        given = {name: value for name, value in fields.items() if value is not None}
        checked = check_fields(defaults | given)
        if checked.get("price") is not None and checked.get("currency") is None:
            checked["currency"] = await self._currency(site)
        now = self._clock.now()
        document = {
            **dict.fromkeys(_OPTIONAL),
            **_stored(checked),
            "created_at": now,
            "updated_at": now,
        }
        if not await self._items.insert(site, document):
            raise ConflictError("is the id of another item already", "input.id")
        return await self._existing(site, checked["item"])

    async def update(self, site: str, item_id: str, changes: Mapping[str, Any]) -> Item:
        """Change only the fields that are there; None clears one.

        Raises BadInputError, NotFoundError, or ForbiddenError where the site is archived, and then
        nothing has changed.
        """
        check_in_use(await self._sites.get(site))
        checked = check_fields(changes)
        if not checked:
            return await self._existing(site, item_id)
        condition, broken = _period_condition(checked)
        updated = await self._update(site, item_id, _stored(checked), condition)
        if updated is not None:
            return updated
        await self._existing(site, item_id)
        raise broken

    async def archive(self, site: str, item_id: str) -> Item:
        """Archive an item; one that is archived stays as it is.

        Raises NotFoundError, and ForbiddenError where the site is archived.
        """
        check_in_use(await self._sites.get(site))
        archived = ItemStatus.ARCHIVED.value
        updated = await self._update(
            site, item_id, {"status": archived}, {"status": {"$ne": archived}}
        )
        return updated or await self._existing(site, item_id)

    async def get(self, site: str, item_id: str) -> Item | None:
        """The item, archived or not; None where there is none of this id on the site."""
        return await self._items.get(site, item_id) if is_item_id(item_id) else None

    async def by_ids(self, site: str, item_ids: Sequence[str]) -> dict[str, Item]:
        """Those of these items that there are, by id."""
        possible = [item_id for item_id in dict.fromkeys(item_ids) if is_item_id(item_id)]
        return {item.item: item for item in await self._items.by_ids(site, possible)}

    async def find(self, site: str, query: ItemQuery) -> tuple[list[Item], int]:
        """The items of the page that is asked for, and how many there are on all pages."""
        condition = match(query)
        stages = page_stages(query, site, self._clock.now())
        return await asyncio.gather(
            self._items.find(site, condition, stages, max_seconds=self._max_seconds),
            self._items.count(site, condition, max_seconds=self._max_seconds),
        )

    async def alike(
        self, site: str, likenesses: Sequence[Likeness], count: int
    ) -> dict[Likeness, list[Item]]:
        """For each likeness the first so many items, in one query."""
        conditions = [condition for likeness in likenesses for condition in likeness.conditions()]
        stages = newest_stages(site, conditions, count)
        found = await self._items.find(site, conditions[0], stages, max_seconds=self._max_seconds)
        unique = list({item.id: item for item in found}.values())
        return {likeness: likeness.closest(unique, count) for likeness in likenesses}

    async def _existing(self, site: str, item_id: str) -> Item:
        item = await self.get(site, item_id)
        if item is None:
            raise NotFoundError("There is no item with this id.", "id")
        return item

    async def _update(
        self, site: str, item_id: str, changes: dict[str, Any], condition: dict[str, Any]
    ) -> Item | None:
        if not is_item_id(item_id):
            return None
        return await self._items.update(
            site,
            item_id,
            changes | {"updated_at": self._clock.now()},
            condition=condition,
            currency=await self._currency(site),
        )

    async def _currency(self, site: str) -> str:
        return (await self._sites.get(site)).currency


def _stored(checked: Mapping[str, Any]) -> dict[str, Any]:
    """Checked fields as the document has them."""
    stored = dict(checked)
    if stored.get("price") is not None:
        stored["price"] = Decimal128(stored["price"])
    if "status" in stored:
        stored["status"] = stored["status"].value
    return stored


def _period_condition(changes: Mapping[str, Any]) -> tuple[dict[str, Any], BadInputError]:
    """What must hold of an item where only one end of its period changes; and the error if it does not."""
    starts_at, ends_at = changes.get("starts_at"), changes.get("ends_at")
    too_early = BadInputError("must not be before startsAt", "input.endsAt")
    if ends_at is not None and "starts_at" not in changes:
        return {"starts_at": {"$not": {"$gt": ends_at}}}, too_early
    if starts_at is not None and "ends_at" not in changes:
        condition = {"$or": [{"ends_at": None}, {"ends_at": {"$gte": starts_at}}]}
        return condition, BadInputError("must not be after endsAt", "input.startsAt")
    return {}, too_early
