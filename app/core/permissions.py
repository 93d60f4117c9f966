"""Root fields say which scope they need."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from strawberry.extensions import FieldExtension

from app.core.auth import Scope, require
from app.core.context import Info


class Needs(FieldExtension):
    """`@strawberry.field(extensions=[Needs(Scope.READ)])`: refuse keys of another scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        require(info.context.principal, self.scope)
        result = next_(source, info, **kwargs)
        # A subscription that is a generator function gives its events at once.
        return await result if inspect.isawaitable(result) else result
