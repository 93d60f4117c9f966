"""uvicorn's WebSocket connection, with an end for peers that do not read."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# A peer that leaves more unread than its and our buffers hold is waited for so long, ...
STALLED_SECONDS = 30.0
# ... and one that does not answer pings, once it has been told, so long.
FAREWELL_SECONDS = 5.0


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Ends a connection that nothing can be sent on.

    While a transport's buffer is full, whoever sends waits, and closing waits as well: with a peer
    that never reads both would wait for ever, and hold what is to be sent.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._abort_timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort_in(STALLED_SECONDS)

    def resume_writing(self) -> None:
        self._cancel_abort()
        super().resume_writing()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_in(FAREWELL_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_abort()
        super().connection_lost(exc)

    def _abort_in(self, seconds: float) -> None:
        if self._abort_timer is None:
            self._abort_timer = self.loop.call_later(seconds, self.transport.abort)

    def _cancel_abort(self) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
            self._abort_timer = None
