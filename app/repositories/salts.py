"""The salts of the days. They belong to the installation, not to a site."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo import ReturnDocument

from app.repositories.base import Repository
from app.schemas import Salt


class SaltRepository(Repository[Salt]):
    document: ClassVar[type[Document]] = Salt

    async def of_day(self, day: str, proposal: bytes, expires_at: datetime) -> bytes:
        """The day's salt; the proposal becomes it if there was none. All processes get the same."""
        stored = await self.collection.find_one_and_update(
            {"_id": day},
            {"$setOnInsert": {"value": proposal, "expires_at": expires_at}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return bytes(stored["value"])
