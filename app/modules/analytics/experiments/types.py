"""The GraphQL types of experiments: what analysts are told. The definitions are in the descriptions."""

from datetime import datetime
from fractions import Fraction

import strawberry

from app.core.described import described
from app.core.scalars import Long
from app.modules.analytics.experiments.enums import (
    CountBy,
    ExperimentWarningCode,
    SignificanceTest,
)
from app.modules.analytics.experiments.results import AgainstControl, Results, VariantResult
from app.modules.analytics.experiments.service import Assessed, Seen
from app.modules.analytics.experiments.statistics import Interval
from app.modules.analytics.measures import percent


def _in_percent(share: Fraction | None) -> float | None:
    return None if share is None else float(100 * share)


@strawberry.type(description="Where a true value lies, as far as the sample tells.")
class ConfidenceInterval:
    lower: float = described("Its lower end.")
    upper: float = described("Its upper end.")

    @classmethod
    def of(cls, interval: Interval | None) -> "ConfidenceInterval | None":
        """In percent."""
        if interval is None:
            return None
        return cls(lower=100 * interval.lower, upper=100 * interval.upper)


@strawberry.type(description="A variant against the control.")
class VariantComparison:
    difference: float = described("The variant's rate less the control's, in percentage points.")
    difference_interval: ConfidenceInterval | None = described(
        "The confidence interval of the difference, percentage points: Newcombe's, from the Wilson "
        "intervals of both rates. Not adjusted for the number of variants."
    )
    uplift: float | None = described(
        "The difference in percent of the control's rate; null where that is zero."
    )
    uplift_interval: ConfidenceInterval | None = described(
        "The confidence interval of the uplift, percent: from the normal distribution of the "
        "logarithm of the two rates' ratio (Katz); null where one of them is zero, or both are 100%. "
        "Not adjusted for the number of variants."
    )
    test: SignificanceTest = described("How the p-value was found.")
    p_value: float = described(
        "How likely a difference as large as this, or larger, would be if there were none: two-sided, "
        "0 to 1. It holds for one look at a time that was chosen before; looking every day until it "
        "is small makes it mean nothing."
    )
    adjusted_p_value: float = described(
        "The same, adjusted for the number of variants that are compared with the control (Holm). "
        "With one of them it is pValue."
    )
    significant: bool = described("Whether adjustedPValue is below 1 - confidence.")
    needed_per_variant: Long | None = described(
        "How many visitors (by IMPRESSION: impressions) the variant and the control need each, to "
        "detect minimumEffect, or without it the observed difference, with a power of 80%. Null where "
        "that cannot be said, because there is no difference, or is more than 1,000,000,000."
    )

    @classmethod
    def of(cls, against: AgainstControl, confidence: float) -> "VariantComparison":
        comparison = against.comparison
        return cls(
            difference=float(100 * comparison.difference),
            difference_interval=ConfidenceInterval.of(comparison.difference_interval),
            uplift=_in_percent(comparison.uplift),
            uplift_interval=ConfidenceInterval.of(comparison.uplift_interval),
            test=comparison.test,
            p_value=comparison.p_value,
            adjusted_p_value=against.adjusted_p_value,
            significant=against.adjusted_p_value < 1 - confidence,
            needed_per_variant=against.needed,
        )


@strawberry.type(description="What was counted of one variant of an experiment.")
class ExperimentVariant:
    variant: str = described("The variant.")
    is_control: bool = described("Whether the others are compared with it.")
    visitors: Long = described(
        "By VISITOR: distinct visitors with an event in the range that carries the experiment and this "
        "variant, without those who saw several variants. By IMPRESSION: those of the impressions and "
        "the events of the goal that carry both."
    )
    trials: Long = described("What the rate is of: visitors, or by IMPRESSION impressions.")
    conversions: Long = described(
        "By VISITOR: visitors among them with an event of the goal in the range, at or after their "
        "first event that carries the experiment and the variant. By IMPRESSION: events of the goal "
        "that carry both themselves."
    )
    rate: float | None = described("Conversions / trials, percent; null without trials.")
    rate_interval: ConfidenceInterval | None = described(
        "The confidence interval of the rate, percent (Wilson); null without trials, or with more "
        "conversions than trials."
    )
    share: float | None = described(
        "Its trials in percent of those of all variants of which shares are compared; null where it "
        "is none of them, or there are no trials."
    )
    expected_share: float | None = described(
        "The same as it should be; null where expectedShares does not name it."
    )
    comparison: VariantComparison | None = described(
        "It against the control; null of the control itself, and where one of them has no trials or "
        "more conversions than trials."
    )

    @classmethod
    def of(cls, result: VariantResult, confidence: float) -> "ExperimentVariant":
        sample, against = result.counted.sample, result.against
        return cls(
            variant=result.counted.variant,
            is_control=result.is_control,
            visitors=result.counted.visitors,
            trials=sample.trials,
            conversions=sample.successes,
            rate=percent(sample.successes, sample.trials),
            rate_interval=ConfidenceInterval.of(result.interval),
            share=result.share,
            expected_share=result.expected_share,
            comparison=None if against is None else VariantComparison.of(against, confidence),
        )


@strawberry.type(
    description="Whether variants were seen in the shares in which they should be (Pearson's "
    "chi-square test)."
)
class SampleRatio:
    p_value: float | None = described(
        "How likely shares as far from the expected ones as these, or farther, would be if variants "
        "were assigned and tracked as expected; null where there are fewer than two variants or "
        "no trials."
    )
    mismatch: bool = described("Whether pValue is below 0.001.")

    @classmethod
    def of(cls, results: Results) -> "SampleRatio":
        return cls(p_value=results.ratio_p_value, mismatch=results.mismatch)


@strawberry.type(description="Something to mind in the results of an experiment.")
class ExperimentWarning:
    code: ExperimentWarningCode = described("What it is.")
    message: str = described("The same in words, with numbers.")


@strawberry.type(
    description="The results of an experiment. The numbers are of the visitors and events that were "
    "counted: where the site counts a sample, they are not scaled up."
)
class Experiment:
    experiment_id: strawberry.ID = described("The experiment.")
    count_by: CountBy = described("What a trial is.")
    confidence: float = described("How sure the intervals are, and what `significant` goes by.")
    control: str | None = described(
        "The variant that the others are compared with; null where no variant was seen."
    )
    variants: list[ExperimentVariant] = described(
        "The control, then the other variants by name: those that the arguments name, and of the "
        "others those with most trials, up to 50."
    )
    visitors_in_several_variants: Long = described(
        "Distinct visitors who saw more than one variant in the range. By VISITOR they are left out "
        "of everything else; by IMPRESSION they are in every variant that they saw."
    )
    sample_ratio: SampleRatio = described("Whether the variants have the shares that are expected.")
    warnings: list[ExperimentWarning] = described("What to mind before believing the results.")
    as_of: datetime = described("When this was counted.")
    exact: bool = described(
        "Whether every visitor was counted; false where the site counts a sample of them."
    )

    @classmethod
    def of(cls, assessed: Assessed) -> "Experiment":
        results = assessed.results
        asked = results.asked
        return cls(
            experiment_id=strawberry.ID(asked.experiment),
            count_by=asked.count_by,
            confidence=asked.confidence,
            control=results.control,
            variants=[ExperimentVariant.of(one, asked.confidence) for one in results.variants],
            visitors_in_several_variants=results.counts.in_several,
            sample_ratio=SampleRatio.of(results),
            warnings=[
                ExperimentWarning(code=finding.code, message=finding.message)
                for finding in assessed.findings
            ],
            as_of=assessed.as_of,
            exact=assessed.exact,
        )


@strawberry.type(description="An experiment of which events were tracked.")
class ExperimentSummary:
    experiment_id: strawberry.ID = described("The experiment.")
    variants: list[str] = described("Its variants by name: the first 50.")
    number_of_variants: int = described("How many variants there are.")
    events: Long = described("Events that carry the experiment.")
    first_event: datetime = described("When the first of them in the range happened.")
    last_event: datetime = described("When the last of them in the range happened.")

    @classmethod
    def of(cls, seen: Seen) -> "ExperimentSummary":
        return cls(
            experiment_id=strawberry.ID(seen.experiment),
            variants=list(seen.variants),
            number_of_variants=seen.number_of_variants,
            events=seen.events,
            first_event=seen.first_at,
            last_event=seen.last_at,
        )
