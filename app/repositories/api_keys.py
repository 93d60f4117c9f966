"""API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from beanie import Document
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from app.core.auth import Scope
from app.core.database import deadline
from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import ApiKey

LOOKUP_SECONDS = 1.0
# So many keys of a site that have ended are listed.
MAX_ENDED = 1_000


class ApiKeyRepository(Repository[ApiKey]):
    document: ClassVar[type[Document]] = ApiKey

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """The key with this hash. The one question that comes before a site is known: it tells the site.

        It comes before everything else that a request waits for, so that it may not take long.
        """
        with deadline(LOOKUP_SECONDS):
            return await self._one({"_id": key_hash})

    async def find_by_id(self, site: str, key_id: str) -> ApiKey | None:
        """The site's key whose hash begins like this, which is hex."""
        begins = {"$gte": key_id, "$lt": f"{key_id}g"}
        with deadline(LOOKUP_SECONDS):
            return await self._one({"_id": begins, "site": site})

    async def ensure(self, site: str, key: ApiKey) -> bool:
        """Store the key unless it is there; whether it is new."""
        if key.site != site:
            raise ValueError("the key is of another site")
        try:
            await key.insert()
        except DuplicateKeyError:
            return False
        return True

    async def list(self, site: str, now: datetime) -> list[ApiKey]:
        """The site's keys: all that open something now, then MAX_ENDED of the others, newest first."""
        ended = {"site": site, "$nor": [_usable(now)]}
        usable = (
            await ApiKey.find({"site": site} | _usable(now)).sort("-created_at", "+_id").to_list()
        )
        return usable + await ApiKey.find(ended).sort("-created_at", "+_id").to_list(MAX_ENDED)

    async def count_usable(self, site: str, now: datetime) -> int:
        """How many keys of the site open something now."""
        return await self.collection.count_documents({"site": site} | _usable(now))

    async def update(self, site: str, key_hash: str, changes: Raw) -> ApiKey | None:
        """Set these fields and answer the key as it is then; None where there is none."""
        if changes:
            await self.collection.update_one({"_id": key_hash, "site": site}, {"$set": changes})
        return await ApiKey.find_one({"_id": key_hash, "site": site})

    async def replace(self, site: str, key_hash: str, new: ApiKey, end: datetime) -> bool:
        """Store a new key, and let the old one end then, or before if it does so anyway; both or neither.

        False where the old one is on its way out already.
        """
        if new.site != site:
            raise ValueError("the key is of another site")

        async def work(session: Snapshot) -> bool:
            old = {"_id": key_hash, "site": site, "revoked_at": None}
            ended = await self.collection.update_one(
                old, {"$set": {"revoked_at": end}}, session=session
            )
            if not ended.modified_count:
                return False
            await new.insert(session=session)
            return True

        with deadline():
            return await self.in_transaction(work)

    async def revoke(self, site: str, key_hash: str, now: datetime) -> None:
        """End a key now. One that has ended already keeps its time."""
        await self.collection.update_one(
            {"_id": key_hash, "site": site} | _not_revoked(now),
            {"$set": {"revoked_at": now}},
        )

    async def revoke_if_another_stays(self, site: str, key_hash: str, now: datetime) -> bool:
        """End an admin key now, if the site has another that stays; whether it has.

        Of two that are revoked at once, each because there is the other, one stays: both writes touch
        both keys.
        """

        async def work(session: Snapshot) -> bool:
            others = await self.collection.update_many(
                {"site": site, "scope": Scope.ADMIN.value, "_id": {"$ne": key_hash}}
                | _usable(now)
                | {"revoked_at": None},
                {"$inc": {"relied_on": 1}},
                session=session,
            )
            if not others.matched_count:
                return False
            await self.collection.update_one(
                {"_id": key_hash, "site": site}, {"$set": {"revoked_at": now}}, session=session
            )
            return True

        with deadline():
            return await self.in_transaction(work)

    async def revoke_labelled(self, site: str, label: str, scope: Scope, now: datetime) -> int:
        """Revoke what was made under this label before."""
        result = await self.collection.update_many(
            {"site": site, "label": label, "scope": scope.value, "revoked_at": None},
            {"$set": {"revoked_at": now}},
        )
        return result.modified_count

    async def revoke_others(self, site: str, label: str, kept: str, now: datetime) -> int:
        """Revoke what was made under this label, but for the key with the hash `kept`; how many."""
        result = await self.collection.update_many(
            {"site": site, "label": label, "_id": {"$ne": kept}, "revoked_at": None},
            {"$set": {"revoked_at": now}},
        )
        return result.modified_count

    async def record_uses(self, site: str, uses: Mapping[str, datetime]) -> None:
        """Say when keys, by their hash, were used last. Several processes may do so in any order."""
        updates: Sequence[UpdateOne] = [
            UpdateOne({"_id": key_hash, "site": site}, {"$max": {"last_used_at": at}})
            for key_hash, at in uses.items()
        ]
        if updates:
            await self.collection.bulk_write(list(updates), ordered=False)


def _not_revoked(now: datetime) -> dict[str, Any]:
    return {"$or": [{"revoked_at": None}, {"revoked_at": {"$gt": now}}]}


def _usable(now: datetime) -> dict[str, Any]:
    not_expired = {"$or": [{"expires_at": None}, {"expires_at": {"$gt": now}}]}
    return {"$and": [_not_revoked(now), not_expired]}
