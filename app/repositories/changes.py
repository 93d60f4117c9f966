"""Which quarters of an hour were rolled up, and when."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from beanie import Document
from bson import Timestamp
from pymongo import UpdateOne

from app.core.quarters import quarter_of, to_ms
from app.repositories.base import Repository, Snapshot
from app.schemas import Change

# When something was rolled up, by the database's logical clock; comparable.
Instant = Timestamp
BEFORE_ALL = Timestamp(0, 0)


class ChangeRepository(Repository[Change]):
    document: ClassVar[type[Document]] = Change

    async def note(self, site: str, starts: Collection[datetime]) -> None:
        """Note, durably, that these quarters of the site were rolled up.

        To be called when they are replaced and before their marks are cleared: app/modules/analytics/
        caching.py says why.
        """
        updates = [
            UpdateOne(
                {"_id": f"{site}|{to_ms(start)}"},
                {
                    "$set": {"site": site, "start": start},
                    "$currentDate": {"at": {"$type": "timestamp"}},
                },
                upsert=True,
            )
            for start in starts
        ]
        if updates:
            await self.collection.bulk_write(updates, ordered=False)

    async def last(self, site: str, snapshot: Snapshot) -> Instant:
        """When anything of the site was last rolled up; BEFORE_ALL where nothing ever was."""
        found = await self.collection.find_one(
            {"site": site}, {"_id": 0, "at": 1}, sort=[("at", -1)], session=snapshot
        )
        return BEFORE_ALL if found is None else found["at"]

    async def any_since(
        self, site: str, since: Instant, start: datetime, end: datetime, snapshot: Snapshot
    ) -> bool:
        """Whether a quarter that touches start to end, end left out, was rolled up after `since`."""
        match = {
            "site": site,
            "at": {"$gt": since},
            "start": {"$gte": quarter_of(start), "$lt": end},
        }
        found = await self.collection.find_one(match, {"_id": 0, "at": 1}, session=snapshot)
        return found is not None
