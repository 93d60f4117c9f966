"""Counted events, one after the other, for whoever wants all of them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import ClassVar

from beanie import Document

from app.repositories.base import Raw, Repository
from app.repositories.events import COUNTED
from app.schemas import Event

# Documents that come from the database at once.
AT_ONCE = 1_000


class ExportedEvents(Repository[Event]):
    document: ClassVar[type[Document]] = Event

    async def count(
        self, site: str, start: datetime | None, end: datetime | None, types: Sequence[str]
    ) -> int:
        """How many counted events happened from start to end, end left out; of no types: of all."""
        return await self.collection.count_documents(_match(site, start, end, types))

    async def in_order(
        self, site: str, start: datetime | None, end: datetime | None, types: Sequence[str]
    ) -> AsyncIterator[Raw]:
        """The same events by when they happened, as they are stored, a few of them held at a time."""
        cursor = self.collection.find(
            _match(site, start, end, types), sort=[("at", 1)], batch_size=AT_ONCE
        )
        async for document in cursor:
            yield document


def _match(site: str, start: datetime | None, end: datetime | None, types: Sequence[str]) -> Raw:
    match: Raw = {"site": site, **COUNTED}
    happened = {"$gte": start, "$lt": end}
    bounds = {operator: at for operator, at in happened.items() if at is not None}
    if bounds:
        match["at"] = bounds
    if types:
        match["type"] = {"$in": list(types)}
    return match
