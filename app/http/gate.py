"""How many requests a process answers at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.telemetry import REFUSED_REQUESTS, REQUESTS
from app.http.refusals import too_busy

# They say how the process is, most of all when it has too much to do.
ALWAYS_OPEN = "/health/"


class Gate:
    """Answers 503 at once where as many requests are under way as may be.

    A queue would only let every one of them wait longer than its client does.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_OPEN):
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            REFUSED_REQUESTS.inc()
            refusal = too_busy("Too many requests are under way. Try again.")
            await refusal.response()(scope, receive, send)
            return
        self._under_way += 1
        REQUESTS.inc()
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            REQUESTS.dec()
