"""Rollups: cells and tables."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

from beanie import Document
from pymongo import DeleteMany, ReplaceOne

from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Rollup

MOST_IDS = 10_000
MOST_WRITES = 2_000


class RollupRepository(Repository[Rollup]):
    document: ClassVar[type[Document]] = Rollup

    async def replace(self, site: str, prefixes: Collection[str], rollups: Iterable[Raw]) -> None:
        """Make the rollups whose ids begin with these prefixes exactly these."""
        known = {found for prefix in prefixes for found in await self._ids(site, prefix)}
        kept: set[str] = set()
        for portion in _portions(rollups):
            if any(rollup["site"] != site for rollup in portion):
                raise ValueError("a rollup is of another site")
            await self._store(portion, known)
            kept.update(rollup["_id"] for rollup in portion)
        gone = list(known - kept)  # what was counted before, and is not there any more
        if gone:
            await self.collection.delete_many({"_id": {"$in": gone}, "site": site})

    async def _ids(self, site: str, prefix: str) -> list[str]:
        inside = {"$gte": prefix, "$lt": prefix + "~"}
        cursor = self.collection.find({"_id": inside, "site": site}, {"_id": 1})
        return [found["_id"] for found in await cursor.to_list(None)]

    async def replace_known(self, site: str, ids: Sequence[str], rollups: Sequence[Raw]) -> None:
        """Make the rollups with these ids exactly these: the others of them are gone afterwards."""
        if any(rollup["site"] != site for rollup in rollups):
            raise ValueError("a rollup is of another site")
        writes: list[Any] = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in rollups]
        gone = list(set(ids).difference(one["_id"] for one in rollups))
        if gone:
            writes.append(DeleteMany({"_id": {"$in": gone}, "site": site}))
        if writes:
            await self.collection.bulk_write(writes, ordered=False)

    async def get(
        self,
        site: str,
        ids: Sequence[str],
        fields: Collection[str],
        snapshot: Snapshot | None = None,
    ) -> list[Raw]:
        """Those of these rollups that are there, by no order, with these fields of their content."""
        projection = {f"content.{name}": 1 for name in fields}
        found: list[Raw] = []
        for start in range(0, len(ids), MOST_IDS):
            wanted = {"_id": {"$in": list(ids[start : start + MOST_IDS])}, "site": site}
            cursor = self.collection.find(wanted, projection, session=snapshot)
            found += await cursor.batch_size(MOST_IDS).to_list(None)
        return found

    async def of_prefixes(self, site: str, prefixes: Sequence[str]) -> list[Raw]:
        """The contents of the cells whose ids begin with these, by no order. Tables are left out."""
        spans = [{"_id": {"$gte": prefix, "$lt": prefix + "t"}} for prefix in prefixes]
        cursor = self.collection.find({"$or": spans, "site": site}, {"content": 1})
        return [cell["content"] for cell in await cursor.batch_size(MOST_IDS).to_list(None)]


def _portions(rollups: Iterable[Raw]) -> Iterator[list[Raw]]:
    rest = iter(rollups)
    while portion := list(islice(rest, MOST_WRITES)):
        yield portion
