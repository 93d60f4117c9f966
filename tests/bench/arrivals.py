"""The load of a crowd: requests arrive at a constant rate, whether the ones before are answered or not.

A latency is counted from when its request was due, so that a server that stands still is seen as what it
is for everyone who came meanwhile (no coordinated omission).
"""

import gc
import selectors
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.generator import (
    Connection,
    Load,
    Plan,
    Sent,
    batches_of,
    request_of,
    take_answer,
)

PATIENCE_SECONDS = 1.0  # after so long without a free connection a client has gone
GRACE_SECONDS = 30.0
OK = b"HTTP/1.1 200"


@dataclass(frozen=True, slots=True)
class Crowd:
    """The requests of a plan, `rate` a second."""

    plan: Plan
    rate: float


@dataclass(slots=True)
class Crowded:
    """What came of it. Latencies are seconds since a request was due."""

    offered: float
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)  # 503
    without_retry_after: int = 0
    gone: int = 0  # had no connection in time, and were never sent
    accepted_a_second: float = 0.0
    accepted: list[Sent] = field(default_factory=list)
    unavailable: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    # How late the generator itself was to send, at worst: what it adds to latencies.
    late: float = 0.0


def crowd(task: Crowd) -> Crowded:
    """Let them come; everything is prepared before the clock starts, and read after."""
    batches = batches_of(task.plan)
    requests = [request_of(task.plan, batch) for batch in batches]
    connections = [Connection(task.plan.port) for _ in range(task.plan.connections)]
    gc.collect()
    gc.disable()
    try:
        result, answers, ended = _Arrivals(task, requests, connections).run()
    finally:
        gc.enable()
        for connection in connections:
            connection.socket.close()
    _read(result, batches, answers)
    result.accepted_a_second = len(result.accepted) / ended
    return result


class _Arrivals:
    def __init__(
        self, task: Crowd, requests: Sequence[bytes], connections: Sequence[Connection]
    ) -> None:
        self._requests = requests
        self._interval = 1 / task.rate
        self._free = deque(connections)
        self._waiting: deque[tuple[float, int]] = deque()
        self._selector = selectors.DefaultSelector()
        for connection in connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._result = Crowded(task.rate)
        self._answers: list[tuple[int, bytes]] = []
        self._under_way = 0

    def run(self) -> tuple[Crowded, list[tuple[int, bytes]], float]:
        """What came of it, the answers by the places of their requests, and the seconds until the last."""
        began = time.perf_counter()
        next_place, count = 0, len(self._requests)
        last_answer = began
        while next_place < count or self._under_way or self._waiting:
            now = time.perf_counter()
            while next_place < count and began + next_place * self._interval <= now:
                self._waiting.append((began + next_place * self._interval, next_place))
                next_place += 1
            self._send_waiting(now)
            due = began + next_place * self._interval if next_place < count else now + GRACE_SECONDS
            ready = self._selector.select(max(0.0, due - time.perf_counter()))
            if not ready and next_place >= count:
                break  # whoever is not answered by now never will be
            for key, events in ready:
                self._go_on(key.data, events)
                last_answer = time.perf_counter()
        return self._result, self._answers, last_answer - began

    def _send_waiting(self, now: float) -> None:
        while self._waiting:
            due, place = self._waiting[0]
            if not self._free:
                if now - due <= PATIENCE_SECONDS:
                    return
                self._waiting.popleft()
                self._result.gone += 1
                continue
            self._waiting.popleft()
            connection = self._free.popleft()
            connection.place = place
            self._result.late = max(self._result.late, time.perf_counter() - due)
            whole = connection.send(self._requests[place])
            connection.sent_at = due
            self._under_way += 1
            if not whole:
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                self._selector.modify(connection.socket, both, connection)

    def _go_on(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE and connection.send_more():
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
        if not events & selectors.EVENT_READ:
            return
        answer = connection.receive()
        if answer is None:
            return
        latency = time.perf_counter() - connection.sent_at
        if answer.startswith(OK):
            self._result.answered.append(latency)
        else:
            self._result.refused.append(latency)
            self._result.without_retry_after += b"retry-after:" not in answer
        self._answers.append((connection.place, answer))
        self._under_way -= 1
        self._free.append(connection)


def _read(
    result: Crowded, batches: Sequence[list[dict[str, Any]]], answers: Sequence[tuple[int, bytes]]
) -> None:
    """Note which events were accepted, and which may or may not be stored."""
    load = Load()
    answered = set()
    for place, answer in answers:
        answered.add(place)
        take_answer(load, batches[place], answer)
    result.accepted = load.accepted
    result.others = load.refused
    unknown = [
        event["id"]
        for place, batch in enumerate(batches)
        if place not in answered
        for event in batch
    ]
    result.unavailable = load.unavailable + unknown
