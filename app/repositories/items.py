"""The items of the catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from beanie import Document
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.core.words import words_of
from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Item


def stored_id(site: str, item_id: str) -> str:
    """`_id` of an item. A site's name has no colon, so that no two pairs share one."""
    return f"{site}:{item_id}"


class ItemRepository(Repository[Item]):
    document: ClassVar[type[Document]] = Item

    async def insert(self, site: str, item: Raw) -> bool:
        """Store an item, given by the fields of its document; False if the site has one of its id."""
        document = {"_id": stored_id(site, item["item"]), "site": site, **item, **_derived(item)}
        try:
            await self.collection.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def get(self, site: str, item_id: str) -> Item | None:
        return _item(await self.collection.find_one(_one(site, item_id)))

    async def by_ids(self, site: str, item_ids: Sequence[str]) -> list[Item]:
        """Those of these items that there are, in no order."""
        ids = [stored_id(site, item_id) for item_id in item_ids]
        return _items(await self.collection.find({"_id": {"$in": ids}, "site": site}).to_list(None))

    async def categories(self, site: str, snapshot: Snapshot | None = None) -> dict[str, str]:
        """The categories of the site's items that have one, by the items' ids."""
        found = self.collection.find(
            {"site": site, "category": {"$exists": True}},
            {"_id": 0, "item": 1, "category": 1},
            session=snapshot,
        )
        return {
            item["item"]: item["category"]
            async for item in found.batch_size(10_000)
            if item["category"] is not None
        }

    async def update(
        self, site: str, item_id: str, changes: Raw, *, condition: Raw, currency: str
    ) -> Item | None:
        """Set these fields at once, and answer the item as it is then.

        None, and nothing changed, where there is no such item or the condition does not hold of it.
        A price that is left without a currency gets this one.
        """
        changes = changes | _derived(changes)
        currency_of_a_price = {"$ifNull": ["$currency", {"$literal": currency}]}
        updated = await self.collection.find_one_and_update(
            _one(site, item_id) | condition,
            [
                {"$set": {field: {"$literal": value} for field, value in changes.items()}},
                {
                    "$set": {
                        "currency": {
                            "$cond": [{"$gt": ["$price", None]}, currency_of_a_price, "$currency"]
                        }
                    }
                },
            ],
            return_document=ReturnDocument.AFTER,
        )
        return _item(updated)

    async def find(
        self,
        site: str,
        match: Raw,
        stages: Sequence[Mapping[str, Any]] = (),
        *,
        max_seconds: float,
    ) -> list[Item]:
        """The items that match, after these stages, in their order."""
        # `$text` must stand in the first stage, and the text index needs the site beside it.
        cursor = self.collection.aggregate(
            [{"$match": match | {"site": site}}, *stages],
            allowDiskUse=True,
            maxTimeMS=int(max_seconds * 1000),
        )
        return _items(await cursor.to_list(None))

    async def count(self, site: str, match: Raw, *, max_seconds: float) -> int:
        """How many items match."""
        return await self.collection.count_documents(
            match | {"site": site}, maxTimeMS=int(max_seconds * 1000)
        )


def _one(site: str, item_id: str) -> Raw:
    return {"_id": stored_id(site, item_id), "site": site}


def _derived(fields: Raw) -> Raw:
    """What is stored beside these fields to sort by and to search in (schemas/item.py)."""
    derived: Raw = {}
    if "title" in fields:
        derived["title_key"] = fields["title"].casefold()
    if "price" in fields:
        derived["unpriced"] = fields["price"] is None
    for field in ("title", "description", "category"):
        if field in fields:
            words = words_of(fields[field] or "")
            derived[f"{field}_words"] = f" {' '.join(words)} " if words else ""
    return derived


def _item(document: Raw | None) -> Item | None:
    return None if document is None else Item.model_validate(document)


def _items(documents: Sequence[Raw]) -> list[Item]:
    return [Item.model_validate(document) for document in documents]
