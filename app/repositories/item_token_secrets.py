"""The secrets with which a site's servers sign item tokens."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.repositories.base import Repository
from app.schemas import ItemTokenSecret

PREFIX = "ff_item_"


class ItemTokenSecretRepository(Repository[ItemTokenSecret]):
    document: ClassVar[type[Document]] = ItemTokenSecret

    async def get(self, site: str) -> ItemTokenSecret | None:
        return await self._one({"_id": site, "site": site})

    async def rotate(
        self, site: str, random: str, now: datetime, previous_until: datetime
    ) -> ItemTokenSecret:
        """Make a new current secret of this random text, in one step: two rotations at once are two.

        The one that was current counts until `previous_until`, and one before it no longer.
        """
        number = {"$add": [{"$ifNull": ["$current.number", 0]}, 1]}
        text = {"$concat": [PREFIX, {"$toString": number}, "_", {"$literal": random}]}
        previous = {
            "$cond": [
                {"$gt": ["$current", None]},
                {"$mergeObjects": ["$current", {"valid_until": previous_until}]},
                None,
            ]
        }
        change = {
            "$set": {
                "site": {"$literal": site},
                "previous": previous,
                "current": {"number": number, "secret": text},
                "rotated_at": now,
            }
        }
        try:
            stored = await self.collection.find_one_and_update(
                {"_id": site}, [change], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # the first two at once: now it is there
            return await self.rotate(site, random, now, previous_until)
        rotated: ItemTokenSecret = ItemTokenSecret.model_validate(stored)
        return rotated
