"""`python -m tests.bench.reports`: fill, roll up, ask, compare, print."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pymongo import MongoClient
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.core.embedded import EmbeddedMongo, NoMongodError
from tests.bench.report import PAGE, as_markdown, replaced, show_section
from tests.bench.reports.columns import Columns
from tests.bench.reports.filling import (
    Filled,
    Store,
    catalogue,
    empty,
    forget_rollups,
    stored_events,
)
from tests.bench.reports.measuring import Asked, measure
from tests.bench.reports.questions import questions
from tests.bench.reports.recount import Recount
from tests.bench.reports.serving import CommandError, can_rebuild, footfall, rebuild, serving
from tests.bench.reports.table import BEGIN, END, Results, Sized, remarks, run_line, sections

DEFAULT_EVENTS = (1_000_000, 10_000_000)
CACHE_GB = 4.0
LOG_LINES = 40

# Wide enough for the tables where the output goes to a file.
console = Console(width=None if sys.stdout.isatty() else 120)


def main(
    events: Annotated[
        list[int] | None,
        typer.Option(
            envvar="EVENTS",
            min=1_000,
            max=100_000_000,
            help="How many events, again for each number. Default: 1,000,000 and 10,000,000.",
        ),
    ] = None,
    calls: Annotated[
        int,
        typer.Option(envvar="CALLS", min=1, max=1_000, help="How often each report is asked for."),
    ] = 20,
    keep: Annotated[
        Path | None,
        typer.Option(
            envvar="KEEP",
            file_okay=False,
            help="Folder in which filled databases are kept, to be used by the next run.",
        ),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Write the tables into docs/performance.md.")
    ] = False,
) -> None:
    """What reports cost over few and over many events, every figure compared with a recount."""
    for name in list(os.environ):
        if name.startswith(("FOOTFALL_", "ANALYTICS_")):
            del os.environ[name]  # settings of the machine must not decide what is measured
    # So that what was started is ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    results = Results([], "", 0, calls)
    with tempfile.TemporaryDirectory(prefix="footfall-bench-") as work:
        base = Path(keep or work).absolute()
        for number in sorted(set(events or DEFAULT_EVENTS)):
            bench = Bench(Store(base, number), Path(work), calls)
            results = replace(results, sizes=[*results.sizes, bench.run()], mongod=bench.mongod)
    results = replace(results, seconds=time.monotonic() - began)
    _show(results)
    if results.trouble:
        raise typer.Exit(1)
    if record:
        block = [run_line(results), *as_markdown(sections(results), remarks(results))]
        PAGE.write_text(replaced(PAGE.read_text(), (BEGIN, END), block))


class Bench:
    """Everything with one number of events. `work` is a folder for what no other run needs."""

    def __init__(self, store: Store, work: Path, calls: int) -> None:
        self._store = store
        self._work = work
        self._calls = calls
        self.mongod = ""  # its version

    def run(self) -> Sized:
        """Fill, roll up, and ask a server that has just started: it knows no answer yet."""
        console.rule(f"{self._store.events:,} events")
        with EmbeddedMongo(self._store.folder, cache_gb=CACHE_GB, expires=False) as mongo_url:
            with MongoClient[dict[str, Any]](mongo_url) as client:
                self.mongod = str(client.server_info()["version"])
            columns, filled = self._filled(mongo_url)
            rolling = self._rolled_up(mongo_url)
            asked = self._asked(mongo_url, columns)
        return Sized(filled, rolling, asked)

    def _filled(self, mongo_url: str) -> tuple[Columns, Filled]:
        """The events in the database: those of an earlier run, else new ones."""
        store = self._store
        kept = store.kept()
        if kept is not None and stored_events(mongo_url) == store.events:
            console.print(f"They are there, and were filled in {kept[1].seconds:,.1f} s.")
            return kept
        empty(mongo_url)
        columns = store.make()
        with serving(mongo_url, self._work):
            pass  # it has made the site, the keys and all indexes
        items = self._work / "items.csv"
        catalogue(items)
        footfall(mongo_url, self._work, "import", "items", str(items))
        with _progress("events") as bar:
            task = bar.add_task("filling", total=store.events)
            filled = store.fill(mongo_url, lambda stored: bar.update(task, completed=stored))
        rate = store.events / filled.seconds
        console.print(f"Filled in {filled.seconds:,.1f} s, {rate:,.0f} events a second.")
        return columns, filled

    def _rolled_up(self, mongo_url: str) -> float | None:
        """Seconds; None where there is no command for it."""
        if not can_rebuild():
            console.print("footfall has no command rebuild: reports read raw events.")
            return None
        forget_rollups(mongo_url)
        seconds = rebuild(mongo_url, self._work)
        console.print(f"The command took {seconds:,.1f} s.")
        return seconds

    def _asked(self, mongo_url: str, columns: Columns) -> list[Asked]:
        with serving(mongo_url, self._work) as server:
            with _progress("calls") as bar:
                task = bar.add_task("", total=self._calls * len(questions()))

                def advance(name: str) -> None:
                    bar.update(task, advance=1, description=name)

                asked = measure(server, Recount(columns), self._calls, advance)
            if any(each.trouble for each in asked):
                _show_end(server.log)
        return asked


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    """A bar that counts these."""
    columns = (
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + what),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        yield progress


def _show_end(log: Path) -> None:
    """What the server said last: its folder is gone when the run is over."""
    for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
        console.print(line, style="dim", markup=False, highlight=False)


def _show(results: Results) -> None:
    for section in sections(results):
        show_section(console, section)
    for remark in remarks(results):
        console.print(remark, highlight=False)
    for what in results.trouble:
        console.print(what, style="red", highlight=False)


if __name__ == "__main__":
    try:
        cli = typer.Typer(pretty_exceptions_enable=False)
        cli.command()(main)
        cli()
    except (CommandError, NoMongodError) as error:
        console.print(str(error), style="red", highlight=False)
        sys.exit(1)
