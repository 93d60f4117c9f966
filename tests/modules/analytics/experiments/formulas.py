"""The statistics of two rates, written out: only the normal distribution comes from Python.

Nothing of app/ and nothing of scipy is used. Rates are shares of 1.
"""

from fractions import Fraction
from math import ceil, comb, erfc, exp, log, sqrt
from statistics import NormalDist

Pair = tuple[int, int]  # successes, trials
Ends = tuple[float, float]


def quantile(confidence: float) -> float:
    """How many standard deviations hold so much of a normal distribution, on both sides."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(pair: Pair, confidence: float = 0.95) -> Ends:
    k, n = pair
    z, p = quantile(confidence), k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(one: Pair, control: Pair, confidence: float = 0.95) -> Ends:
    p, q = one[0] / one[1], control[0] / control[1]
    (low, high), (base_low, base_high) = wilson(one, confidence), wilson(control, confidence)
    return (
        p - q - sqrt((p - low) ** 2 + (base_high - q) ** 2),
        p - q + sqrt((high - p) ** 2 + (q - base_low) ** 2),
    )


def katz(one: Pair, control: Pair, confidence: float = 0.95) -> Ends:
    ratio = (one[0] / one[1]) / (control[0] / control[1])
    error = sqrt(1 / one[0] - 1 / one[1] + 1 / control[0] - 1 / control[1])
    z = quantile(confidence)
    return exp(log(ratio) - z * error) - 1, exp(log(ratio) + z * error) - 1


def z_test(one: Pair, control: Pair) -> float:
    pooled = (one[0] + control[0]) / (one[1] + control[1])
    error = sqrt(pooled * (1 - pooled) * (1 / one[1] + 1 / control[1]))
    return erfc(abs(one[0] / one[1] - control[0] / control[1]) / error / sqrt(2))


def fisher(one: Pair, control: Pair) -> float:
    """The tables of the same margins that are no likelier than this one, added up as fractions."""
    successes, trials = one[0] + control[0], one[1] + control[1]
    possible = range(max(0, successes - control[1]), min(successes, one[1]) + 1)
    weights = {k: comb(one[1], k) * comb(control[1], successes - k) for k in possible}
    extreme = sum(weight for weight in weights.values() if weight <= weights[one[0]])
    return float(Fraction(extreme, comb(trials, successes)))


def takes_fisher(one: Pair, control: Pair) -> bool:
    pooled = Fraction(one[0] + control[0], one[1] + control[1])
    return min(one[1], control[1]) * min(pooled, 1 - pooled) < 5


def chi_square_of_two(one: int, other: int) -> float:
    """The p-value that two numbers are halves: one degree of freedom is a normal deviate squared."""
    return erfc(abs(one - other) / sqrt(one + other) / sqrt(2))


def needed(p: float, q: float, confidence: float = 0.95) -> int:
    middle = (p + q) / 2
    spread = quantile(confidence) * sqrt(2 * middle * (1 - middle))
    spread += NormalDist().inv_cdf(0.8) * sqrt(p * (1 - p) + q * (1 - q))
    return ceil((spread / (p - q)) ** 2)
