"""The table of a run: in the terminal, and in docs/reliability.md between its markers."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from tests.faults.processes import ROOT
from tests.faults.stage import Result

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

COLUMNS = [
    "Scenario",
    "Events sent",
    "Accepted",
    "Duplicates",
    "Refused",
    "Broken",
    "Stored",
    "Lost",
    "Doubled",
    "Not sent",
    "Recovery",
    "Slowest",
    "Verdict",
]


def show_table(console: Console, results: Sequence[Result]) -> None:
    """What matters most, so that it fits a terminal; the page has all of it."""
    headings = (
        "scenario",
        "accepted",
        "refused",
        "lost",
        "doubled",
        "recovery",
        "slowest",
        "verdict",
    )
    table = Table(*headings, box=None)
    for result in results:
        numbers = (result.accepted, result.refused, result.lost, result.doubled)
        table.add_row(
            result.name,
            *[f"{number:,}" for number in numbers],
            *_times(result),
            result.verdict.replace("**", ""),
            style="" if result.as_it_must else "red",
        )
    console.print(table)
    for result in results:
        for note in result.notes:
            console.print(f"[bold]{result.name}[/] {note}", highlight=False)


def write_page(results: Sequence[Result], mongod: str, seconds: float) -> None:
    """Replace what stands between the markers."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{_section(results, mongod, seconds)}\n{END}{after}")


def _section(results: Sequence[Result], mongod: str, seconds: float) -> str:
    lines = [
        f"Run of {datetime.now(UTC):%Y-%m-%d}, {seconds / 60:.1f} minutes on "
        f"{_cores()} cores: Footfall {version('footfall')}, MongoDB {mongod}, "
        f"Motor {version('motor')}, PyMongo {version('pymongo')}, Python {platform.python_version()}.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "| --- |" + " ---: |" * (len(COLUMNS) - 2) + " --- |",
        *["| " + " | ".join(_row(result)) + " |" for result in results],
        "",
        "What was done, and what else was seen:",
        "",
        *[
            f"- **{r.title}** (`{r.name}`). {' '.join([r.meaning, *_sentences(r.notes)])}"
            for r in results
        ],
    ]
    return "\n".join(lines)


def _row(result: Result) -> list[str]:
    numbers = [
        result.sent,
        result.accepted,
        result.duplicates,
        result.refused,
        result.broken,
        result.stored,
        result.lost,
        result.doubled,
        result.unsent,
    ]
    if result.verdict.startswith("not run"):
        return [result.title, *["-"] * (len(COLUMNS) - 2), result.verdict]
    counts = [f"{number:,}" for number in numbers]
    return [result.title, *counts, *_times(result), result.verdict]


def _times(result: Result) -> tuple[str, str]:
    """How long it took to recover, and the slowest answer."""
    recovery = "-" if result.recovery is None else f"{result.recovery:.1f} s"
    return recovery, f"{result.slowest:.1f} s"


def _sentences(notes: Sequence[str]) -> list[str]:
    return [f"{note[0].upper()}{note[1:]}." for note in notes]


def _cores() -> int:
    return len(os.sched_getaffinity(0))
