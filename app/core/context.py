"""What every resolver is given: who asks, how the request came, and the services."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from strawberry.types import Info as StrawberryInfo

from app.core.auth import Principal

T = TypeVar("T")

MAX_LOADERS = 100


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What the transport knows of the sender of an event.

    `address` is the client's, behind trusted proxies the forwarded one; None for imports.
    `user_agent` is the User-Agent header where a browser sent the request, else None: a backend
    service's own HTTP client says nothing about the visitor.
    """

    address: str | None = None
    user_agent: str | None = None
    # Whether it said so, by the header DNT or Sec-GPC.
    refuses_tracking: bool = False


@dataclass(slots=True)
class Context:
    """One request's context. `get` finds a service by its type, as wired in app/wiring.py."""

    services: Mapping[type, object]
    principal: Principal | None = None
    request: RequestInfo = field(default_factory=RequestInfo)
    # Events of a batch that could not even be read, by their place: why (http/graphql.py).
    unreadable_events: dict[int, str] = field(default_factory=dict)
    loaders: dict[Hashable, Any] = field(default_factory=dict)
    # How many subscriptions are open on this connection.
    subscriptions: int = 0

    def get(self, service: type[T]) -> T:
        return cast(T, self.services[service])

    def loader(self, key: Hashable, make: Callable[[], T]) -> T:
        """The data loader of this key, made when it is first asked for.

        A socket's context lives long: past a bound all are forgotten, which only splits a batch.
        """
        if key not in self.loaders:
            if len(self.loaders) >= MAX_LOADERS:
                self.loaders.clear()
            self.loaders[key] = make()
        return cast(T, self.loaders[key])


Info = StrawberryInfo[Context, Any]
