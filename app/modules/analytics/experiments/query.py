"""An experiment as it is asked for: frozen, and valid once it exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import BadInputError
from app.core.event_types import EventType
from app.core.texts import check_id

# Those with the most visitors are shown; more than these are no variants but a mistake.
MAX_VARIANTS = 50
MAX_EXPERIMENTS = 1_000
MIN_CONFIDENCE, MAX_CONFIDENCE = 0.5, 0.999
MAX_SHARE = 1_000_000.0
# Percent of the control's rate.
MIN_EFFECT, MAX_EFFECT = 0.01, 1_000.0
# The variant that is the control where none is named.
USUAL_CONTROL = "control"


class CountBy(StrEnum):
    """What a trial is."""

    VISITOR = "VISITOR"
    IMPRESSION = "IMPRESSION"


@dataclass(frozen=True, slots=True)
class Goal:
    """Which events are conversions: those for which all of it holds. None: any. Raises BadInputError."""

    type: EventType
    name: str | None = None
    conversion_type: str | None = None
    item: str | None = None

    def __post_init__(self) -> None:
        for value, field in (
            (self.name, "goal.name"),
            (self.conversion_type, "goal.conversionType"),
            (self.item, "goal.itemId"),
        ):
            if value is not None:
                check_id(value, field)


DEFAULT_GOALS = {
    CountBy.VISITOR: Goal(EventType.CONVERSION),
    CountBy.IMPRESSION: Goal(EventType.CLICK),
}


@dataclass(frozen=True, slots=True)
class ExpectedShare:
    """Which part of the visitors should see a variant, in any unit: 1 and 1 are halves."""

    variant: str
    share: float


@dataclass(frozen=True, slots=True)
class ExperimentRequest:
    """What is asked of an experiment, besides its range. Raises BadInputError.

    `confidence` is a share of 1, `minimum_effect` in percent of the control's rate.
    """

    experiment: str
    goal: Goal
    count_by: CountBy = CountBy.VISITOR
    control: str | None = None
    confidence: float = 0.95
    expected_shares: tuple[ExpectedShare, ...] = ()
    minimum_effect: float | None = None

    def __post_init__(self) -> None:
        check_id(self.experiment, "experimentId")
        if self.control is not None:
            check_id(self.control, "control")
        # Written so that NaN fails as well.
        if not MIN_CONFIDENCE <= self.confidence <= MAX_CONFIDENCE:
            raise BadInputError(f"must be from {MIN_CONFIDENCE} to {MAX_CONFIDENCE}", "confidence")
        effect = self.minimum_effect
        if effect is not None and not MIN_EFFECT <= effect <= MAX_EFFECT:
            raise BadInputError(
                f"must be from {MIN_EFFECT} to {MAX_EFFECT:,.0f} percent", "minimumEffect"
            )
        _check_shares(self.expected_shares)

    @property
    def named_variants(self) -> list[str]:
        """The variants that are shown however few saw them."""
        shares = (expected.variant for expected in self.expected_shares)
        return sorted({*shares, self.control or USUAL_CONTROL})


def _check_shares(shares: Sequence[ExpectedShare]) -> None:
    if len(shares) > MAX_VARIANTS:
        raise BadInputError(f"must have at most {MAX_VARIANTS} entries", "expectedShares")
    if len(shares) == 1:
        raise BadInputError("must name two variants or more", "expectedShares")
    for place, expected in enumerate(shares):
        check_id(expected.variant, f"expectedShares.{place}.variant")
        if not 0 < expected.share <= MAX_SHARE:
            raise BadInputError(
                f"must be above 0 and at most {MAX_SHARE:,.0f}", f"expectedShares.{place}.share"
            )
    if len({expected.variant for expected in shares}) != len(shares):
        raise BadInputError("must not name the same variant twice", "expectedShares")
