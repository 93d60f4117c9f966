"""The ledger."""

from collections.abc import Sequence
from typing import ClassVar

from beanie import Document

from app.repositories.base import Raw, Repository
from app.schemas import Decision


class DecisionRepository(Repository[Decision]):
    document: ClassVar[type[Document]] = Decision

    async def insert(self, site: str, decisions: Sequence[Raw]) -> None:
        """Store decisions, each carrying this site."""
        if any(decision["site"] != site for decision in decisions):
            raise ValueError("a decision is of another site")
        await self._insert_many(decisions)
