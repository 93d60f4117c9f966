"""From what was counted of an experiment to what it means: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.modules.analytics.experiments.query import (
    MAX_VARIANTS,
    USUAL_CONTROL,
    ExperimentRequest,
)
from app.modules.analytics.experiments.statistics import (
    MISMATCH,
    Comparison,
    Interval,
    Sample,
    compare,
    holm,
    needed_trials,
    sample_ratio,
    wilson,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of one variant."""

    variant: str
    visitors: int = 0
    sample: Sample = field(default_factory=lambda: Sample(0, 0))


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of an experiment. `more` says that there are variants beyond those shown.

    `shown` are the visitors with an impression; it is known only of an experiment by IMPRESSION.
    """

    variants: Sequence[Counted] = ()
    in_several: int = 0
    shown: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class AgainstControl:
    """A variant against the control. `needed` is how many trials each of the two should have."""

    comparison: Comparison
    adjusted_p_value: float
    needed: int | None


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant. Shares are percent of the trials of all variants that are compared by shares."""

    counted: Counted
    is_control: bool
    interval: Interval | None
    share: float | None
    expected_share: float | None
    against: AgainstControl | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What an experiment says. The control is None where no variant was seen."""

    asked: ExperimentRequest
    counts: Counts
    control: str | None
    variants: Sequence[VariantResult]
    ratio_p_value: float | None

    @property
    def mismatch(self) -> bool:
        """Whether the variants were not seen in the expected shares."""
        return self.ratio_p_value is not None and self.ratio_p_value < MISMATCH


def counts_from(
    asked: ExperimentRequest,
    found: Sequence[Mapping[str, Any]],
    visitors: Sequence[Mapping[str, Any]],
) -> Counts:
    """What the aggregations found; variants that the caller names are there though nobody saw them."""
    variants = [
        Counted(each["_id"], each["visitors"], Sample(each["successes"], each["trials"]))
        for each in found
        if each["_id"] is not None
    ]
    in_several = sum(each["visitors"] for each in found if each["_id"] is None)
    in_several += sum(each["in_several"] for each in visitors)
    shown = variants[:MAX_VARIANTS]
    known = {counted.variant for counted in shown}
    named = {expected.variant for expected in asked.expected_shares} | {asked.control}
    missing = [Counted(name) for name in sorted(filter(None, named - known))]
    everything = sorted([*shown, *missing], key=lambda counted: counted.variant)
    return Counts(
        everything,
        in_several,
        sum(each["shown"] for each in visitors),
        more=len(variants) > MAX_VARIANTS,
    )


def control_of(asked: ExperimentRequest, variants: Sequence[Counted]) -> str | None:
    """The control that was named, else "control", else the variant whose name sorts first."""
    names = [counted.variant for counted in variants]
    if asked.control is not None:
        return asked.control
    return USUAL_CONTROL if USUAL_CONTROL in names else min(names, default=None)


def assess(asked: ExperimentRequest, counts: Counts) -> Results:
    """The statistics of what was counted, the control first, then the variants by name."""
    control = control_of(asked, counts.variants)
    ordered = sorted(counts.variants, key=lambda one: (one.variant != control, one.variant))
    expected = _expected_shares(asked, ordered)
    compared = {one.variant: one.sample.trials for one in ordered if one.variant in expected}
    results = [
        VariantResult(
            one,
            one.variant == control,
            wilson(one.sample, asked.confidence),
            _share(compared, one.variant),
            _share(expected, one.variant),
        )
        for one in ordered
    ]
    p_value = sample_ratio([compared[name] for name in expected], list(expected.values()))
    return Results(asked, counts, control, _with_comparisons(asked, results), p_value)


def _expected_shares(asked: ExperimentRequest, variants: Sequence[Counted]) -> dict[str, float]:
    if asked.expected_shares:
        return {expected.variant: expected.share for expected in asked.expected_shares}
    return {counted.variant: 1.0 for counted in variants if counted.sample.trials}


def _share(parts: Mapping[str, float], name: str) -> float | None:
    whole = sum(parts.values())
    return 100 * parts[name] / whole if name in parts and whole else None


def _with_comparisons(
    asked: ExperimentRequest, results: Sequence[VariantResult]
) -> list[VariantResult]:
    """Every variant but the control with its comparison, where both have a sample."""
    control = next((one.counted.sample for one in results if one.is_control), Sample(0, 0))
    comparisons = {
        place: comparison
        for place, one in enumerate(results)
        if not one.is_control
        and (comparison := compare(one.counted.sample, control, asked.confidence))
    }
    adjusted = dict(
        zip(comparisons, holm([each.p_value for each in comparisons.values()]), strict=True)
    )
    return [
        replace(
            one,
            against=AgainstControl(
                comparisons[place], adjusted[place], _needed(asked, one.counted.sample, control)
            ),
        )
        if place in comparisons
        else one
        for place, one in enumerate(results)
    ]


def _needed(asked: ExperimentRequest, sample: Sample, control: Sample) -> int | None:
    """Trials in each sample for the smallest effect that is looked for, else for the observed one."""
    if control.rate is None or sample.rate is None:
        return None
    rate = sample.rate
    if asked.minimum_effect is not None:
        rate = control.rate * (1 + asked.minimum_effect / 100)
    return needed_trials(control.rate, rate, asked.confidence)
