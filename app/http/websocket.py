"""uvicorn's WebSocket connection, with an end for peers that do not read or cannot write."""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.http.cut_off import CutOff

# A peer that leaves more unread than its and our buffers hold is waited for so long, ...
STALLED_SECONDS = 30.0
# ... and one that does not answer pings, once it has been told, so long.
FAREWELL_SECONDS = 5.0
INVALID_DATA = 1007  # the close code for text that is no UTF-8


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Ends a connection that nothing can be sent on.

    While a transport's buffer is full, whoever sends waits, and closing waits as well: with a peer
    that never reads both would wait for ever, and hold what is to be sent.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._cut_off = CutOff(self)

    def send_receive_event_to_app(self) -> None:
        # uvicorn would do the same, with a traceback in the log that any client could bring about.
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf_8(self.frames):
            self.frames = []
            self.conn.send_close(INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cut_off.after(STALLED_SECONDS)

    def resume_writing(self) -> None:
        self._cut_off.call_off()
        super().resume_writing()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_off.after(FAREWELL_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cut_off.call_off()
        super().connection_lost(exc)


def _is_utf_8(parts: Sequence[bytes]) -> bool:
    try:
        b"".join(parts).decode()
    except UnicodeDecodeError:
        return False
    return True
