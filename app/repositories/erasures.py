"""Erasures: the requests while they are carried out, and what is left of them as receipts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from beanie import Document

from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Erasure


class ErasureRepository(Repository[Erasure]):
    document: ClassVar[type[Document]] = Erasure

    async def begin(self, site: str, erasure: Erasure) -> None:
        """Record a request, durably, before anything of it is done."""
        if erasure.site != site:
            raise ValueError("an erasure is of another site")
        await erasure.insert()

    async def get(self, site: str, erasure_id: str) -> Erasure | None:
        found = await self.collection.find_one({"_id": erasure_id, "site": site})
        return None if found is None else Erasure.model_validate(found)

    async def newest(self, site: str, limit: int) -> list[Erasure]:
        """The erasures of the site, newest first."""
        cursor = self.collection.find({"site": site}).sort("_id", -1).limit(limit)
        return [Erasure.model_validate(document) async for document in cursor]

    async def unfinished(self) -> list[Erasure]:
        """Those of any site that have not ended, oldest first."""
        cursor = self.collection.find({"subject": {"$exists": True}}).sort("requested_at", 1)
        return [Erasure.model_validate(document) async for document in cursor]

    async def note(
        self,
        site: str,
        erasure_id: str,
        removed: Mapping[str, int],
        *,
        quarters: Collection[datetime] = (),
        sessions: Sequence[str] = (),
        snapshot: Snapshot | None = None,
    ) -> None:
        """Note what was removed, in the transaction that removes it, and what is to follow."""
        update: Raw = {"$inc": {f"removed.{name}": number for name, number in removed.items()}}
        if quarters:
            update["$addToSet"] = {"quarters": {"$each": sorted(quarters)}}
        if sessions:
            update["$set"] = {"sessions": list(sessions)}
        await self.collection.update_one(
            {"_id": erasure_id, "site": site}, update, session=snapshot
        )

    async def finish(self, site: str, erasure_id: str, now: datetime) -> None:
        """It has ended: what names anybody goes."""
        await self.collection.update_one(
            {"_id": erasure_id, "site": site},
            {
                "$set": {"finished_at": now},
                "$unset": {"subject": "", "quarters": "", "sessions": ""},
            },
        )
