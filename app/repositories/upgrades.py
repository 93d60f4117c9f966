"""What was done once to what earlier versions had stored. It is of the installation, not of a site."""

from typing import ClassVar

from beanie import Document

from app.repositories.base import Repository
from app.schemas import Upgrade


class UpgradeRepository(Repository[Upgrade]):
    document: ClassVar[type[Document]] = Upgrade

    async def is_done(self, name: str) -> bool:
        return await self.collection.find_one({"_id": name}, {"_id": 1}) is not None

    async def record(self, name: str) -> None:
        """It is done, and need not be done again."""
        await self.collection.update_one(
            {"_id": name}, {"$currentDate": {"done_at": True}}, upsert=True
        )
