"""The log of admin actions."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from beanie import Document

from app.repositories.base import Raw, Repository
from app.schemas import AdminAction

# The one action whose target is an event's id.
RELEASE_EVENT = "releaseEvent"


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """Which actions: those from `start` to `end`, left out, of this name where there is one."""

    start: datetime
    end: datetime
    action: str | None = None

    def match(self, site: str) -> Raw:
        found: Raw = {"site": site, "at": {"$gte": self.start, "$lt": self.end}}
        return found if self.action is None else found | {"action": self.action}


class AdminActionRepository(Repository[AdminAction]):
    document: ClassVar[type[Document]] = AdminAction

    async def insert(self, site: str, action: AdminAction) -> None:
        if action.site != site:
            raise ValueError("the action is of another site")
        await action.insert()

    async def finish(self, site: str, action: str, changes: Raw) -> None:
        """Say how the action of this id ended; `changes` may move it to the site that it was of."""
        await self.collection.update_one({"_id": action, "site": site}, {"$set": changes})

    async def newest(
        self, site: str, wanted: ActionFilter, skip: int, limit: int
    ) -> Sequence[AdminAction]:
        cursor = self.collection.find(wanted.match(site)).sort([("at", -1), ("_id", -1)])
        found = cursor.skip(skip).limit(limit)
        return [AdminAction.model_validate(document) async for document in found]

    async def count(self, site: str, wanted: ActionFilter) -> int:
        return await self.collection.count_documents(wanted.match(site))

    async def targets_of(self, site: str, kind: str) -> AsyncIterator[tuple[str, str]]:
        """The id and the target of every action on persons of this kind, as core/admin_actions.py notes them."""
        match = {"site": site, "target": {"$gte": f"{kind} ", "$lt": f"{kind}!"}}
        async for action in self.collection.find(match, {"target": 1}):
            yield action["_id"], action["target"]

    async def forget_events(self, site: str, events: Sequence[str]) -> None:
        """Let the log say no longer that these events were released."""
        match = {"site": site, "action": RELEASE_EVENT, "target": {"$in": list(events)}}
        await self.collection.update_many(match, {"$set": {"target": None}})

    async def forget_targets(self, site: str, actions: Sequence[str]) -> None:
        """Let the log say no longer whom these actions were about."""
        match = {"_id": {"$in": list(actions)}, "site": site}
        await self.collection.update_many(match, {"$set": {"target": None}})
