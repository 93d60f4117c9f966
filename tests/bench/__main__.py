"""`python -m tests.bench`: measure, check, and print; `--record` writes it into docs/performance.md."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pymongo import MongoClient
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench.bars import Judged
from tests.bench.checks import compare, sizes
from tests.bench.measure import Advance, Bench, Patience, generator_process
from tests.bench.meter import workers_memory
from tests.bench.raw import raw_inserts
from tests.bench.report import Results, show, write_page
from tests.bench.servers import Servers, running_servers

console = Console()

BATCH_EVENTS = 30_000  # of each kind of batches, each round
# Until the workers' memory of what was accepted lately is full.
SETTLING_EVENTS = 300_000


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much is measured: see the options."""

    events: int
    duration: float
    rounds: int
    patience: float


def main(
    events: Annotated[
        int,
        typer.Option(
            envvar="EVENTS",
            min=10_000,
            max=10_000_000,
            help="Events tracked in the end, for memory and room.",
        ),
    ] = 1_000_000,
    duration: Annotated[
        float,
        typer.Option(
            envvar="DURATION", min=1, max=60, help="Seconds of each load of single events."
        ),
    ] = 3,
    rounds: Annotated[
        int, typer.Option(envvar="ROUNDS", min=1, max=20, help="How often each load is measured.")
    ] = 3,
    patience: Annotated[
        float,
        typer.Option(
            envvar="PATIENCE",
            min=0,
            max=7_200,
            help="Seconds to wait, in all, while other programs keep the machine busy.",
        ),
    ] = 60,
    record: Annotated[
        bool, typer.Option("--record", help="Write the tables into docs/performance.md.")
    ] = False,
) -> None:
    """How fast tracking is, as shares of what this machine could do at best."""
    for name in list(os.environ):
        if name.startswith(("FOOTFALL_", "ANALYTICS_")):
            del os.environ[name]  # settings of the machine must not decide what is measured
    # So that what was started is ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="footfall-bench-") as folder,
        _progress(Bench.steps(rounds)) as advance,
        running_servers(Path(folder)) as servers,
    ):
        results, trouble = _run(servers, advance, Sizing(events, duration, rounds, patience), began)
    show(console, results)
    for what in trouble:
        console.print(what, style="red", highlight=False)
    if trouble or not results.findings.exact:
        raise typer.Exit(1)
    if record:
        write_page(results)


def _run(
    servers: Servers, advance: Advance, sizing: Sizing, began: float
) -> tuple[Results, list[str]]:
    """All rounds, then the checks; also what was not accepted, which must be nothing."""
    api = servers.api.process.pid
    with generator_process() as generator, raw_inserts(servers.mongo_url) as raw:
        bench = Bench(servers, raw, generator, Patience(sizing.patience), advance)
        bench.warm_up()
        for _ in range(sizing.rounds):
            bench.round(sizing.duration, BATCH_EVENTS)
        bench.a_steady_crowd(2 * sizing.duration)
        bench.too_large_a_crowd(sizing.duration)
        bench.fill(SETTLING_EVENTS)
        memory_before = workers_memory(api)
        bench.fill(sizing.events)
        memory_after = workers_memory(api)
    with MongoClient(servers.mongo_url) as client:
        mongod = str(client.server_info()["version"])
    findings = compare(servers, bench.accepted, bench.unavailable)
    judged = Judged(
        singles=bench.singles,
        batches=bench.batches,
        steady=bench.steady,
        overload=bench.overload,
        recovered=bench.recovered,
        peak=bench.peak,
        memory_before=memory_before,
        memory_after=memory_after,
        sizes=sizes(servers),
    )
    results = Results(
        judged=judged,
        findings=findings,
        mongod=mongod,
        seconds=time.monotonic() - began,
        rounds=sizing.rounds,
    )
    return results, bench.trouble


@contextmanager
def _progress(steps: int) -> Iterator[Advance]:
    """A bar that is told what begins now."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=steps)
        begun = 0

        def advance(what: str) -> None:
            nonlocal begun
            progress.update(task, completed=begun, description=what)
            begun += 1

        yield advance
        progress.update(task, completed=steps, description="done")


if __name__ == "__main__":
    typer.run(main)
