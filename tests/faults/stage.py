"""What a scenario acts on, and what it leaves behind."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.faults.replica_set import ReplicaSet
from tests.faults.servers import ApiServer
from tests.faults.traffic import Traffic
from tests.faults.workload import MIXTURE, Shape

ANSWER_IN_TIME_SECONDS = 5.5  # 5 s promised, and half a second for two busy cores


@dataclass(slots=True)
class Stage:
    """The running system of one scenario, with the traffic going on."""

    replica_set: ReplicaSet
    servers: list[ApiServer]
    traffic: Traffic
    database: str
    random: random.Random
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # Moments (monotonic) from which it is measured how long it takes until events are accepted again.
    recovering_since: list[float] = field(default_factory=list)

    def recovers_from_now(self) -> None:
        self.recovering_since.append(time.monotonic())

    def note(self, text: str) -> None:
        self.notes.append(text)

    def expect(self, holds: bool, otherwise: str) -> None:
        """A claim of this scenario alone, beside those that are checked after every one."""
        if not holds:
            self.failures.append(otherwise)

    async def heal(self) -> None:
        await asyncio.to_thread(self.replica_set.heal)


Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong while events come in."""

    name: str
    title: str
    meaning: str  # what is done and what must hold, for docs/reliability.md
    act: Act
    variants: tuple[str | None, str | None] = (None, None)  # of the two APIs (variants.py)
    shape: Shape = MIXTURE
    most_events: int = 12_000
    drops_answers: bool = False  # the clients talk to proxies that swallow answers
    disk_mb: int | None = None  # on a replica set of its own, with disks this small
    must_fail: str | None = None  # a control: which number must not be zero


@dataclass(slots=True)
class Result:
    """A row of the table."""

    name: str
    title: str
    meaning: str
    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    broken: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    unsent: int = 0
    recovery: float | None = None
    slowest: float = 0.0
    seconds: float = 0.0
    verdict: str = ""
    as_it_must: bool = True
    notes: list[str] = field(default_factory=list)
