"""Which pages may call the API from a browser (CORS): those of the instance's and the site's origins.

A preflight has no key, so that it is answered for every origin that some site allows. The answer to the
request itself may be read, and the request is done, only where the key's own site allows the origin.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.auth import Principal
from app.core.errors import ForbiddenError
from app.core.origins import ANY_ORIGIN, allows_origin
from app.http.requests import Caller

PREFLIGHT_SECONDS = "86400"
METHODS = "GET, POST"
HEADERS = ("Authorization", "Content-Type", "X-API-Key", "X-Requested-With")
# Set on a request whose key's site does not allow its origin.
REFUSED = "footfall.origin_refused"

AllowedOrigins = Callable[[], Awaitable[Sequence[str]]]


def check_origin(
    caller: Caller, principal: Principal | None, *allowed: Sequence[str]
) -> Principal | None:
    """The principal, with a refusal where a page uses its key that one of the lists does not allow.

    Whoever is no browser sends no Origin, or any that it likes: this keeps pages of others from using a
    public key, not programs.
    """
    origin = caller.headers.get("origin")
    if principal is None or origin is None:
        return principal
    if _is_own(caller, origin) or all(allows_origin(each, origin) for each in allowed):
        return principal
    caller.scope[REFUSED] = True
    refusal = ForbiddenError("Pages of this origin may not use this key.")
    return replace(principal, refusal=principal.forbidden or refusal)


def _is_own(caller: Caller, origin: str) -> bool:
    """Whether the page is one of Footfall's own, such as GraphiQL."""
    host = caller.headers.get("host")
    return host is not None and origin.lower() in (
        f"http://{host}".lower(),
        f"https://{host}".lower(),
    )


class Origins:
    """Which pages may call: those whose origin the instance and some site allow."""

    def __init__(self, instance: tuple[str, ...], sites: AllowedOrigins) -> None:
        self._instance = instance
        self._sites = sites

    async def allowed(self, origin: str) -> str | None:
        """What a browser is told: every origin, this one, or, with None, not this one."""
        sites = await self._sites()
        if ANY_ORIGIN in self._instance and ANY_ORIGIN in sites:
            return ANY_ORIGIN
        if allows_origin(self._instance, origin) and allows_origin(sites, origin):
            return origin
        return None

    async def check(self, caller: Caller) -> None:
        """Raises ForbiddenError for a page of an origin that no key may be used from."""
        origin = caller.headers.get("origin")
        if origin is None or _is_own(caller, origin):
            return
        if await self.allowed(origin) is None:
            raise ForbiddenError("Pages of this origin may not connect.")


def headers_for_page(allowed: str | None, scope: Mapping[str, Any]) -> dict[str, str]:
    """What an answer to a page of another origin says, once the request of this scope is answered."""
    if allowed is None or scope.get(REFUSED):
        return {"Vary": "Origin"}
    return {"Vary": "Origin", "Access-Control-Allow-Origin": allowed}


class Cors:
    """Answers preflights, and says in every answer to a page whether it may read it."""

    def __init__(self, app: ASGIApp, origins: Origins, headers: Iterable[str]) -> None:
        self._app = app
        self._origins = origins
        self._headers = ", ".join(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if "origin" not in headers:
            await self._app(scope, receive, send)
            return
        allowed = await self._origins.allowed(headers["origin"])
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight(allowed)(scope, receive, send)
            return

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                said = headers_for_page(allowed, scope)
                answer.add_vary_header(said.pop("Vary"))
                answer.update(said)
            await send(message)

        await self._app(scope, receive, send_with_header)

    def _preflight(self, allowed: str | None) -> Response:
        if allowed is None:
            return Response(status_code=403, headers={"Vary": "Origin"})
        return Response(
            headers={
                "Access-Control-Allow-Origin": allowed,
                "Access-Control-Allow-Methods": METHODS,
                "Access-Control-Allow-Headers": self._headers,
                "Access-Control-Max-Age": PREFLIGHT_SECONDS,
                "Vary": "Origin",
            }
        )
