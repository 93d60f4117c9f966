"""Root fields say which scope they need."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from graphql import OperationType
from strawberry.extensions import FieldExtension

from app.core.auth import Principal, Scope, require
from app.core.context import Info
from app.core.ports import AdminLog, QueryRates, SiteSettings, check_in_use


class Needs(FieldExtension):
    """`@strawberry.field(extensions=[Needs(Scope.READ)])`: refuse keys of another scope.

    Mutations of an admin are refused on an archived site, but for those that say `also_archived`. (What
    is tracked is refused where all events come in, however they came.)

    Mutations of an admin or of the owner go into the log of admin actions, and queries do not, unless
    `recorded` says otherwise. All but tracking, whose events have a rate of their own, counts for the
    rate of what a key may ask.
    """

    def __init__(
        self, scope: Scope, *, also_archived: bool = False, recorded: bool | None = None
    ) -> None:
        self.scope = scope
        self.also_archived = also_archived
        self.recorded = recorded

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        principal = require(info.context.principal, self.scope)
        if self.scope is not Scope.WRITE:
            info.context.get(QueryRates).count(principal)
        if not self._is_recorded(info):
            return await self._resolve(principal, next_, source, info, kwargs)
        log = info.context.get(AdminLog)
        async with log.recorded(principal.site, info.field_name, principal):
            return await self._resolve(principal, next_, source, info, kwargs)

    def _is_recorded(self, info: Info) -> bool:
        if self.recorded is not None:
            return self.recorded
        changes = info.operation.operation is OperationType.MUTATION
        return changes and self.scope in (Scope.ADMIN, Scope.OWNER)

    async def _resolve(
        self,
        principal: Principal,
        next_: Callable[..., Awaitable[Any]],
        source: Any,
        info: Info,
        kwargs: dict[str, Any],
    ) -> Any:
        changes = info.operation.operation is OperationType.MUTATION
        if self.scope is Scope.ADMIN and changes and not self.also_archived:
            check_in_use(await info.context.get(SiteSettings).get(principal.site))
        result = next_(source, info, **kwargs)
        # A subscription that is a generator function gives its events at once.
        return await result if inspect.isawaitable(result) else result


READ: list[FieldExtension] = [Needs(Scope.READ)]
WRITE: list[FieldExtension] = [Needs(Scope.WRITE)]
ADMIN: list[FieldExtension] = [Needs(Scope.ADMIN)]
# What admins do all day long, and what programs do for them: not in the log of admin actions.
ADMIN_UNRECORDED: list[FieldExtension] = [Needs(Scope.ADMIN, recorded=False)]
# Queries that an admin has to answer for.
ADMIN_RECORDED: list[FieldExtension] = [Needs(Scope.ADMIN, recorded=True)]
ADMIN_ALSO_ARCHIVED: list[FieldExtension] = [Needs(Scope.ADMIN, also_archived=True)]
OWNER: list[FieldExtension] = [Needs(Scope.OWNER)]
