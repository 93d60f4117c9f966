"""The enums of experiments, as GraphQL has them. Import them from here where GraphQL types use them."""

from app.core.enums import graphql_enum
from app.modules.analytics.experiments.findings import WarningCode as ExperimentWarningCode
from app.modules.analytics.experiments.query import CountBy
from app.modules.analytics.experiments.statistics import SignificanceTest

__all__ = ["CountBy", "ExperimentWarningCode", "SignificanceTest"]

graphql_enum(
    CountBy,
    "What an experiment counts as one trial.",
    {
        "VISITOR": "A visitor, once, however much they saw and did: what experiments should count by "
        "that show every visitor one variant.",
        "IMPRESSION": "An impression, with every event of the goal as a success of its own: for "
        "experiments that choose the variant anew each time something is shown.",
    },
)
graphql_enum(
    SignificanceTest,
    "How a p-value was found.",
    {
        "Z_TEST": "The two-proportion z-test with pooled variance, without continuity correction.",
        "FISHER_EXACT": "Fisher's exact test: wherever fewer than 5 conversions, or 5 trials without "
        "one, would be expected of the smaller sample if there were no difference.",
    },
)
graphql_enum(
    ExperimentWarningCode,
    "What to mind in the results of an experiment.",
    {
        "NO_DATA": "Nothing was counted.",
        "NOTHING_TO_COMPARE": "The control is missing, or there is nothing but the control.",
        "SAMPLE_TOO_SMALL": "Fewer trials than are needed to detect the effect with a power of 80%. A "
        "difference that is significant all the same is likely to be overestimated.",
        "SAMPLE_RATIO_MISMATCH": "The variants were not seen in the expected shares (p < 0.001): "
        "something is wrong with how variants are assigned or tracked.",
        "UNEXPECTED_VARIANT": "A variant was seen that expectedShares does not name.",
        "VISITORS_IN_SEVERAL_VARIANTS": "Visitors saw more than one variant.",
        "REPEATED_VISITORS": "Counted by IMPRESSION, visitors have several impressions, so that the "
        "trials are not independent.",
        "MORE_CONVERSIONS_THAN_TRIALS": "Counted by IMPRESSION, a variant has more events of the goal "
        "than impressions.",
        "TOO_MANY_VARIANTS": "Not all variants are shown.",
        "SAMPLED": "The site counts a sample of its visitors.",
    },
)
