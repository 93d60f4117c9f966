"""The performance score as a formula: its edges, its labels, and that it is exact."""

from fractions import Fraction
from typing import Any

import pytest

from app.modules.analytics.measures import Measures
from app.modules.analytics.score.scoring import ScoreMeasure, score, score_of

Number = Fraction | int | str | None


def scored(click: Number, conversion: Number, engagement: Number, bounce: Number) -> Any:
    """The score of rates in percent and seconds."""
    values = (click, conversion, engagement, bounce)
    return score(
        {
            measure: None if value is None else Fraction(value)
            for measure, value in zip(ScoreMeasure, values, strict=True)
        }
    )


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ((1, 1, 1, 99), ("3", "1.5", "0.4", "0.2")),
        ((0, 0, 0, 100), ("0", "0", "0", "0")),
        ((0, 0, 0, 0), ("0", "0", "0", "20")),
        ((None, None, None, None), ("0", "0", "0", "0")),
        ((10, 20, 50, 0), ("30", "30", "20", "20")),
        (("9.99", "19.99", "49.99", "0.01"), ("29.97", "29.985", "19.996", "19.998")),
        # Rates are never clamped themselves; what they give is.
        (("10.01", "20.01", "50.01", 0), ("30", "30", "20", "20")),
        ((150, 10_000, 1_800, 0), ("30", "30", "20", "20")),
        ((0, 0, 0, 101), ("0", "0", "0", "0")),
        ((-1, -1, -1, -1), ("0", "0", "0", "20")),
        ((-1, -1, -1, 250), ("0", "0", "0", "0")),
        ((5, None, 25, None), ("15", "0", "10", "0")),
    ],
)
def test_points(values: tuple[Number, ...], points: tuple[str, ...]) -> None:
    """Each measure gives its weight times 0 to 100 and no more; a missing one gives none."""
    found = scored(*values)
    assert [part.points for part in found.parts] == [Fraction(each) for each in points]
    assert found.value == sum(Fraction(each) for each in points)
    assert [part.value is None for part in found.parts] == [value is None for value in values]


@pytest.mark.parametrize(
    ("values", "value", "label"),
    [
        ((10, 20, 50, 0), 100, "EXCELLENT"),
        ((10, 20, 25, 50), 80, "EXCELLENT"),
        ((10, 20, 25, "50.000001"), "79.9999998", "GOOD"),
        ((10, 20, 0, 100), 60, "GOOD"),
        (("9.999999", 20, 0, 100), "59.999997", "AVERAGE"),
        ((0, 0, 50, 0), 40, "AVERAGE"),
        ((0, 0, "49.999999", 0), "39.9999996", "POOR"),
        ((None, None, None, None), 0, "POOR"),
    ],
)
def test_labels(values: tuple[Number, ...], value: Number, label: str) -> None:
    """From exactly 80, 60 and 40; a hair below is the next one down."""
    found = scored(*values)
    assert (found.value, found.label) == (Fraction(value or 0), label)


def test_the_score_is_exact() -> None:
    """Rates that are no binary fractions add up to 80 exactly, not to 79.99999999999999."""
    measures = Measures(
        impressions=300,
        clicks=29,  # 9.666...%, 29 points
        conversions=5,  # 17.24...%
        engagement=147_700,
        engaged_events=3,
        sessions=7,
        bounced_sessions=0,
    )
    parts = score_of(measures).parts
    assert [part.points for part in parts] == [29, Fraction(750, 29), Fraction(1477, 75), 20]
    thirds = Measures(
        impressions=3_000, clicks=200, conversions=40, engagement=100_000, engaged_events=3,
        sessions=3, bounced_sessions=1,
    )  # fmt: skip
    assert score_of(thirds).value == 20 + 30 + Fraction(40, 3) + Fraction(40, 3)
    exactly = Measures(
        impressions=3_000, clicks=200, conversions=40, engagement=125_000, engaged_events=3,
        sessions=3, bounced_sessions=1,
    )  # fmt: skip
    assert score_of(exactly).value == 80
    assert score_of(exactly).label == "EXCELLENT"


@pytest.mark.parametrize(
    ("measures", "missing"),
    [
        (Measures(), "1111"),
        (Measures(impressions=1), "0111"),
        (Measures(clicks=1, sessions=1, bounced_sessions=0), "1010"),
        (Measures(engagement=0, engaged_events=1), "1101"),
        (Measures(clicks=2, impressions=1, conversions=3, sessions=None), "0011"),
    ],
)
def test_what_is_missing(measures: Measures, missing: str) -> None:
    """What is divided by nothing has no value; zero of something has one."""
    found = "".join(str(int(part.value is None)) for part in score_of(measures).parts)
    assert found == missing
