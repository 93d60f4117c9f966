"""The statistics of experiments: pure functions from counts to intervals, tests and sample sizes.

scipy does them, imported only when the first experiment is asked for: it takes half a second and 50 MB.
All rates are shares of 1 here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, isfinite, sqrt

# With fewer expected conversions (or others) in a cell, the normal distribution is no good guide.
SMALLEST_EXPECTED = 5
POWER = 0.8
# A difference that takes more trials than this is as good as none.
MAX_NEEDED = 1_000_000_000
MISMATCH = 0.001


class SignificanceTest(StrEnum):
    """How a p-value was found."""

    Z_TEST = "Z_TEST"
    FISHER_EXACT = "FISHER_EXACT"


@dataclass(frozen=True, slots=True)
class Sample:
    """So many of so many."""

    successes: int
    trials: int

    @property
    def rate(self) -> float | None:
        return self.successes / self.trials if self.trials else None

    @property
    def is_binomial(self) -> bool:
        """Whether it can be a number of trials that each succeed or not."""
        return 0 <= self.successes <= self.trials and self.trials > 0


@dataclass(frozen=True, slots=True)
class Interval:
    """From lower to upper."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sample against the control. `uplift` is the difference as a share of the control's rate."""

    difference: Fraction
    difference_interval: Interval
    uplift: Fraction | None
    uplift_interval: Interval | None
    test: SignificanceTest
    p_value: float


def wilson(sample: Sample, confidence: float) -> Interval | None:
    """The Wilson score interval of a rate; None where there is no sample."""
    from scipy.stats import binomtest

    if not sample.is_binomial:
        return None
    found = binomtest(sample.successes, sample.trials).proportion_ci(confidence, method="wilson")
    return Interval(max(0.0, float(found.low)), min(1.0, float(found.high)))


def compare(sample: Sample, control: Sample, confidence: float) -> Comparison | None:
    """A sample against the control; None where one of them is none."""
    own, others = wilson(sample, confidence), wilson(control, confidence)
    if own is None or others is None:
        return None
    rate = Fraction(sample.successes, sample.trials)
    base = Fraction(control.successes, control.trials)
    test, p_value = _significance(sample, control)
    return Comparison(
        rate - base,
        _newcombe((float(rate), own), (float(base), others)),
        rate / base - 1 if base else None,
        _uplift_interval(sample, control, confidence),
        test,
        p_value,
    )


def _newcombe(one: tuple[float, Interval], other: tuple[float, Interval]) -> Interval:
    """Newcombe's hybrid score interval of a difference of rates, from their Wilson intervals."""
    (rate, own), (base, others) = one, other
    difference = rate - base
    return Interval(
        difference - sqrt((rate - own.lower) ** 2 + (others.upper - base) ** 2),
        difference + sqrt((own.upper - rate) ** 2 + (base - others.lower) ** 2),
    )


def _uplift_interval(sample: Sample, control: Sample, confidence: float) -> Interval | None:
    """Katz's interval of the ratio of two rates, less one.

    None where it says nothing: with a rate of zero, or two rates of one.
    """
    from scipy.stats.contingency import relative_risk

    if not sample.successes or not control.successes or sample.rate == control.rate == 1:
        return None
    ratio = relative_risk(sample.successes, sample.trials, control.successes, control.trials)
    found = ratio.confidence_interval(confidence)
    return Interval(float(found.low) - 1, float(found.high) - 1)


def _significance(sample: Sample, control: Sample) -> tuple[SignificanceTest, float]:
    """The two-sided p-value of no difference.

    Fisher's exact test and not Barnard's, which finds a little more but takes time that grows with
    the square of the sample.
    """
    from scipy.stats import fisher_exact, norm

    trials = sample.trials + control.trials
    successes = sample.successes + control.successes
    rarer = min(successes, trials - successes)
    if rarer * min(sample.trials, control.trials) < SMALLEST_EXPECTED * trials:
        table = [
            [sample.successes, sample.trials - sample.successes],
            [control.successes, control.trials - control.successes],
        ]
        return SignificanceTest.FISHER_EXACT, float(fisher_exact(table).pvalue)
    pooled = successes / trials
    error = sqrt(pooled * (1 - pooled) * (1 / sample.trials + 1 / control.trials))
    distance = abs(sample.successes / sample.trials - control.successes / control.trials)
    return SignificanceTest.Z_TEST, float(2 * norm.sf(distance / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number by Holm's step-down method, in the same order."""
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def sample_ratio(observed: Sequence[int], shares: Sequence[float]) -> float | None:
    """The p-value of Pearson's chi-square test that these numbers came about by these shares.

    None where there is nothing to compare.
    """
    from scipy.stats import chisquare

    total = sum(observed)
    if len(observed) < 2 or not total:
        return None
    unit = total / sum(shares)
    return float(chisquare(observed, [share * unit for share in shares]).pvalue)


def needed_trials(base: float, rate: float, confidence: float) -> int | None:
    """How many trials each of two equal samples needs to tell these rates apart with a power of 80%.

    Two-sided, by the normal approximation. None where there is no difference, one that takes more
    than MAX_NEEDED, or a rate that cannot be.
    """
    from scipy.stats import norm

    if base == rate or not (0 <= base <= 1 and 0 <= rate <= 1):
        return None
    middle = (base + rate) / 2
    spread = float(norm.isf((1 - confidence) / 2)) * sqrt(2 * middle * (1 - middle))
    spread += float(norm.isf(1 - POWER)) * sqrt(base * (1 - base) + rate * (1 - rate))
    needed = (spread / (rate - base)) ** 2
    return ceil(needed) if isfinite(needed) and needed <= MAX_NEEDED else None
