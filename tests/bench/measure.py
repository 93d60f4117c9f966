"""The measurements: each load several times, in turn with what it is compared with.

What disturbs the machine for a moment disturbs both, so that their ratio stands more firmly than either.
Where other programs take too much of the machine, both are measured again.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from multiprocessing import get_context
from operator import add

import psutil

from tests.bench import meter
from tests.bench.arrivals import Crowd, Crowded, crowd
from tests.bench.dashboard import watching_dashboard
from tests.bench.generator import Load, Plan, Sent, drive
from tests.bench.meter import Reading
from tests.bench.raw import RawInserts
from tests.bench.servers import Servers, workers

CONNECTIONS = (1, 16, 64)
# Events a batch, and the connections that send such batches at the same time.
BATCHES = {100: 16, 1_000: 8}
MOST_EVENTS_A_SECOND = 4_000  # so many single ones are prepared
BARE_REQUESTS = 2_000
WARM_UP_SECONDS = 2.0
WARM_UP_EVENTS = 50_000
FILL_EVENTS = 100_000  # are prepared at once
STEADY_RATE = 1_000.0
STEADY_CONNECTIONS = 128
CROWD_CONNECTIONS = 2_400  # more than all workers answer at once
CROWD_TIMES = 5
LONGEST_SECONDS = 120.0
MOST_OTHERS = 0.06  # of the machine, that other programs may take without being a disturbance
QUIET_SECONDS = 1.0

Advance = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Round:
    """A load, and what it is compared with, measured one after the other.

    `others` is the part of the machine that other programs took meanwhile; `bare_seconds` are the
    processor seconds of the bare server.
    """

    load: Load
    compared: Load
    used: Reading
    others: float
    bare_seconds: float = 0.0

    @property
    def share(self) -> float:
        return self.load.rate / self.compared.rate


@dataclass(slots=True)
class Measured:
    """One kind of load, round by round."""

    name: str
    connections: int
    batch_size: int = 1
    rounds: list[Round] = field(default_factory=list)

    @property
    def latencies(self) -> list[float]:
        """Seconds of all requests."""
        return [seconds for r in self.rounds for seconds in r.load.latencies]

    @property
    def events(self) -> int:
        return sum(len(r.load.accepted) for r in self.rounds)

    @property
    def used(self) -> Reading:
        """What all rounds together took."""
        return reduce(add, [r.used for r in self.rounds])


class Patience:
    """Seconds that a run may wait for other programs, in all."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait_until_quiet(self) -> None:
        """Wait for the machine to have nothing to do, as long as there is patience left."""
        while self._left > 0:
            began = time.monotonic()
            busy = psutil.cpu_percent(QUIET_SECONDS) / 100
            if busy <= MOST_OTHERS:
                return
            self.spend(time.monotonic() - began)

    def spend(self, seconds: float) -> None:
        self._left -= seconds

    @property
    def is_left(self) -> bool:
        return self._left > 0


class Bench:
    """Runs the loads and keeps what came of them."""

    def __init__(
        self,
        servers: Servers,
        raw: RawInserts,
        generator: ProcessPoolExecutor,
        patience: Patience,
        advance: Advance,
    ) -> None:
        self._servers = servers
        self._raw = raw
        self._generator = generator
        self._patience = patience
        self._advance = advance
        self._plans = 0
        self.singles = [Measured(f"single at {count}", count) for count in CONNECTIONS]
        self.batches = [
            Measured(f"batches of {size:,}", count, size) for size, count in BATCHES.items()
        ]
        # Set by a_steady_crowd and too_large_a_crowd.
        self.steady = Crowded(STEADY_RATE)
        self.overload = Crowded(0)
        self.recovered = Load()
        self.accepted: list[Sent] = []
        self.unavailable: list[str] = []
        self.trouble: list[str] = []

    @staticmethod
    def steps(rounds: int) -> int:
        """How often `advance` is called."""
        return 5 + rounds * (len(CONNECTIONS) + len(BATCHES))

    def warm_up(self) -> None:
        """Fill the caches of all workers, as in a server that has run for a while."""
        self._advance("warming up")
        most = max(CONNECTIONS)
        self._track(most, 10_000, WARM_UP_SECONDS)
        self._track(4, WARM_UP_EVENTS, LONGEST_SECONDS, 1_000)
        self._bare(most, WARM_UP_SECONDS / 4)

    def round(self, seconds: float, batch_events: int) -> None:
        """Every load once: single ones for so many seconds, batches of so many events in all."""
        for measured in self.singles:
            self._advance(measured.name)
            self._until_undisturbed(measured, lambda m: self._single(m, seconds))
        for measured in self.batches:
            self._advance(measured.name)
            self._until_undisturbed(measured, lambda m: self._batches(m, batch_events))

    def a_steady_crowd(self, seconds: float) -> None:
        """So many events a second, while rollups run and a dashboard asks for a report each second."""
        self._advance("a steady load")
        with watching_dashboard(self._servers):
            self.steady = self._crowd(STEADY_RATE, seconds, STEADY_CONNECTIONS)

    def too_large_a_crowd(self, seconds: float) -> None:
        """Five times the events that the busiest load had accepted, and then that load again."""
        self._advance("more than it can take")
        rate = CROWD_TIMES * self.peak
        self.overload = self._crowd(rate, seconds, CROWD_CONNECTIONS)
        self.recovered = self._track(max(CONNECTIONS), int(seconds * MOST_EVENTS_A_SECOND), seconds)

    @property
    def peak(self) -> float:
        """Single events a second with the most connections."""
        return statistics.median(r.load.rate for r in self.singles[-1].rounds)

    def fill(self, events: int) -> None:
        """Track so many events in large batches."""
        self._advance("filling")
        size = max(BATCHES)
        for place in range(0, events, FILL_EVENTS):
            count = min(FILL_EVENTS, events - place)
            self._track(BATCHES[size], count, LONGEST_SECONDS, size)

    def _crowd(self, rate: float, seconds: float, connections: int) -> Crowded:
        self._plans += 1
        plan = self._plan(connections, int(rate * seconds), seconds)
        result = self._generator.submit(crowd, Crowd(plan, rate)).result()
        self._note(result.accepted, result.unavailable, result.others)
        return result

    def _until_undisturbed(self, measured: Measured, run: Callable[[Measured], Round]) -> None:
        """Measure, and once more where other programs had too much of the machine."""
        while True:
            self._patience.wait_until_quiet()
            began = time.monotonic()
            round_ = run(measured)
            if round_.others <= MOST_OTHERS or not self._patience.is_left:
                measured.rounds.append(round_)
                return
            self._patience.spend(time.monotonic() - began)

    def _single(self, measured: Measured, seconds: float) -> Round:
        """Single events, compared with a bare answer."""
        with _disturbance() as others:
            bare_seconds = meter.processor_seconds(self._servers.bare.pid)
            bare = self._bare(measured.connections, seconds / 2)
            bare_seconds = meter.processor_seconds(self._servers.bare.pid) - bare_seconds
            before = meter.read(self._servers)
            events = int(seconds * MOST_EVENTS_A_SECOND)
            load = self._track(measured.connections, events, seconds)
            used = meter.read(self._servers) - before
        return Round(load, bare, used, others[0], bare_seconds)

    def _batches(self, measured: Measured, events: int) -> Round:
        """Batches, compared with inserts of the same documents without the API."""
        size = measured.batch_size
        events = max(events // size, measured.connections) * size
        with _disturbance() as others:
            before = meter.read(self._servers)
            load = self._track(measured.connections, events, LONGEST_SECONDS, size)
            used = meter.read(self._servers) - before
            raw = Load(rate=self._raw.rate([sent.id for sent in load.accepted], size))
        return Round(load, raw, used, others[0])

    def _track(self, connections: int, events: int, seconds: float, batch_size: int = 1) -> Load:
        """Drive the API, with events that were not sent before."""
        self._plans += 1
        load = self._drive(self._plan(connections, events, seconds, batch_size))
        self._note(load.accepted, load.unavailable, load.refused)
        return load

    def _plan(self, connections: int, events: int, seconds: float, batch_size: int = 1) -> Plan:
        return Plan(
            self._servers.api_port,
            workers(self._servers.api.process.pid),
            self._servers.api.write_key,
            f"events {self._plans}",
            connections,
            events,
            seconds,
            batch_size,
        )

    def _note(
        self, accepted: list[Sent], unavailable: list[str], refused: Mapping[str, int]
    ) -> None:
        self.accepted += accepted
        self.unavailable += unavailable
        self.trouble += [f"{count} events: {what}" for what, count in refused.items()]

    def _bare(self, connections: int, seconds: float) -> Load:
        """Drive the bare server with the same requests, over and over."""
        port, key = self._servers.bare_port, self._servers.api.write_key
        processes = workers(self._servers.bare.pid)
        plan = Plan(port, processes, key, "bare", connections, BARE_REQUESTS, seconds, repeats=True)
        return self._drive(plan)

    def _drive(self, plan: Plan) -> Load:
        return self._generator.submit(drive, plan).result()


@contextmanager
def _disturbance() -> Iterator[Sequence[float]]:
    """When the block has ended, the one number is the part of the machine that others took in it."""
    others: list[float] = []
    began, machine, ours = time.monotonic(), meter.machine_seconds(), _our_seconds()
    yield others
    machine, ours = meter.machine_seconds() - machine, _our_seconds() - ours
    seconds = (time.monotonic() - began) * cores()
    others.append(max(0.0, machine - ours) / seconds)


def _our_seconds() -> float:
    """Processor seconds of this process and everything that it has started."""
    return meter.processor_seconds(os.getpid())


@contextmanager
def generator_process() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield pool


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
