"""The load: keep-alive connections that each send the next prepared request when the last is answered.

Runs in a process of its own, with plain sockets and nothing to compute while it measures, so that it
takes as little as possible of what it measures.
"""

import gc
import math
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import orjson
import psutil

from tests.bench.events import impressions

HOST = "127.0.0.1"
GRACE_SECONDS = 30  # for the answers that are still due when the time is over
ACCEPT_SECONDS = 1.0  # until a server has taken a connection
MOST_CONNECTIONS = 1_000  # that are tried until every worker has its share
RESULT = "verdict eventId reason message"
TRACK_IMPRESSION = (
    f"mutation ($input: TrackInput!) {{ trackImpression(input: $input) {{ {RESULT} }} }}"
)
TRACK_BATCH = (
    "mutation ($input: BatchInput!) { trackBatch(input: $input) "
    f"{{ accepted duplicates rejected results {{ {RESULT} }} }} }}"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send to a port: `events` impressions, for at most so many seconds."""

    port: int
    workers: Sequence[int]  # the processes that listen there
    key: str
    seed: str
    connections: int
    events: int
    seconds: float
    batch_size: int = 1  # 1: trackImpression; more: trackBatch
    repeats: bool = False  # begin again when all are sent: for who does not look at them


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that was answered ACCEPTED."""

    id: str
    session: str
    item: str


@dataclass(slots=True)
class Load:
    """What came of a plan. `rate` counts events, within the time; latencies are seconds a request."""

    rate: float = 0.0
    requests: int = 0
    latencies: list[float] = field(default_factory=list)
    accepted: list[Sent] = field(default_factory=list)
    # UNAVAILABLE: whether these are stored is not known. What else was not accepted, and how often.
    unavailable: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0  # of the generator, while it measured


class BrokenConnectionError(Exception):
    """The server closed a connection, or did not answer in time."""


class Connection:
    """One socket, the request on its way and as much of its answer as has come."""

    __slots__ = ("answer", "place", "sent_at", "socket", "unsent")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.unsent: memoryview | None = None
        self.answer = b""
        self.place = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> bool:
        """Begin to send; whether all of it went out at once."""
        self.sent_at = time.perf_counter()
        self.unsent = memoryview(request)
        return self.send_more()

    def send_more(self) -> bool:
        while self.unsent:
            try:
                count = self.socket.send(self.unsent)
            except BlockingIOError:
                return False
            self.unsent = self.unsent[count:]
        self.unsent = None
        return True

    def receive(self) -> bytes | None:
        """The whole answer once all of it has come: headers and body."""
        received = self.socket.recv(262_144)
        if not received:
            raise BrokenConnectionError("the server closed a connection")
        self.answer = answer = self.answer + received if self.answer else received
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return None
        start = answer.find(b"content-length: ", 0, end) + 16
        if start < 16:
            raise BrokenConnectionError("an answer came without its length")
        if len(answer) < end + 4 + int(answer[start : answer.find(b"\r", start)]):
            return None
        self.answer = b""
        return answer


def drive(plan: Plan) -> Load:
    """Send what the plan says; everything is prepared before the clock starts, and read after."""
    batches = batches_of(plan)
    requests = [request_of(plan, batch) for batch in batches]
    connections = connect(plan)
    gc.collect()
    gc.disable()
    try:
        load, answers = _measure(plan, requests, connections)
    finally:
        gc.enable()
        for connection in connections:
            connection.socket.close()
    if not plan.repeats:
        for place, answer in answers:
            take_answer(load, batches[place], answer)
    return load


def connect(plan: Plan) -> list[Connection]:
    """Open the connections, as many to each worker of the server as to any other.

    The workers accept from one socket, and whoever is quickest takes a connection: with few of them
    one worker may get all, and then the luck of a run would be measured.
    """
    share = math.ceil(plan.connections / len(plan.workers))
    taken: Counter[int] = Counter()
    chosen: list[Connection] = []
    for _ in range(MOST_CONNECTIONS):
        connection = Connection(plan.port)
        worker = _worker_of(connection, plan.workers)
        if taken[worker] == share:
            connection.socket.close()
            continue
        taken[worker] += 1
        chosen.append(connection)
        if len(chosen) == plan.connections:
            return chosen
    raise BrokenConnectionError("a worker of the server takes no connections")


def _worker_of(connection: Connection, workers: Sequence[int]) -> int:
    """Which process has the other end of a connection."""
    own_port = connection.socket.getsockname()[1]
    deadline = time.monotonic() + ACCEPT_SECONDS
    while time.monotonic() < deadline:
        for worker in workers:
            theirs = psutil.Process(worker).net_connections("tcp")
            if any(other.raddr and other.raddr.port == own_port for other in theirs):
                return worker
    raise BrokenConnectionError("the server took no connection")


def _measure(
    plan: Plan, requests: Sequence[bytes], connections: Sequence[Connection]
) -> tuple[Load, list[tuple[int, bytes]]]:
    """Keep every connection busy until the time is over or everything is sent."""
    load, answers = Load(), []
    places: Iterator[int] = iter(range(len(requests)))
    if plan.repeats:
        places = cycle(range(len(requests)))
    selector = selectors.DefaultSelector()
    cpu_began = time.process_time()
    began = now = time.perf_counter()
    end = began + plan.seconds
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    under_way = sum(_send_next(c, requests, places, selector) for c in connections)
    in_time = 0
    last = began
    while under_way:
        ready = selector.select(GRACE_SECONDS)
        if not ready:
            raise BrokenConnectionError(f"no answer within {GRACE_SECONDS} s")
        for key, events in ready:
            connection = key.data
            if events & selectors.EVENT_WRITE and connection.send_more():
                selector.modify(connection.socket, selectors.EVENT_READ, connection)
            if not events & selectors.EVENT_READ:
                continue
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            load.latencies.append(now - connection.sent_at)
            answers.append((connection.place, answer))
            if now <= end:
                in_time, last = in_time + 1, now
            if now >= end or not _send_next(connection, requests, places, selector):
                under_way -= 1
    load.cpu_seconds = time.process_time() - cpu_began
    load.requests = len(answers)
    # Where the time was not up, everything had been sent before, and the last answer ends it.
    load.rate = in_time * plan.batch_size / ((end if now >= end else last) - began)
    return load, answers


def _send_next(
    connection: Connection,
    requests: Sequence[bytes],
    places: Iterator[int],
    selector: selectors.BaseSelector,
) -> bool:
    """Send the next request on this connection; False where there is none left."""
    place = next(places, None)
    if place is None:
        return False
    connection.place = place
    if not connection.send(requests[place]):
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.modify(connection.socket, both, connection)
    return True


def batches_of(plan: Plan) -> list[list[dict[str, Any]]]:
    """The events of each request."""
    events = islice(impressions(plan.seed), plan.events)
    return list(iter(lambda: list(islice(events, plan.batch_size)), []))


def request_of(plan: Plan, batch: list[dict[str, Any]]) -> bytes:
    """The bytes of one HTTP request."""
    if plan.batch_size == 1:
        query, sent = TRACK_IMPRESSION, batch[0]
    else:
        query, sent = TRACK_BATCH, {"events": [{"type": "IMPRESSION", **e} for e in batch]}
    body = orjson.dumps({"query": query, "variables": {"input": sent}})
    head = (
        "POST /graphql HTTP/1.1\r\n"
        f"Host: {HOST}:{plan.port}\r\n"
        f"Authorization: Bearer {plan.key}\r\n"
        "Content-Type: application/json\r\n"
        "Accept: */*\r\n"
        "User-Agent: footfall-bench\r\n"
        f"Content-Length: {len(body)}\r\n"
        "\r\n"
    )
    return head.encode() + body


def take_answer(load: Load, batch: Sequence[dict[str, Any]], answer: bytes) -> None:
    """Note which events of a request were accepted, and what became of the others."""
    head, _, body = answer.partition(b"\r\n\r\n")
    read = orjson.loads(body)
    if read.get("errors"):
        codes = {error["extensions"]["code"] for error in read["errors"]}
        if codes == {"UNAVAILABLE"}:
            load.unavailable += [event["id"] for event in batch]
        else:
            load.refused[" ".join([head.split(b" ", 2)[1].decode(), *codes])] += len(batch)
        return
    [result] = read["data"].values()
    results = result.get("results", [result])
    for event, outcome in zip(batch, results, strict=True):
        if outcome["verdict"] == "ACCEPTED" and outcome["eventId"] == event["id"]:
            load.accepted.append(Sent(event["id"], event["sessionId"], event["itemId"]))
        else:
            load.refused[f"{outcome['verdict']} {outcome['reason']}"] += 1
