"""Headers that every answer has, so that no browser takes it for what it is not."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A page says what it needs itself (pages.py); whatever else is answered needs nothing and is not kept.
DEFAULTS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


_ENCODED = [(name.lower().encode(), value.encode()) for name, value in DEFAULTS.items()]


def with_defaults(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, and each of DEFAULTS that it does not have of its own."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return [*own, *(header for header in _ENCODED if header[0] not in names)]


class SecurityHeaders:
    """Adds them to every answer of an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_defaults(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_with_headers)
