"""uvicorn's HTTP connection, with an end for clients that are slow or endless on purpose.

uvicorn waits for ever for the rest of a request, keeps whatever comes as headers, and waits for ever for
an answer to be read. The body has a shorter deadline of its own, which is answered with 408 (bodies.py);
this one needs no answer to be possible.

A request that came whole is answered from here, without ASGI in between (whole.py), and where no more may be
under way it is refused from here.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.http.cut_off import CutOff
from app.http.gate import FULL
from app.http.whole import METHOD, PATH, WHOLE_STATE, Exchange, Headers, WholeRequest, WholeRequests

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
        self._is_arriving = False
        self._in_headers = False
        self._header_bytes = 0
        # What uvicorn writes an access log for goes through uvicorn.
        self._whole: WholeRequests | None = (
            None if self.access_log else self.app_state.get(WHOLE_STATE)
        )
        # The body so far of a request that may have come whole; None where it is uvicorn's.
        self._parts: list[bytes] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arrival.after(self._arrival_seconds)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._parts is not None:
            self._hand_over()
        if self._is_arriving:
            self._arrival.after(self._arrival_seconds)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_MANY_HEADERS)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._is_arriving = self._in_headers = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        if self._may_be_whole():
            self._parts = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        self._is_arriving = False
        self._arrival.call_off()
        if self._parts is not None and self._whole is not None:
            body = b"".join(self._parts)
            if len(body) <= self._whole.most_bytes:
                self._parts = None
                self._answer(self._whole, body)
                return
            self._hand_over()
        super().on_message_complete()

    def _may_be_whole(self) -> bool:
        """Whether it is a plain call, and its answer the next that is due on this connection."""
        return (
            self._whole is not None
            and self.url == PATH
            and self.parser.get_method() == METHOD
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
        )

    def _hand_over(self) -> None:
        """What has not come whole is uvicorn's, with what there is of it."""
        parts, self._parts = self._parts or [], None
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        for part in parts:
            super().on_body(part)

    def _answer(self, whole: WholeRequests, body: bytes) -> None:
        has_place = whole.places.take()
        if has_place or any(name == b"origin" for name, _ in self.headers):
            request = WholeRequest(self.client, Headers(self.headers), body)
            exchange: Any = Exchange(self, whole, request, has_place)
            self.cycle = exchange
            self._start_asgi_task(exchange, self.app)
            return
        refusal = whole.encoder.encode(FULL, self.server_state.default_headers, closes=False)
        self.transport.write(refusal)
        self.on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        self._is_arriving = False
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
