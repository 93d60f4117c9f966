"""The performance score: four rates become one number from 0 to 100. Pure, and exact to the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.modules.analytics.measures import Measures

_MOST = Fraction(100)
_MILLISECONDS_PER_SECOND = 1000


class ScoreMeasure(StrEnum):
    """What the score is made of."""

    CLICK_THROUGH_RATE = "CLICK_THROUGH_RATE"
    CONVERSION_RATE = "CONVERSION_RATE"
    ENGAGEMENT = "ENGAGEMENT"
    BOUNCE_RATE = "BOUNCE_RATE"


class PerformanceLabel(StrEnum):
    """The score in a word."""

    EXCELLENT = "EXCELLENT"
    GOOD = "GOOD"
    AVERAGE = "AVERAGE"
    POOR = "POOR"


WEIGHTS = {
    ScoreMeasure.CLICK_THROUGH_RATE: Fraction("0.3"),
    ScoreMeasure.CONVERSION_RATE: Fraction("0.3"),
    ScoreMeasure.ENGAGEMENT: Fraction("0.2"),
    ScoreMeasure.BOUNCE_RATE: Fraction("0.2"),
}
# What one percent, or one second, is worth before the weight.
_FACTORS = {
    ScoreMeasure.CLICK_THROUGH_RATE: 10,
    ScoreMeasure.CONVERSION_RATE: 5,
    ScoreMeasure.ENGAGEMENT: 2,
}
_LABELS = (
    (80, PerformanceLabel.EXCELLENT),
    (60, PerformanceLabel.GOOD),
    (40, PerformanceLabel.AVERAGE),
)


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One measure: percent or seconds (None: there is none), and the points of the score it gives."""

    measure: ScoreMeasure
    value: Fraction | None
    points: Fraction

    @property
    def weight(self) -> Fraction:
        return WEIGHTS[self.measure]


@dataclass(frozen=True, slots=True)
class Score:
    """The score, and what it is made of."""

    parts: Sequence[ScorePart]

    @property
    def value(self) -> Fraction:
        """0 to 100."""
        return sum((part.points for part in self.parts), Fraction(0))

    @property
    def label(self) -> PerformanceLabel:
        for least, label in _LABELS:
            if self.value >= least:
                return label
        return PerformanceLabel.POOR


def score(values: Mapping[ScoreMeasure, Fraction | None]) -> Score:
    """The score of these rates in percent, and engagement in seconds; None where there is none."""
    return Score(
        [
            ScorePart(measure, values[measure], _points(measure, values[measure]))
            for measure in WEIGHTS
        ]
    )


def _points(measure: ScoreMeasure, value: Fraction | None) -> Fraction:
    """None gives none, also of the bounce rate: it is None only where there is no session at all."""
    if value is None:
        return Fraction(0)
    reached = _MOST - value if measure is ScoreMeasure.BOUNCE_RATE else _FACTORS[measure] * value
    return WEIGHTS[measure] * min(max(reached, Fraction(0)), _MOST)


def score_of(measures: Measures) -> Score:
    """The score of what was counted, with the rates as Metrics has them."""
    engagement = _ratio(measures.engagement, measures.engaged_events)
    return score(
        {
            ScoreMeasure.CLICK_THROUGH_RATE: _percent(measures.clicks, measures.impressions),
            ScoreMeasure.CONVERSION_RATE: _percent(measures.conversions, measures.clicks),
            ScoreMeasure.ENGAGEMENT: None
            if engagement is None
            else engagement / _MILLISECONDS_PER_SECOND,
            ScoreMeasure.BOUNCE_RATE: _percent(measures.bounced_sessions, measures.sessions),
        }
    )


def _percent(count: int | None, of: int | None) -> Fraction | None:
    ratio = _ratio(count, of)
    return None if ratio is None else 100 * ratio


def _ratio(count: int | None, of: int | None) -> Fraction | None:
    return None if count is None or not of else Fraction(count, of)
