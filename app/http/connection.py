"""uvicorn's HTTP connection, with an end for clients that are slow or endless on purpose.

uvicorn waits for ever for the rest of a request, keeps whatever comes as headers, and waits for ever for
an answer to be read. The body has a shorter deadline of its own, which is answered with 408 (bodies.py);
this one needs no answer to be possible.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.http.cut_off import CutOff

MAX_HEADER_BYTES = 64 * 1024
# A request without a deadline that the application has set (main.py) has this one.
ARRIVAL_SECONDS = 15.0
# So long after it the connection is cut, where the application has not answered by then.
GRACE_SECONDS = 2.0
# A client that leaves more unread than its and our buffers hold is waited for so long.
STALLED_SECONDS = 30.0
ARRIVAL_STATE = "request_timeout"

_TOO_MANY_HEADERS = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class HttpConnection(HttpToolsProtocol):
    """Ends a connection on which a request does not arrive, or an answer is not read."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        seconds: float = self.app_state.get(ARRIVAL_STATE, ARRIVAL_SECONDS)
        self._arrival_seconds = seconds + GRACE_SECONDS
        self._arrival = CutOff(self)
        self._reading = CutOff(self)
        self._in_headers = False
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arrival.after(self._arrival_seconds)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_MANY_HEADERS)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._arrival.after(self._arrival_seconds)
        self._in_headers, self._header_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._arrival.call_off()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._arrival.call_off()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading.after(STALLED_SECONDS)

    def resume_writing(self) -> None:
        self._reading.call_off()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrival.call_off()
        self._reading.call_off()
        super().connection_lost(exc)
