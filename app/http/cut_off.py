"""An end for connections on which nothing goes on."""

import asyncio
from typing import Protocol


class Connection(Protocol):
    """What is asked of uvicorn's connections."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport


class CutOff:
    """Ends a connection at once, with what waits to be sent, unless it is called off in time.

    Closing alone would wait until everything is sent, which may be never.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None

    def after(self, seconds: float) -> None:
        """From now, unless it runs already."""
        if self._timer is None:
            self._timer = self._connection.loop.call_later(
                seconds, self._connection.transport.abort
            )

    def call_off(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
