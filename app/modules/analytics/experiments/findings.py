"""What to mind in the results of an experiment, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.modules.analytics.experiments.query import MAX_VARIANTS, CountBy
from app.modules.analytics.experiments.results import Results, VariantResult
from app.modules.analytics.experiments.statistics import MAX_NEEDED, POWER


class WarningCode(StrEnum):
    """What to mind."""

    NO_DATA = "NO_DATA"
    NOTHING_TO_COMPARE = "NOTHING_TO_COMPARE"
    SAMPLE_TOO_SMALL = "SAMPLE_TOO_SMALL"
    SAMPLE_RATIO_MISMATCH = "SAMPLE_RATIO_MISMATCH"
    UNEXPECTED_VARIANT = "UNEXPECTED_VARIANT"
    VISITORS_IN_SEVERAL_VARIANTS = "VISITORS_IN_SEVERAL_VARIANTS"
    REPEATED_VISITORS = "REPEATED_VISITORS"
    MORE_CONVERSIONS_THAN_TRIALS = "MORE_CONVERSIONS_THAN_TRIALS"
    TOO_MANY_VARIANTS = "TOO_MANY_VARIANTS"
    SAMPLED = "SAMPLED"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mind."""

    code: WarningCode
    message: str


def findings(results: Results, *, sampled: bool) -> list[Finding]:
    """Everything to mind, in the order of WarningCode."""
    found = [
        *_about_the_data(results),
        *_about_its_size(results),
        *_about_shares(results),
        *_about_visitors(results),
        *_about_trials(results),
    ]
    if results.counts.more:
        text = (
            f"There are more than {MAX_VARIANTS} variants. Only those that are named and those "
            "with the most visitors are shown."
        )
        found.append(Finding(WarningCode.TOO_MANY_VARIANTS, text))
    if sampled:
        text = (
            "The site counts a sample of its visitors. The numbers are those of the sample, not "
            "scaled up, because they decide how sure the result is."
        )
        found.append(Finding(WarningCode.SAMPLED, text))
    return found


def _unit(results: Results) -> str:
    return "visitors" if results.asked.count_by is CountBy.VISITOR else "impressions"


def _quoted(variants: list[str]) -> str:
    return ", ".join(f'"{variant}"' for variant in variants)


def _about_the_data(results: Results) -> Iterator[Finding]:
    seen = [one for one in results.variants if one.counted.sample.trials]
    unit = _unit(results)
    if not seen:
        yield Finding(
            WarningCode.NO_DATA,
            f"No {unit} of a single variant of this experiment were counted in the range.",
        )
    elif not any(one.is_control for one in seen):
        text = f"No {unit} of the control were counted, so that nothing can be compared with it."
        yield Finding(WarningCode.NOTHING_TO_COMPARE, text)
    elif len(seen) == 1:
        text = f"Only the control has {unit}: there is nothing to compare it with."
        yield Finding(WarningCode.NOTHING_TO_COMPARE, text)


def _about_its_size(results: Results) -> Iterator[Finding]:
    control = next((one for one in results.variants if one.is_control), None)
    for one in results.variants:
        if control is not None and one.against is not None:
            smaller = min(one.counted.sample.trials, control.counted.sample.trials)
            if one.against.needed is None or smaller < one.against.needed:
                text = _too_small(results, one, smaller)
                yield Finding(WarningCode.SAMPLE_TOO_SMALL, text)


def _too_small(results: Results, one: VariantResult, smaller: int) -> str:
    against, effect, unit = one.against, results.asked.minimum_effect, _unit(results)
    name = _quoted([one.counted.variant])
    if against is not None and against.needed is not None:
        sought = "the observed difference" if effect is None else f"an effect of {effect:g}%"
        return (
            f"{name}: to detect {sought} with a power of {POWER:.0%}, the variant and the control "
            f"need {against.needed:,} {unit} each; the smaller of the two has {smaller:,}."
        )
    if effect is not None:
        return (
            f"{name}: how many {unit} an effect of {effect:g}% needs cannot be said, because "
            "the control's rate is zero, or so high or low that the effect makes no rate."
        )
    return (
        f"{name}: its rate is the control's, or so close that more than {MAX_NEEDED:,} {unit} would "
        "be needed. Give minimumEffect to learn how many an effect that matters needs."
    )


def _about_shares(results: Results) -> Iterator[Finding]:
    if results.mismatch:
        yield Finding(
            WarningCode.SAMPLE_RATIO_MISMATCH,
            f"The variants do not have the shares of {_unit(results)} that are expected "
            f"(p = {results.ratio_p_value:.2g}). Look for the fault in assigning or tracking "
            "variants before believing any difference.",
        )
    if results.asked.expected_shares:
        others = [
            one.counted.variant
            for one in results.variants
            if one.expected_share is None and one.counted.sample.trials
        ]
        if others:
            yield Finding(
                WarningCode.UNEXPECTED_VARIANT,
                f"expectedShares does not name {_quoted(others)}. The comparison of shares leaves "
                "them out.",
            )


def _about_visitors(results: Results) -> Iterator[Finding]:
    counts, by_visitor = results.counts, results.asked.count_by is CountBy.VISITOR
    if counts.in_several:
        what = "are left out" if by_visitor else "count in each of them"
        yield Finding(
            WarningCode.VISITORS_IN_SEVERAL_VARIANTS,
            f"Visitors who saw several variants: {counts.in_several:,}. They {what}. An experiment "
            "should show every visitor the same variant each time.",
        )
    trials = sum(counted.sample.trials for counted in counts.variants)
    if not by_visitor and counts.shown < trials:
        yield Finding(
            WarningCode.REPEATED_VISITORS,
            f"{trials:,} impressions are of {counts.shown:,} visitors. Impressions of one visitor are "
            "not independent: intervals may be narrower, and p-values smaller, than they should be.",
        )


def _about_trials(results: Results) -> Iterator[Finding]:
    beyond = [
        counted.variant
        for counted in results.counts.variants
        if counted.sample.successes > counted.sample.trials
    ]
    if beyond:
        yield Finding(
            WarningCode.MORE_CONVERSIONS_THAN_TRIALS,
            f"{_quoted(beyond)}: more conversions than impressions, so that there is no interval and "
            "no comparison. Do both carry experimentId and variant?",
        )
