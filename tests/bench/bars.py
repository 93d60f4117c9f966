"""What ingest has to reach, as shares of the same run, and whether it does."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.arrivals import Crowded
from tests.bench.checks import Sizes
from tests.bench.generator import Load
from tests.bench.measure import Measured

SHARE_AT_64 = 0.12
SHARE_AT_1 = 0.05
SHARE_OF_RAW = 0.30
GROWTH = 0.05
BYTES_AN_EVENT = 450
STEADY_P50, STEADY_P99 = 0.010, 0.050
OVERLOAD = 0.80
RECOVERED = 0.80


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, what was measured, and whether it holds."""

    what: str
    bar: str
    measured: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What the bars look at."""

    singles: Sequence[Measured]
    batches: Sequence[Measured]
    steady: Crowded
    overload: Crowded
    recovered: Load
    peak: float
    memory_before: Sequence[int]
    memory_after: Sequence[int]
    sizes: Sizes


def bars(run: Judged) -> Iterator[Bar]:
    yield _share_of_bare(run.singles[-1], SHARE_AT_64)
    yield _share_of_bare(run.singles[0], SHARE_AT_1)
    largest = run.batches[-1]
    share = _median_share(largest)
    yield Bar(
        f"batches of {largest.batch_size:,}, share of insert_many from two processes",
        f"at least {SHARE_OF_RAW:.0%}",
        f"{share:.1%}",
        share >= SHARE_OF_RAW,
    )
    growth = sum(run.memory_after) / sum(run.memory_before) - 1
    yield Bar(
        "memory of the workers, growth over the last events",
        f"under {GROWTH:.0%}",
        f"{growth:+.1%}",
        growth < GROWTH,
    )
    size = (run.sizes.documents + sum(run.sizes.indexes.values())) / max(run.sizes.events, 1)
    yield Bar(
        "bytes an event on disk, with indexes",
        f"at most {BYTES_AN_EVENT}",
        f"{size:.0f}",
        size <= BYTES_AN_EVENT,
    )
    yield from _steady(run.steady)
    yield from _overload(run)


def _share_of_bare(measured: Measured, least: float) -> Bar:
    share = _median_share(measured)
    of = "connection" if measured.connections == 1 else "connections"
    return Bar(
        f"trackImpression at {measured.connections} {of}, share of the bare answer",
        f"at least {least:.0%}",
        f"{share:.1%}",
        share >= least,
    )


def _median_share(measured: Measured) -> float:
    return statistics.median(r.share for r in measured.rounds)


def _steady(steady: Crowded) -> Iterator[Bar]:
    answered = not (steady.refused or steady.gone or steady.unavailable)
    for name, place, most in (("p50", 49, STEADY_P50), ("p99", 98, STEADY_P99)):
        latency = percentiles(steady.answered)[place]
        yield Bar(
            f"{steady.offered:,.0f} trackImpression a second: {name}",
            f"under {1000 * most:.0f} ms",
            f"{1000 * latency:,.1f} ms",
            answered and latency < most,
        )


def _overload(run: Judged) -> Iterator[Bar]:
    share = run.overload.accepted_a_second / run.peak
    yield Bar(
        f"{run.overload.offered:,.0f} a second (five times the peak): accepted, share of the peak",
        f"at least {OVERLOAD:.0%}, the rest 503 with Retry-After",
        f"{share:.0%}",
        share >= OVERLOAD and not run.overload.without_retry_after and not run.overload.others,
    )
    again = run.recovered.rate / run.peak
    yield Bar(
        "just after that, the busiest load again, share of the peak",
        f"at least {RECOVERED:.0%}",
        f"{again:.0%}",
        again >= RECOVERED,
    )


def percentiles(seconds: Sequence[float]) -> list[float]:
    """99 of them; infinity where there is nothing to look at."""
    if len(seconds) < 2:
        return [float("inf")] * 99
    return statistics.quantiles(seconds, n=100, method="inclusive")
