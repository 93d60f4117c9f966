"""How the tests of experiments store events and ask for results."""

from datetime import timedelta
from typing import Any

from tests.conftest import NOW
from tests.modules.analytics.asking import event

EXPERIMENT = """query ($id: ID!, $range: RangeInput, $goal: GoalInput, $control: String,
  $confidence: Float, $countBy: CountBy, $expectedShares: [VariantShareInput!],
  $minimumEffect: Float) {
  experiment(experimentId: $id, range: $range, goal: $goal, control: $control,
             confidence: $confidence, countBy: $countBy, expectedShares: $expectedShares,
             minimumEffect: $minimumEffect) {
    experimentId countBy confidence control
    variants { variant isControl visitors trials conversions rate rateInterval { lower upper }
      share expectedShare
      comparison { difference differenceInterval { lower upper } uplift
        upliftInterval { lower upper } test pValue adjustedPValue significant neededPerVariant } }
    visitorsInSeveralVariants
    sampleRatio { pValue mismatch }
    warnings { code message }
    asOf exact } }"""


async def experiment(api: Any, experiment_id: str = "ab", **arguments: Any) -> Any:
    """The results of an experiment."""
    variables = {"id": experiment_id, **arguments}
    return (await api.ask(EXPERIMENT, variables))["experiment"]


def ago(**duration: float) -> Any:
    return NOW - timedelta(**duration)


def seen(variant: str, visitor: str, **fields: Any) -> dict[str, Any]:
    """An impression that says which variant of "ab" the visitor saw, ten hours ago."""
    return event(
        **{"experiment": "ab", "variant": variant, "visitor": visitor, "item": "i", "at": ago(hours=10), **fields}
    )  # fmt: skip


def sale(visitor: str, **fields: Any) -> dict[str, Any]:
    """A conversion an hour ago, which says nothing of an experiment."""
    return event("CONVERSION", **{"visitor": visitor, "at": ago(hours=1), **fields})


def audience(variant: str, visitors: int, converted: int) -> list[dict[str, Any]]:
    """So many visitors of a variant, of whom so many converted."""
    names = [f"{variant}{n}" for n in range(visitors)]
    return [
        *(seen(variant, name) for name in names),
        *(sale(name) for name in names[:converted]),
    ]


def by_variant(results: Any) -> dict[str, tuple[int, int, int]]:
    """Visitors, trials and conversions by variant, in the order of the answer."""
    return {
        one["variant"]: (one["visitors"], one["trials"], one["conversions"])
        for one in results["variants"]
    }


def codes(results: Any) -> list[str]:
    """The codes of all warnings."""
    return [warning["code"] for warning in results["warnings"]]
