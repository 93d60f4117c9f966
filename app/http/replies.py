"""An answer: as Starlette's response, or as the bytes that a connection sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.http.headers import with_defaults

# What the server itself says in every answer: its name, and the time. Another object each second.
ServerHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and headers of an answer."""

    status: int
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        return Response(self.body, self.status, dict(self.headers), self.media_type)

    def head(self, server_headers: ServerHeaders) -> bytes:
        """Status line and headers as HTTP/1.1 has them, all but the length of the body."""
        own = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        own.append((b"content-type", self.media_type.encode()))
        lines = [b"%s: %s\r\n" % header for header in (*server_headers, *with_defaults(own))]
        return b"".join((STATUS_LINE[self.status], *lines))


class Encoder:
    """Makes replies bytes. Heads without headers of their own are few, and kept while they hold."""

    def __init__(self) -> None:
        self._server_headers: ServerHeaders = ()
        self._heads: dict[tuple[int, str], bytes] = {}

    def encode(self, reply: Reply, server_headers: ServerHeaders, *, closes: bool) -> bytes:
        """The whole answer, which `closes` the connection or not."""
        if server_headers is not self._server_headers:
            self._server_headers = server_headers
            self._heads.clear()
        kind = (reply.status, reply.media_type)
        head = None if reply.headers else self._heads.get(kind)
        if head is None:
            head = reply.head(server_headers)
            if not reply.headers:
                self._heads[kind] = head
        end = b"connection: close\r\n" if closes else b""
        return b"%scontent-length: %d\r\n%s\r\n%s" % (head, len(reply.body), end, reply.body)
