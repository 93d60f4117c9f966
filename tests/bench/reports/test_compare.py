"""What the bench lets pass as the same figure, and what it does not."""

from typing import Any

import pytest

from tests.bench.reports import compare
from tests.bench.reports.recount import Counted

NUMBERS = {
    "events": 40_000, "impressions": 30_000, "views": 6_000, "clicks": 900, "conversions": 30,
    "bounces": 7, "pageViews": 3_000, "engagement": 10, "engagement of": 3, "scroll": 0,
    "scroll of": 0, "uniqueVisitors": 10_000, "convertedVisitors": 20, "uniqueUsers": 1_000,
    "uniqueSessions": 20_000, "bouncedSessions": 5_000,
}  # fmt: skip
COUNTED = Counted(NUMBERS, {"EUR": (100_000, 27), "USD": (5, 1)})
RIGHT: dict[str, Any] = {
    **{name: NUMBERS[name] for name in (*compare.PLAIN_COUNTS, *compare.DISTINCT_COUNTS)},
    "clickThroughRate": 3.0,
    "viewRate": 20.0,
    "conversionRate": 100 * 30 / 900,
    "visitorConversionRate": 0.2,
    "bounceRate": 25.0,
    "currency": "EUR",
    "revenue": "1000.00",
    "revenueByCurrency": [
        {"currency": "EUR", "amount": "1000"},
        {"currency": "USD", "amount": "0.05"},
    ],
    "averageConversionValue": "37.037037",
    "revenuePerClick": "1.111111",
    "revenuePerImpression": "0.033333",
    "averageEngagement": 10 / 3,
    "averageScrollDepth": None,
}


def differ(exact: bool = False, **changes: Any) -> list[str]:
    """The names of the figures that differ where these were answered instead of the right ones."""
    answered = {**RIGHT, **changes}
    found = compare.metrics("it", answered, COUNTED, "EUR", exact=exact)
    return [each.where.removeprefix("it.") for each in found]


def test_the_right_answer_passes() -> None:
    """Every field of Metrics is compared, and none differs."""
    assert set(RIGHT) == set(compare.METRICS)
    assert differ() == differ(exact=True) == []


@pytest.mark.parametrize("name", [*compare.PLAIN_COUNTS])
def test_counts_are_exact(name: str) -> None:
    """One too many or too few is a difference, and so is none at all."""
    assert differ(**{name: NUMBERS[name] + 1}) == [name]
    assert differ(**{name: NUMBERS[name] - 1}) == [name]
    assert differ(**{name: None}) == [name]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("clickThroughRate", 3.000001),
        ("viewRate", None),
        ("conversionRate", 3.3333),
        ("averageEngagement", 3.3),
        ("averageScrollDepth", 0.0),
        ("currency", "USD"),
        ("revenue", "1000.01"),
        ("revenueByCurrency", [{"currency": "EUR", "amount": "1000"}]),
        ("averageConversionValue", "37.037038"),
        ("revenuePerClick", None),
        ("revenuePerImpression", "0.0333"),
    ],
)
def test_rates_and_amounts_are_exact(name: str, wrong: Any) -> None:
    """What is not the number to the last digit is a difference."""
    assert differ(**{name: wrong}) == [name]


def test_distinct_counts_may_be_estimates() -> None:
    """Off by four standard errors of 0.7% at most, and by nothing where the answer says exact."""
    assert differ(uniqueVisitors=10_280) == differ(uniqueVisitors=9_720) == []
    assert differ(uniqueVisitors=10_281) == differ(uniqueVisitors=9_719) == ["uniqueVisitors"]
    assert differ(exact=True, uniqueVisitors=10_001) == ["uniqueVisitors"]


def test_small_distinct_counts_are_exact() -> None:
    """Up to 1,000 none may be off, whatever the answer says."""
    assert differ(uniqueUsers=999) == differ(uniqueUsers=1_001) == ["uniqueUsers"]


def test_rates_of_distinct_counts_follow_their_counts() -> None:
    """Both counts may be off, one up and one down; exact ones give the exact rate."""
    highest = 25.0 * 1.028 / 0.972
    assert differ(bounceRate=highest - 0.001) == []
    assert differ(bounceRate=highest + 0.001) == ["bounceRate"]
    assert differ(bounceRate=None) == ["bounceRate"]
    assert differ(exact=True, bounceRate=25.001) == ["bounceRate"]


def test_a_field_that_nobody_knows_is_an_error() -> None:
    """A new field of Metrics that is asked for must be recounted, too."""
    with pytest.raises(KeyError):
        differ(newField=1)


def test_the_currency_of_a_report() -> None:
    """The only one that occurs, else the site's."""
    dollars, nothing = Counted(NUMBERS, {"USD": (5, 1)}), Counted(NUMBERS, {})
    assert compare.currency_of([dollars, nothing]) == "USD"
    assert compare.currency_of([nothing]) == "EUR"
    assert compare.currency_of([dollars, COUNTED]) == "EUR"


def test_changes_follow_from_the_answer() -> None:
    """In percent of what it was; null where that was nothing; every number of Metrics has one."""
    before = {**RIGHT, "events": 32_000, "views": 0, "revenue": "800", "viewRate": None}
    names = [name for name in compare.METRICS if name not in ("currency", "revenueByCurrency")]
    right = {**dict.fromkeys(names, 0.0), "events": 25.0, "revenue": 25.0}
    right |= {"views": None, "viewRate": None, "averageScrollDepth": None}
    assert list(compare.changes("it", right, RIGHT, before)) == []
    [wrong] = compare.changes("it", {**right, "events": 20.0}, RIGHT, before)
    assert str(wrong) == "it.events: answered 20.0, recounted 25.0"
    [missing] = compare.changes(
        "it", {k: v for k, v in right.items() if k != "clicks"}, RIGHT, before
    )
    assert missing.where == "it.clicks"


def test_lists_differ_in_their_first_place() -> None:
    """One line for a list, however long: where it is first another one, or ends too soon."""
    assert list(compare.same_order("it", ["a", "b"], ["a", "b"])) == []
    [other] = compare.same_order("it", ["a", "b", "c"], ["a", "c", "b"])
    assert str(other) == "it, number 2: answered b, recounted c"
    [short] = compare.same_order("it", ["a"], ["a", None])
    assert str(short) == "it, number 2: answered nothing, recounted None"
