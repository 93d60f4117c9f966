"""Sites. They are the tenants themselves, so that these methods are not of one site."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo.errors import DuplicateKeyError

from app.repositories.base import Raw, Repository
from app.schemas import Site


class SiteRepository(Repository[Site]):
    document: ClassVar[type[Document]] = Site

    async def get(self, site: str) -> Site | None:
        return await self._one({"_id": site})

    async def all(self, *, archived: bool) -> list[Site]:
        """All of them, in order; those that are archived only where asked for."""
        wanted = {} if archived else {"archived_at": None}
        found = await self._hot.find(wanted).sort("_id", 1).to_list(None)
        return [self._parsed(site) for site in found]

    async def names(self) -> list[str]:
        """All of them, in order."""
        cursor = self.collection.find({}, {"_id": 1}).sort("_id", 1)
        return [document["_id"] async for document in cursor]

    async def ensure(self, site: Site) -> bool:
        """Store the site if there is none of its name; whether it is new."""
        try:
            await site.insert()
        except DuplicateKeyError:
            return False
        return True

    async def update(self, site: str, changes: Raw) -> Site | None:
        """Set these fields and answer the site as it is then; None where there is none."""
        if changes:
            await self.collection.update_one({"_id": site}, {"$set": changes})
        return await self.get(site)

    async def mark_demo_filled(self, site: str, now: datetime) -> None:
        await self.collection.update_one({"_id": site}, {"$set": {"demo_filled_at": now}})
