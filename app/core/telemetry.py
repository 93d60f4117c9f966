"""What the process tells of its work: how events end, and where their time goes.

Counted by prometheus-client; with several workers their numbers are added up (docs/settings.md). What every
request counts is added up first, and written once in a turn of the event loop: with several workers
each number is in a file, and a dozen of them took a tenth of the time of an event.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import prometheus_client
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client import Counter as Metric

EVENTS = Metric("footfall_events", "Events by how they ended.", ["verdict", "reason"])
STEP_SECONDS = Histogram(
    "footfall_step_seconds",
    "Seconds that a step of the pipeline took for the events of one group, or of the requests that "
    "came at the same time.",
    ["step"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
GROUP_EVENTS = Histogram(
    "footfall_group_events",
    "Events that shared one write.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
ROLLED_UP_EVENTS = Metric(
    "footfall_rolled_up_events", "Events that quarters of an hour were computed from, each time."
)
ROLLUP_SECONDS = Histogram(
    "footfall_rollup_seconds",
    "Seconds that rolling up took: quarters of an hour of one day, a day, or a week.",
    ["level"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100),
)
# They are of the database: whichever process was asked last has them right.
WAITING_MARKS = Gauge(
    "footfall_rollup_marks",
    "Quarters of an hour, days and weeks that have changed and are not rolled up yet.",
    ["level"],
    multiprocess_mode="mostrecent",
)
OLDEST_CHANGE_SECONDS = Gauge(
    "footfall_rollup_oldest_change_seconds",
    "Age of the change that has waited longest, of those that may be rolled up; 0 without any.",
    multiprocess_mode="mostrecent",
)
REPORT_CACHE = Metric(
    "footfall_report_cache",
    "Reports of finished periods by whether their answer was kept (hit) or computed (miss).",
    ["outcome"],
)
REQUESTS = Gauge(
    "footfall_requests_under_way",
    "HTTP requests, without those for /health and /metrics, and operations on sockets that are being "
    "answered.",
    multiprocess_mode="livesum",
)
REFUSED_REQUESTS = Metric(
    "footfall_refused_requests",
    "The same that were refused at once, because FOOTFALL_MAX_CONCURRENCY were under way.",
)


class _Unwritten:
    """What was counted in this turn of the event loop, and is written at its end."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._amounts: dict[Metric | Gauge, float] = {}
        self._seconds: dict[Histogram, float] = {}

    def count(self, metric: Metric | Gauge, amount: float) -> None:
        self._amounts[metric] = self._amounts.get(metric, 0) + amount
        self._write_soon()

    def observe(self, metric: Histogram, seconds: float) -> None:
        self._seconds[metric] = self._seconds.get(metric, 0) + seconds
        self._write_soon()

    def write(self) -> None:
        self._loop = None
        amounts, self._amounts = self._amounts, {}
        seconds, self._seconds = self._seconds, {}
        for metric, amount in amounts.items():
            metric.inc(amount)
        for histogram, sum_ in seconds.items():
            histogram.observe(sum_)

    def _write_soon(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write()
            return
        if loop is not self._loop:
            self._loop = loop
            loop.call_soon(self.write)


_unwritten = _Unwritten()


def count_begun() -> None:
    """A request is under way."""
    _unwritten.count(REQUESTS, 1)


def count_ended() -> None:
    """A request is under way no more."""
    _unwritten.count(REQUESTS, -1)


def count_refused() -> None:
    """A request was answered 503 at once."""
    _unwritten.count(REFUSED_REQUESTS, 1)


@cache
def _seconds_of(step: str) -> Histogram:
    """Looking the step up each time takes longer than counting it."""
    return STEP_SECONDS.labels(step)


@cache
def _events_ended(verdict: str, reason: str) -> Metric:
    return EVENTS.labels(verdict, reason)


@contextmanager
def timed(step: str) -> Iterator[None]:
    """`with timed("write"):` the seconds that the block took count for this step."""
    began = time.perf_counter()
    try:
        yield
    finally:
        _seconds_of(step).observe(time.perf_counter() - began)


class StepTimes:
    """The time of steps that run event by event, added up for one request."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def start(self) -> None:
        self._since = time.perf_counter()

    def end(self, step: str) -> None:
        """What passed since the last start or end was this step's."""
        now = time.perf_counter()
        self._seconds[step] = self._seconds.get(step, 0.0) + now - self._since
        self._since = now

    def publish(self) -> None:
        for step, seconds in self._seconds.items():
            _unwritten.observe(_seconds_of(step), seconds)


def count_endings(endings: Counter[tuple[str, str]]) -> None:
    """Count events by (verdict, reason); the reason of accepted ones is empty."""
    for (verdict, reason), count in endings.items():
        _unwritten.count(_events_ended(verdict, reason), count)


def exposition() -> tuple[bytes, str]:
    """All numbers of all workers in Prometheus' text form, and its media type."""
    _unwritten.write()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(), prometheus_client.CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), prometheus_client.CONTENT_TYPE_LATEST
