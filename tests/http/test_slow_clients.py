"""Clients that are slow or endless on purpose, over real sockets."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from app.http.connection import MAX_HEADER_BYTES
from tests.conftest import LiveServer, start_server, stop_server


@pytest.fixture(scope="module")
def server(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server that waits for a request a fifth of a second."""
    started = start_server(
        mongo_url,
        f"{database_name}_slow",
        tmp_path_factory.mktemp("slow"),
        FOOTFALL_REQUEST_TIMEOUT="0.2",
    )
    yield started
    stop_server(started)


def talk(server: LiveServer, sent: bytes) -> bytes:
    """Send this, and nothing more; all that comes until the server ends the connection."""
    port = int(server.url.rpartition(":")[2])
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(sent)
        try:
            while part := connection.recv(65_536):
                received += part
        except ConnectionResetError:
            pass
    return received


def post(body: bytes, length: int | str, *more: bytes) -> bytes:
    lines = [
        b"POST /graphql HTTP/1.1", b"Host: x", b"Content-Type: application/json",
        f"Content-Length: {length}".encode(), *more, b"", body,
    ]  # fmt: skip
    return b"\r\n".join(lines)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /graph",
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
    ],
    ids=["nothing", "half a line", "half a header", "half a body that nobody reads"],
)
def test_a_request_that_does_not_arrive_ends(server: LiveServer, sent: bytes) -> None:
    """The connection is cut, whatever is missing; other clients see nothing of it."""
    assert b" 500 " not in talk(server, sent)
    assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_half_a_body_is_408(server: LiveServer) -> None:
    """The client is told, where it can be told."""
    received = talk(server, post(b'{"query":', 100))
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"LIMIT_EXCEEDED" in received


def test_endless_headers_are_431(server: LiveServer) -> None:
    """Headers beyond the bound end the connection before there is a request."""
    sent = b"GET /graphql HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (MAX_HEADER_BYTES + 1)
    assert talk(server, sent).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        post(b"{}", -1),
        post(b"{}", "1e3"),
        post(b"{}", 2, b"Transfer-Encoding: chunked"),
        post(b"zz\r\n", 2, b"Transfer-Encoding: chunked"),
    ],
    ids=["TLS", "bytes in the path", "no address", "version", "NUL", "below zero", "no number", "both", "chunk"],
)  # fmt: skip
def test_what_is_no_http_is_refused(server: LiveServer, sent: bytes) -> None:
    """400 or nothing, and no traceback in the log."""
    received = talk(server, sent)
    assert received == b"" or received.startswith(
        (b"HTTP/1.1 400", b"HTTP/1.1 415", b"HTTP/1.1 404")
    )
    assert "Traceback" not in server.log.read_text()
    assert httpx.get(f"{server.url}/health/live").status_code == 200
