"""How many requests a process answers at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.telemetry import count_begun, count_ended, count_refused
from app.http.refusals import too_busy

# They say how the process is, most of all when it has too much to do.
ALWAYS_OPEN = ("/health/", "/metrics")
TOO_BUSY = "Too many requests are under way. Try again."
FULL = too_busy(TOO_BUSY).reply()


class Places:
    """Of as many as may be under way. Whoever takes one gives it back.

    A queue would only let every request wait longer than its client does.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    def take(self) -> bool:
        """Whether there was one; where there was none, that is counted."""
        if self._taken >= self._most:
            count_refused()
            return False
        self._taken += 1
        count_begun()
        return True

    def give_back(self) -> None:
        self._taken -= 1
        count_ended()


class Gate:
    """Answers 503 at once where there is no place. Operations on sockets take theirs (socket_handler.py)."""

    def __init__(self, app: ASGIApp, places: Places) -> None:
        self._app = app
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_OPEN):
            await self._app(scope, receive, send)
        elif self._places.take():
            try:
                await self._app(scope, receive, send)
            finally:
                self._places.give_back()
        else:
            await FULL.response()(scope, receive, send)
