"""The log of admin actions: keeping who changed what, and showing it."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from uuid_utils import uuid7

from app.core.admin_actions import ActionNotes, NotedChange, under_way
from app.core.auth import Principal
from app.core.clock import Clock
from app.core.database import deadline
from app.core.errors import BadInputError, FootfallError
from app.repositories.admin_actions import ActionFilter, AdminActionRepository
from app.schemas import AdminAction

logger = logging.getLogger("footfall.admin")

MAX_PAGE_SIZE = 200
# Actions past this many cannot be reached: a narrower range is quicker for everybody.
MAX_REACHED = 10_000
MAX_NAME = 100


class ActionResult(StrEnum):
    """What became of an action."""

    STARTED = "STARTED"
    DONE = "DONE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ActionPage:
    """Some actions, newest first, and how many there are in all."""

    actions: Sequence[AdminAction]
    page: int
    limit: int
    total: int


class AdminLogService:
    """The AdminLog of core/ports.py."""

    def __init__(self, actions: AdminActionRepository, clock: Clock) -> None:
        self._actions = actions
        self._clock = clock

    @asynccontextmanager
    async def recorded(
        self, site: str, action: str, principal: Principal | None = None
    ) -> AsyncIterator[None]:
        notes = ActionNotes(id=str(uuid7()))
        started = AdminAction(
            id=notes.id,
            site=site,
            at=self._clock.now(),
            action=action,
            key=None if principal is None else principal.key_id,
            label=None if principal is None else principal.label,
            by_owner=principal is not None and principal.is_owner,
            result=ActionResult.STARTED.value,
        )
        with deadline():
            await self._actions.insert(site, started)
        try:
            with under_way(notes):
                yield
        except FootfallError as error:
            await self._finish(site, notes, ActionResult.REFUSED, error.code.value)
            raise
        except BaseException:
            await self._finish(site, notes, ActionResult.FAILED)
            raise
        await self._finish(site, notes, ActionResult.DONE)

    async def page(
        self,
        site: str,
        start: datetime,
        end: datetime,
        action: str | None,
        page: int,
        limit: int,
    ) -> ActionPage:
        """Actions of a time, newest first. Raises BadInputError."""
        if not 1 <= limit <= MAX_PAGE_SIZE:
            raise BadInputError(f"must be from 1 to {MAX_PAGE_SIZE}", "limit")
        if not 1 <= page <= MAX_REACHED // limit:
            raise BadInputError(
                f"must be from 1 to {MAX_REACHED // limit} with this limit; narrow the range to go "
                "further",
                "page",
            )
        if action is not None and not (action.isalpha() and len(action) <= MAX_NAME):
            raise BadInputError('must be the name of an action, such as "revokeKey"', "action")
        wanted = ActionFilter(start, end, action)
        found = await self._actions.newest(site, wanted, (page - 1) * limit, limit)
        return ActionPage(found, page, limit, await self._actions.count(site, wanted))

    async def _finish(
        self, site: str, notes: ActionNotes, result: ActionResult, code: str | None = None
    ) -> None:
        """Write down the end. What was done is done, so that this fails nothing: it stays STARTED."""
        ended: dict[str, Any] = {
            "result": result.value,
            "code": code,
            "target": notes.target,
            "changes": [_stored(change) for change in notes.changes],
            "site": notes.site or site,
        }
        try:
            with deadline():
                await self._actions.finish(site, notes.id, ended)
        except Exception as error:
            logger.warning("the end of an admin action is not recorded: %s", type(error).__name__)


def _stored(change: NotedChange) -> dict[str, Any]:
    if not change.is_shown:
        return {"name": change.name}
    return {"name": change.name, "old": change.old, "new": change.new}
