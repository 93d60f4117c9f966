"""The statistics of experiments against published numbers, and against the formulae written out."""

import math
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.modules.analytics.experiments.statistics import (
    Interval,
    Sample,
    SignificanceTest,
    compare,
    holm,
    needed_trials,
    sample_ratio,
    wilson,
)
from tests.examples import examples
from tests.modules.analytics.experiments import formulas


def ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.lower, interval.upper


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_intervals_of_the_literature(
    successes: int, trials: int, lower: float, upper: float
) -> None:
    """Table I of Newcombe, Statistics in Medicine 17 (1998) 857-872, method 3."""
    found = ends(wilson(Sample(successes, trials), 0.95))
    assert found == pytest.approx((lower, upper), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "control", "lower", "upper"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090),
     ((6, 7), (2, 7), 0.0582, 0.8062), ((5, 56), (0, 29), -0.0381, 0.1926),
     ((0, 10), (0, 20), -0.1611, 0.2775), ((10, 10), (0, 20), 0.6791, 1.0)],
)  # fmt: skip
def test_newcombe_intervals_of_the_literature(
    one: tuple[int, int], control: tuple[int, int], lower: float, upper: float
) -> None:
    """Table II of Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10."""
    comparison = compare(Sample(*one), Sample(*control), 0.95)
    assert comparison is not None
    assert ends(comparison.difference_interval) == pytest.approx((lower, upper), abs=5e-5)


def test_the_physicians_health_study() -> None:
    """Agresti, Categorical Data Analysis: the risk on placebo is 1.82 times that on aspirin, 1.43 to 2.31."""
    comparison = compare(Sample(189, 11_034), Sample(104, 11_037), 0.95)
    assert comparison is not None
    assert comparison.uplift == pytest.approx(0.82, abs=0.005)
    assert ends(comparison.uplift_interval) == pytest.approx((0.43, 1.31), abs=0.005)
    assert comparison.test is SignificanceTest.Z_TEST
    assert comparison.p_value < 1e-6


def test_the_lady_tasting_tea() -> None:
    """Three of four cups right is 0.486 two-sided, all of four 0.029: few cups, so Fisher's test."""
    for right, p_value in ((3, 34 / 70), (4, 2 / 70)):
        comparison = compare(Sample(right, 4), Sample(4 - right, 4), 0.95)
        assert comparison is not None
        assert comparison.test is SignificanceTest.FISHER_EXACT
        assert comparison.p_value == pytest.approx(p_value)


def test_the_test_changes_at_five_expected() -> None:
    """Five conversions expected of the smaller sample are enough for the z-test, fewer are not; and
    so it is with trials without one."""
    for turned in (False, True):
        for successes, test in ((4, SignificanceTest.FISHER_EXACT), (5, SignificanceTest.Z_TEST)):
            count = 100 - successes if turned else successes
            comparison = compare(Sample(count, 100), Sample(count, 100), 0.95)
            assert comparison is not None
            assert (comparison.test, comparison.p_value) == (test, 1.0)
    exactly = compare(Sample(7, 17), Sample(17, 17), 0.95)  # 5 of 17 did not convert
    assert exactly is not None
    assert exactly.test is SignificanceTest.Z_TEST


counts = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
few = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
pairs = st.one_of(counts, few)


@settings(max_examples=examples(40), deadline=None)
@example(one=(7, 17), control=(17, 17), confidence=0.95)
@given(one=pairs, control=pairs, confidence=st.sampled_from([0.5, 0.8, 0.95, 0.99, 0.999]))
def test_every_number_is_what_its_formula_says(
    one: tuple[int, int], control: tuple[int, int], confidence: float
) -> None:
    """Wilson, Newcombe, Katz, the z-test and Fisher's test, for any two samples."""
    close = pytest.approx
    assert ends(wilson(Sample(*one), confidence)) == close(
        formulas.wilson(one, confidence), abs=1e-9
    )
    comparison = compare(Sample(*one), Sample(*control), confidence)
    assert comparison is not None
    rate, base = one[0] / one[1], control[0] / control[1]
    assert comparison.difference == close(rate - base, abs=1e-12)
    wanted = formulas.newcombe(one, control, confidence)
    assert ends(comparison.difference_interval) == close(wanted, abs=1e-9)
    assert comparison.uplift == (close(rate / base - 1, abs=1e-12) if base else None)
    if not one[0] or not control[0] or rate == base == 1:
        assert comparison.uplift_interval is None
    else:
        wanted = formulas.katz(one, control, confidence)
        assert ends(comparison.uplift_interval) == close(wanted, rel=1e-9, abs=1e-9)
    if formulas.takes_fisher(one, control):
        assert comparison.test is SignificanceTest.FISHER_EXACT
        assert comparison.p_value == close(formulas.fisher(one, control), rel=1e-6)
    else:
        assert comparison.test is SignificanceTest.Z_TEST
        assert comparison.p_value == close(formulas.z_test(one, control), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(
    ("one", "control"),
    [((0, 0), (1, 2)), ((1, 2), (0, 0)), ((3, 2), (1, 2)), ((1, 2), (3, 2)), ((1, 0), (1, 0))],
)
def test_what_is_no_sample_is_not_compared(one: tuple[int, int], control: tuple[int, int]) -> None:
    """Without trials, or with more conversions than trials, there is no comparison."""
    assert compare(Sample(*one), Sample(*control), 0.95) is None


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_samples_without_any_difference(rate: float) -> None:
    """Nobody converted, or everybody: a p-value of 1, no uplift interval, nothing divided by zero."""
    sample = Sample(int(10 * rate), 10)
    comparison = compare(sample, sample, 0.95)
    assert comparison is not None
    assert (comparison.difference, comparison.p_value) == (0, 1)
    assert comparison.uplift == (0 if rate else None)
    assert comparison.uplift_interval is None


def test_large_samples_are_no_trouble() -> None:
    """Ten million visitors a variant, few conversions or many, give finite numbers."""
    for one, control in ((4, 0), (5_001_000, 5_000_000), (0, 10**7), (10**7, 10**7)):
        comparison = compare(Sample(one, 10**7), Sample(control, 10**7), 0.95)
        assert comparison is not None
        interval = comparison.difference_interval
        numbers = [comparison.p_value, interval.lower, interval.upper]
        assert all(math.isfinite(number) for number in numbers)
        assert 0 <= comparison.p_value <= 1


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [([], []), ([0.03], [0.03]), ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
     ([0.5, 0.9], [1.0, 1.0]), ([0.02, 0.02], [0.04, 0.04]), ([0.01, 0.011, 0.012], [0.03] * 3)],
)  # fmt: skip
def test_holm(p_values: list[float], adjusted: list[float]) -> None:
    """Times how many are left, never less than the one before, at most 1, in the order given."""
    assert holm(p_values) == pytest.approx(adjusted)


def test_sample_ratio_mismatch() -> None:
    """821,588 against 815,482 visitors is no even split: p = 1.8e-6 (Fabijan and others, KDD 2019)."""
    assert sample_ratio([821_588, 815_482], [1, 1]) == pytest.approx(1.8e-6, rel=0.05)
    assert sample_ratio([10, 20, 30], [1, 2, 3]) == 1.0
    assert sample_ratio([30, 10], [30.0, 10.0]) == 1.0
    assert sample_ratio([520, 480], [1, 1]) == pytest.approx(formulas.chi_square_of_two(520, 480))
    for nothing in ([], [5], [0, 0]):
        assert sample_ratio(nothing, [1.0] * len(nothing)) is None


@pytest.mark.parametrize(
    ("base", "rate", "confidence", "needed"),
    [(0.10, 0.12, 0.95, 3_841), (0.12, 0.10, 0.95, 3_841), (0.5, 0.75, 0.95, 58),
     (0.3, 0.3, 0.95, None), (0.9, 1.1, 0.95, None), (0.1, 0.1000001, 0.95, None)],
)  # fmt: skip
def test_how_many_are_needed(
    base: float, rate: float, confidence: float, needed: int | None
) -> None:
    """The numbers of R's power.prop.test for a power of 0.8; none where there is nothing to find."""
    assert needed_trials(base, rate, confidence) == needed
    if needed is not None:
        assert formulas.needed(rate, base, confidence) == needed


def test_scipy_is_imported_only_when_it_is_needed() -> None:
    """Starting the server does not wait for it."""
    check = "import sys, app.main; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
