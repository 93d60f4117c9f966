"""The salts of the days, where they are in the database. They belong to the installation, not to a site."""

import contextlib
from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo.errors import DuplicateKeyError

from app.repositories.base import Repository
from app.schemas import Salt


class SaltRepository(Repository[Salt]):
    document: ClassVar[type[Document]] = Salt

    async def of_day(self, day: str, proposal: bytes, expires_at: datetime) -> bytes:
        """The day's salt; the proposal becomes it if there was none. All processes get the same."""
        # Not find_one_and_update: of what that answers the database keeps a copy elsewhere.
        with contextlib.suppress(DuplicateKeyError):  # another process was first
            await self._hot.update_one(
                {"_id": day},
                {"$setOnInsert": {"value": proposal, "expires_at": expires_at}},
                upsert=True,
            )
        stored = await self._hot.find_one({"_id": day})
        return proposal if stored is None else bytes(stored["value"])

    def sweep(self, now: datetime) -> None:
        """The database deletes them by itself."""
