"""The tables of a run: what filling and rolling up took, and each report with its bars."""

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from tests.bench.measure import cores
from tests.bench.report import Section
from tests.bench.reports.filling import Filled
from tests.bench.reports.measuring import Asked

BEGIN, END = "<!-- bench-reports: begin -->", "<!-- bench-reports: end -->"
MOST_GROWTH = 1.5
LIBRARIES = ("footfall", "strawberry-graphql", "motor", "pymongo", "datasketches", "numpy")


@dataclass(frozen=True, slots=True)
class Sized:
    """What was found out with one number of events. `rolling`: seconds, None where nothing rolls up."""

    filled: Filled
    rolling: float | None
    asked: Sequence[Asked]

    @property
    def events(self) -> int:
        return self.filled.events


@dataclass(frozen=True, slots=True)
class Results:
    """The same with every number of events, the smallest first."""

    sizes: Sequence[Sized]
    mongod: str
    seconds: float
    calls: int

    @property
    def trouble(self) -> list[str]:
        """Everything that was not answered, or wrongly."""
        return [
            f"{size.events:,} events, {asked.question.name}: {what}"
            for size in self.sizes
            for asked in size.asked
            for what in asked.trouble
        ]

    @property
    def missed(self) -> list[str]:
        """The bars that do not hold, by their names."""
        filling = [
            f"rolling up {size.events:,} events"
            for size in self.sizes
            if not _rolls_up_in_time(size)
        ]
        lines = [_Line(self.sizes, place) for place in range(len(self.sizes[0].asked))]
        return filling + [line.name for line in lines if not line.holds]


@dataclass(frozen=True, slots=True)
class _Line:
    """One question with every number of events."""

    sizes: Sequence[Sized]
    place: int

    @property
    def all(self) -> list[Asked]:
        return [size.asked[self.place] for size in self.sizes]

    @property
    def name(self) -> str:
        return self.all[0].question.name

    @property
    def bar(self) -> float | None:
        return self.all[0].question.bar

    @property
    def growth(self) -> float | None:
        """By how much the median of the most events is above that of the fewest."""
        if len(self.sizes) < 2:
            return None
        return percentile(self.all[-1].seconds, 50) / percentile(self.all[0].seconds, 50)

    @property
    def holds(self) -> bool:
        """Whether all answers are right and, where there is a bar, it is kept and so is the growth."""
        if any(asked.trouble for asked in self.all):
            return False
        if self.bar is None:
            return True
        quick = percentile(self.all[-1].seconds, 95) <= self.bar
        return quick and (self.growth is None or self.growth <= MOST_GROWTH)

    def cells(self) -> list[str]:
        """The row of the table."""
        times = [
            f"{1000 * percentile(asked.seconds, part):,.1f}"
            for asked in self.all
            for part in (50, 95)
        ]
        growth = "-" if self.growth is None else f"{self.growth:.2f}"
        if self.bar is None:
            return [self.name, *times, growth, "-", "-" if self.holds else _yes(False)]
        return [self.name, *times, growth, f"{1000 * self.bar:.0f}", _yes(self.holds)]


def percentile(seconds: Sequence[float], part: int) -> float:
    """The time that this part of a hundred calls did not exceed."""
    if len(seconds) == 1:
        return seconds[0]
    return statistics.quantiles(seconds, n=100, method="inclusive")[part - 1]


def sections(results: Results) -> list[Section]:
    """The two tables."""
    times = [f"{what}, {_short(size.events)}" for size in results.sizes for what in ("p50", "p95")]
    lines = [_Line(results.sizes, place) for place in range(len(results.sizes[0].asked))]
    return [
        Section(
            "Filling and rolling up",
            ["Events", "Filling", "Inserts alone", "Rolling up", "Share of inserts", "Holds"],
            [_filling(size) for size in results.sizes],
        ),
        Section(
            "Reports through GraphQL, milliseconds",
            ["Report", *times, "Growth", "Bar", "Holds"],
            [line.cells() for line in lines],
        ),
    ]


def remarks(results: Results) -> list[str]:
    """What the tables do not say."""
    calls = sum(len(asked.seconds) for size in results.sizes for asked in size.asked)
    found = len(results.trouble)
    compared = (
        "every figure is that of the recount"
        if not found
        else f"{found} of their figures or answers are wrong"
    )
    return [
        f"{calls:,} answers, one after the other, each of a range of its own; {compared}.",
        f"Bars: p95 with the most events in the milliseconds of the table; growth, which is that of p50 "
        f"from the fewest to the most events, at most {MOST_GROWTH}; rolling up in less time than the "
        "inserts alone. Reports without a bar are for information.",
        f"Bars that do not hold: {'; '.join(results.missed) or 'none'}.",
    ]


def run_line(results: Results) -> str:
    """When and where it was."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"Run of {datetime.now(UTC):%Y-%m-%d}, {results.seconds / 60:.1f} minutes, {results.calls} "
        f"calls a report, on {cores()} cores that the calls, the API (one worker) and MongoDB share: "
        f"MongoDB {results.mongod}, Python {platform.python_version()}, {versions}."
    )


def _filling(size: Sized) -> list[str]:
    filled, rolling = size.filled, size.rolling
    cells = [f"{size.events:,}", f"{filled.seconds:,.1f} s", f"{filled.inserting:,.1f} s"]
    if rolling is None:
        return [*cells, "-", "-", _yes(False)]
    share = f"{rolling / filled.inserting:.0%}"
    return [*cells, f"{rolling:,.1f} s", share, _yes(_rolls_up_in_time(size))]


def _rolls_up_in_time(size: Sized) -> bool:
    return size.rolling is not None and size.rolling < size.filled.inserting


def _short(events: int) -> str:
    """10,000,000 is 10M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if events >= size:
            return f"{events / size:g}{letter}"
    return str(events)


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"
