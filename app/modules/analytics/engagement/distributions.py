"""What is said of durations and scroll depths, from how often each occurs."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.modules.analytics.engagement.spread import Counts, Spread, place_of, value_at
from app.modules.analytics.measures import mean

# Durations are first counted by steps of a second, of which all edges of the histogram are multiples.
STEP = 1_000
# Milliseconds at which the bins of the histogram begin; each ends where the next one begins.
EDGES = (
    0, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000,
    60_000, 120_000, 300_000, 600_000, 1_200_000,
)  # fmt: skip
PERCENTILES = (25, 50, 75, 90, 95)
# Percent of a page; how many pages were read at least so far is asked for.
MILESTONES = (25, 50, 75, 100)


@dataclass(frozen=True, slots=True)
class Bin:
    """How many durations are at least `at_least` milliseconds and less than `below`; None: any more."""

    at_least: int
    below: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Durations:
    """How durations are spread: milliseconds. Percentiles are by number; none of no events."""

    count: int
    mean: float | None
    percentiles: Mapping[int, int]
    histogram: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Depths:
    """How far pages were read: percent. `reached` is how many pages by milestone."""

    pages: int
    mean: float | None
    percentiles: Mapping[int, int]
    reached: Mapping[int, int]


def durations_of(spread: Spread, by_value: Mapping[int, Counts]) -> Durations:
    """`by_value` has the values of the steps in which the percentiles lie."""
    percentiles = PERCENTILES if spread.count else ()
    ends = (*EDGES[1:], None)
    return Durations(
        spread.count,
        mean(spread.total, spread.count),
        {percentile: spread.quantile(percentile, by_value) for percentile in percentiles},
        tuple(
            Bin(start, end, _within(spread.by_step, start, end))
            for start, end in zip(EDGES, ends, strict=True)
        ),
    )


def depths_of(pages: Counts) -> Depths:
    """From how many pages were read how far."""
    count = sum(pages.values())
    percentiles = PERCENTILES if count else ()
    return Depths(
        count,
        mean(sum(depth * number for depth, number in pages.items()), count),
        {percentile: value_at(place_of(percentile, count), pages)[0] for percentile in percentiles},
        {milestone: _within(pages, milestone, None) for milestone in MILESTONES},
    )


def _within(counts: Counts, start: int, end: int | None) -> int:
    return sum(
        count for value, count in counts.items() if value >= start and (end is None or value < end)
    )
