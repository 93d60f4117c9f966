"""API keys."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo.errors import DuplicateKeyError

from app.core.auth import Scope
from app.core.database import deadline
from app.repositories.base import Repository
from app.schemas import ApiKey

LOOKUP_SECONDS = 1.0


class ApiKeyRepository(Repository[ApiKey]):
    document: ClassVar[type[Document]] = ApiKey

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """The key with this hash. The one question that comes before a site is known: it tells the site.

        It comes before everything else that a request waits for, so that it may not take long.
        """
        with deadline(LOOKUP_SECONDS):
            return await ApiKey.get(key_hash)

    async def find_by_id(self, site: str, key_id: str) -> ApiKey | None:
        """The site's key whose hash begins like this, which is hex."""
        begins = {"$gte": key_id, "$lt": f"{key_id}g"}
        with deadline(LOOKUP_SECONDS):
            return await ApiKey.find_one({"_id": begins, "site": site})

    async def ensure(self, site: str, key: ApiKey) -> bool:
        """Store the key unless it is there; whether it is new."""
        if key.site != site:
            raise ValueError("the key is of another site")
        try:
            await key.insert()
        except DuplicateKeyError:
            return False
        return True

    async def list(self, site: str) -> list[ApiKey]:
        return await ApiKey.find(ApiKey.site == site).sort("created_at").to_list()

    async def revoke(self, site: str, hint: str, now: datetime) -> int:
        """Revoke the keys of the site that begin like this; how many there were."""
        result = await self.collection.update_many(
            {"site": site, "hint": hint, "revoked_at": None}, {"$set": {"revoked_at": now}}
        )
        return result.modified_count

    async def revoke_labelled(self, site: str, label: str, scope: Scope, now: datetime) -> int:
        """Revoke what was made under this label before."""
        result = await self.collection.update_many(
            {"site": site, "label": label, "scope": scope.value, "revoked_at": None},
            {"$set": {"revoked_at": now}},
        )
        return result.modified_count
