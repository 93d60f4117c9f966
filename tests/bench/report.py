"""The tables of a run: in the terminal, and in docs/performance.md between its markers."""

import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from tests.bench.arrivals import Crowded
from tests.bench.bars import Judged, bars, percentiles
from tests.bench.checks import Findings, Sizes
from tests.bench.measure import Measured, cores
from tests.bench.meter import STEPS
from tests.bench.servers import ROOT, WORKERS

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
LIBRARIES = ("footfall", "strawberry-graphql", "graphql-core", "uvicorn", "motor", "pymongo")


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a run found out."""

    judged: Judged
    findings: Findings
    mongod: str
    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its heading; the first column is text, the others are numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(console: Console, results: Results) -> None:
    for section in sections(results):
        show_section(console, section)
    for remark in remarks(results):
        console.print(remark, highlight=False)
    console.print()
    for bar in bars(results.judged):
        verdict = "[green]holds[/]" if bar.holds else "[red]does not hold[/]"
        console.print(f"{verdict}: {bar.what}: {bar.measured} ({bar.bar})", highlight=False)


def show_section(console: Console, section: Section) -> None:
    table = Table(title=section.title, title_justify="left", title_style="bold", box=None)
    for place, column in enumerate(section.columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=not place)
    for row in section.rows:
        table.add_row(*row)
    console.print(table, "")


def write_page(results: Results) -> None:
    """Replace what stands between the markers."""
    verdicts = Section(
        "Bars",
        ["", "Bar", "Measured", "Holds"],
        [[b.what, b.bar, b.measured, "yes" if b.holds else "**NO**"] for b in bars(results.judged)],
    )
    block = [_run(results), *as_markdown([verdicts, *sections(results)], remarks(results))]
    PAGE.write_text(replaced(PAGE.read_text(), (BEGIN, END), block))


def replaced(page: str, markers: tuple[str, str], block: Sequence[str]) -> str:
    """The page with these lines between the markers. Raises ValueError where it has no such markers."""
    begin, end = markers
    before, found, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"there is no {begin} with {end} after it")
    return "\n".join([f"{before}{begin}", *block, f"{end}{after}"])


def as_markdown(tables: Iterable[Section], notes: Iterable[str]) -> list[str]:
    """The lines of tables with their headings, and of notes after them."""
    lines: list[str] = []
    for section in tables:
        lines += ["", f"**{section.title}**", "", *_markdown(section)]
    return [*lines, "", *[f"- {note}" for note in notes]]


def sections(results: Results) -> list[Section]:
    judged = results.judged
    loads = [*judged.singles, *judged.batches]
    return [
        Section(
            "One event a request (trackImpression)",
            ["Connections", "Requests a second", "Bare answer", "p50", "p99", "Share of bare"],
            [[str(m.connections), *_rates(m), *_latencies(m), _share(m)] for m in judged.singles],
        ),
        Section(
            "Many events a request (trackBatch)",
            ["Events a batch", "Events a second", "insert_many", "p50", "p99", "Share of it"],
            [[f"{m.batch_size:,}", *_rates(m), *_latencies(m), _share(m)] for m in judged.batches],
        ),
        Section(
            "Time by step, microseconds an event",
            ["Load", *STEPS, "Events a group"],
            [[m.name, *_steps(m), _group(m)] for m in loads],
        ),
        Section(
            "Processor time, microseconds an event",
            ["Load", "Server", "mongod", "Load generator", "Other programs"],
            [[m.name, *_processors(m)] for m in loads]
            + [[f"bare answer at {m.connections}", *_bare_processors(m)] for m in judged.singles],
        ),
        Section(
            "Arriving at a constant rate, whatever is answered",
            ["Events a second", "Accepted a second", "p50", "p99", "503", "p99 of 503", "Gave up"],
            [_crowd(judged.steady), _crowd(judged.overload)],
        ),
        Section(
            f"Room on disk, bytes an event, of {judged.sizes.events:,} events",
            ["", "Bytes an event"],
            _room(judged.sizes),
        ),
    ]


def remarks(results: Results) -> list[str]:
    before, after = (
        " and ".join(f"{size / 2**20:.0f}" for size in memory)
        for memory in (results.judged.memory_before, results.judged.memory_after)
    )
    findings = results.findings
    bare = [r.compared for r in results.judged.singles[-1].rounds]
    cpu = sum(load.cpu_seconds for load in bare) / sum(load.requests for load in bare)
    exact = (
        "each stored once, as it was sent, and in the report"
        if findings.exact
        else f"{findings.lost} lost, {findings.doubled} doubled, {findings.unsent} never accepted, "
        f"the report differs by {findings.report_differs_by}"
    )
    unavailable = f"; {findings.unavailable:,} UNAVAILABLE" if findings.unavailable else ""
    return [
        f"Answered ACCEPTED and stored: {findings.stored:,} events; {exact}{unavailable}.",
        f"Memory of the workers (resident): {before} MB before the last events were tracked, {after} MB after.",
        f"With a core of its own the load generator would do {1 / cpu:,.0f} requests a second.",
    ]


def _run(results: Results) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"Run of {datetime.now(UTC):%Y-%m-%d}, {results.seconds / 60:.1f} minutes, {results.rounds} rounds, "
        f"on {cores()} cores that load generator, API ({WORKERS} workers) and MongoDB share: "
        f"MongoDB {results.mongod}, Python {platform.python_version()}, {versions}."
    )


def _markdown(section: Section) -> list[str]:
    return [
        "| " + " | ".join(section.columns) + " |",
        "| --- |" + " ---: |" * (len(section.columns) - 1),
        *["| " + " | ".join(row) + " |" for row in section.rows],
    ]


def _rates(measured: Measured) -> list[str]:
    """The medians of the rounds: of the load, and of what it is compared with."""
    ours = statistics.median(r.load.rate for r in measured.rounds)
    others = statistics.median(r.compared.rate for r in measured.rounds)
    return [f"{ours:,.0f}", f"{others:,.0f}"]


def _share(measured: Measured) -> str:
    """The median of the rounds, and the span of all."""
    shares = [100 * r.share for r in measured.rounds]
    span = f" ({min(shares):.1f} to {max(shares):.1f})" if len(shares) > 1 else ""
    return f"{statistics.median(shares):.1f}%{span}"


def _latencies(measured: Measured) -> list[str]:
    return _p50_and_p99(measured.latencies)


def _p50_and_p99(seconds: Sequence[float]) -> list[str]:
    if not seconds:
        return ["-", "-"]
    of_all = percentiles(seconds)
    return [f"{1000 * of_all[place]:,.1f} ms" for place in (49, 98)]


def _crowd(crowd: Crowded) -> list[str]:
    return [
        f"{crowd.offered:,.0f}",
        f"{crowd.accepted_a_second:,.0f}",
        *_p50_and_p99(crowd.answered),
        f"{len(crowd.refused):,}",
        _p50_and_p99(crowd.refused)[1],
        f"{crowd.gone:,}",
    ]


def _steps(measured: Measured) -> list[str]:
    return [_micro(measured.used.steps[step], measured) for step in STEPS]


def _group(measured: Measured) -> str:
    return f"{measured.used.group_events / max(measured.used.groups, 1):,.1f}"


def _processors(measured: Measured) -> list[str]:
    generator = sum(r.load.cpu_seconds for r in measured.rounds)
    times = (measured.used.api, measured.used.mongod, generator)
    others = max(r.others for r in measured.rounds)
    return [*[_micro(seconds, measured) for seconds in times], f"{others:.0%}"]


def _bare_processors(measured: Measured) -> list[str]:
    """The same for the bare server that a load is compared with, a request."""
    requests = sum(r.compared.requests for r in measured.rounds)
    server = sum(r.bare_seconds for r in measured.rounds)
    generator = sum(r.compared.cpu_seconds for r in measured.rounds)
    return [f"{1e6 * server / requests:,.1f}", "-", f"{1e6 * generator / requests:,.1f}", "-"]


def _micro(seconds: float, measured: Measured) -> str:
    return f"{1e6 * seconds / max(measured.events, 1):,.1f}"


def _room(sizes: Sizes) -> list[list[str]]:
    """Indexes that hardly any of these events are in are left out."""
    indexes = sorted(sizes.indexes.items(), key=lambda index: -index[1])
    parts = {
        "documents": sizes.documents,
        **{f"index {name}": size for name, size in indexes if size >= sizes.events},
        "together": sizes.documents + sum(sizes.indexes.values()),
        "cooldown claims, kept for a day": sizes.claims,
    }
    return [[name, f"{size / max(sizes.events, 1):.0f}"] for name, size in parts.items()]
