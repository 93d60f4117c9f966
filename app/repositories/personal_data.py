"""The documents that name a visitor or user. What is exported is what is erased: both are found here."""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from beanie import Document

from app.core.subjects import Subject
from app.repositories.base import Raw, Repository, Snapshot
from app.schemas import Decision, Event, Session

D = TypeVar("D", bound=Document)

EVENTS, SESSIONS, DECISIONS = "events", "sessions", "decisions"


class PersonalData(Repository[D]):
    """Documents of one kind that name somebody.

    There is no index by visitor, which every event would have to pay for: the documents of the site are
    gone through, about a second for each million of them.
    """

    def _match(self, site: str, subject: Subject) -> Raw:
        return {"site": site, subject.kind.value: subject.id}

    async def page(
        self, site: str, subject: Subject, limit: int, after: str | None = None
    ) -> list[Raw]:
        """The first so many by `_id`, of those after this one."""
        match = self._match(site, subject) | ({} if after is None else {"_id": {"$gt": after}})
        return await self.collection.find(match).sort("_id", 1).limit(limit).to_list(limit)

    async def count(self, site: str, subject: Subject) -> int:
        """How many there are."""
        return await self.collection.count_documents(self._match(site, subject))

    async def delete(
        self, site: str, subject: Subject, ids: Sequence[str], snapshot: Snapshot
    ) -> int:
        """Delete those of these documents that name them; how many."""
        match = self._match(site, subject) | {"_id": {"$in": list(ids)}}
        return (await self.collection.delete_many(match, session=snapshot)).deleted_count


class PersonalEvents(PersonalData[Event]):
    document: ClassVar[type[Document]] = Event


class PersonalSessions(PersonalData[Session]):
    document: ClassVar[type[Document]] = Session


class PersonalDecisions(PersonalData[Decision]):
    """The ledger's. A rejected event that can be released has its ids in the document that it keeps."""

    document: ClassVar[type[Document]] = Decision

    def _match(self, site: str, subject: Subject) -> Raw:
        field = subject.kind.value
        return {"site": site, "$or": [{field: subject.id}, {f"document.{field}": subject.id}]}


def personal_data() -> dict[str, PersonalData[Any]]:
    """All documents that name somebody, by kind, in the order in which they are exported and erased.

    Sessions come after the events that they are derived from.
    """
    return {EVENTS: PersonalEvents(), SESSIONS: PersonalSessions(), DECISIONS: PersonalDecisions()}
