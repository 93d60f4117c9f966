"""Leases: one process at a time."""

import contextlib
from datetime import UTC, datetime
from typing import ClassVar

from beanie import Document
from pymongo.errors import DuplicateKeyError

from app.repositories.base import Repository
from app.schemas import Lease

# Until then nobody holds a new lease.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class LeaseRepository(Repository[Lease]):
    document: ClassVar[type[Document]] = Lease

    async def acquire(self, name: str, holder: str, seconds: float) -> bool:
        """Hold the lease for so long from now, by the database's clock; False where another holds it."""
        free = {"$or": [{"$eq": ["$holder", holder]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", seconds * 1000]}
        taken = await self.collection.update_one(
            {"_id": name, "$expr": free}, [{"$set": {"holder": holder, "until": until}}]
        )
        if taken.matched_count:
            return True
        with contextlib.suppress(DuplicateKeyError):  # it is there, and another's
            await self.collection.insert_one({"_id": name, "holder": holder, "until": NEVER})
            return await self.acquire(name, holder, seconds)
        return False

    async def release(self, name: str, holder: str) -> None:
        """Give it back, where it is held."""
        await self.collection.delete_one({"_id": name, "holder": holder})
