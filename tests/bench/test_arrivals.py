"""A crowd that comes at a constant rate: whoever waits is counted from when it was due."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from tests.bench.arrivals import Crowd, Crowded, crowd
from tests.bench.bars import percentiles
from tests.bench.generator import Plan

STALL = 0.3


def _answer(verdict: str, event_id: str) -> bytes:
    result = {"verdict": verdict, "eventId": event_id, "reason": None, "message": None}
    body = orjson.dumps({"data": {"trackImpression": result}})
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _busy(retry: bytes) -> bytes:
    body = orjson.dumps({"errors": [{"message": "", "extensions": {"code": "UNAVAILABLE"}}]})
    head = b"HTTP/1.1 503 Busy\r\n%scontent-length: %d\r\n\r\n" % (retry, len(body))
    return head + body


@contextmanager
def server(*answers: bytes | None, stall: float = 0) -> Iterator[int]:
    """Answers one connection's requests, the first only after the stall; None: ACCEPTED. Its port."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for place, answer in enumerate(answers):
                _, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
                if place == 0:
                    time.sleep(stall)
                event = orjson.loads(body)["variables"]["input"]["id"]
                connection.sendall(answer or _answer("ACCEPTED", event))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def come(port: int, events: int) -> Crowded:
    """So many events at 100 a second over one connection."""
    return crowd(Crowd(Plan(port, [], "key", "seed", 1, events, 1), 100))


def test_who_comes_while_the_server_stands_still_waits_from_when_it_was_due() -> None:
    """All that were due during the stall have its rest in their latencies, not only the first."""
    with server(*[None] * 10, stall=STALL) as port:
        result = come(port, 10)
    assert len(result.accepted) == len(result.answered) == 10
    assert min(result.answered) >= STALL - 10 / 100
    assert percentiles(result.answered)[49] >= STALL - 10 / 100


def test_the_refused_are_told_apart() -> None:
    """503 is no latency of an answer; without Retry-After it is noted; its event may be stored or not."""
    with server(None, _busy(b"retry-after: 5\r\n"), _busy(b"")) as port:
        result = come(port, 3)
    assert (len(result.answered), len(result.refused)) == (1, 2)
    assert result.without_retry_after == 1
    assert len(result.unavailable) == 2
    assert not result.others
