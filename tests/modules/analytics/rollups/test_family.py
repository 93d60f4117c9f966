"""Which rollups may serve which report."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.modules.analytics.pipelines.dimensions import FIELDS
from app.modules.analytics.query import Condition, Dimension, EventFilter, ReportQuery
from app.modules.analytics.ranges import TimeRange
from app.modules.analytics.rollups.cells import SITE
from app.modules.analytics.rollups.family import Family, family_of
from app.modules.analytics.rollups.keying import CALENDAR
from app.modules.analytics.zones import zone_named
from tests.examples import examples

START = datetime(2026, 6, 1, tzinfo=UTC)


def query(**details: Any) -> ReportQuery:
    span = TimeRange(START, START + timedelta(days=7))
    return ReportQuery(span, zone_named("UTC"), "EUR", **details)


def where(dimension: Dimension, *values: str) -> Condition:
    return Condition(dimension, values)


def family(**details: Any) -> Family:
    found = family_of(query(**details))
    assert found is not None
    return found


def test_without_dimensions_and_conditions_all_of_the_site_serves() -> None:
    """In rollups of every length, by the calendar as well: boundaries keep it to the short ones."""
    for dimensions in ((), (Dimension.WEEKDAY,), (Dimension.HOUR_OF_DAY, Dimension.WEEKDAY)):
        found = family(dimensions=dimensions)
        assert (found.dimension, found.values, found.place) == (SITE, None, None)
        assert "quarter" in found.levels
        assert not found.is_ranked


@pytest.mark.parametrize("dimension", FIELDS)
def test_one_dimension_serves_itself(dimension: Dimension) -> None:
    """As rows, as a condition, and as both; several conditions leave the values of all of them."""
    found = family(dimensions=(dimension,))
    assert (found.dimension, found.values, found.place) == (dimension, None, 1)
    assert found.is_ranked
    conditions = (where(dimension, "b", "a"), where(dimension, "c", "b"))
    found = family(filter=EventFilter(where=conditions))
    assert (found.dimension, found.values, found.place) == (dimension, ("b",), None)
    found = family(filter=EventFilter(where=conditions[:1]), dimensions=(dimension,))
    assert (found.values, found.place, found.is_ranked) == (("a", "b"), 1, False)


def test_items_are_conditions_on_the_item() -> None:
    """Named ones, and any that are: those without an item are then no row."""
    found = family(filter=EventFilter(items=("b", "a")))
    assert (found.dimension, found.values, found.place) == (Dimension.ITEM, ("a", "b"), None)
    found = family(filter=EventFilter(with_item=True), dimensions=(Dimension.ITEM,))
    assert (found.dimension, found.without_none, found.is_ranked) == (Dimension.ITEM, True, True)


conditions = st.builds(
    lambda dimension, values: where(dimension, *values),
    st.sampled_from([Dimension.ITEM, Dimension.DEVICE, Dimension.CATEGORY, *CALENDAR]),
    st.lists(st.sampled_from("abc"), max_size=2),
)


@settings(deadline=None, max_examples=examples(40))
@given(
    wanted=st.builds(
        EventFilter,
        items=st.none() | st.just(("a",)),
        user=st.none() | st.just("u"),
        visitor=st.none() | st.just("v"),
        where=st.lists(conditions, max_size=2).map(tuple),
        with_item=st.booleans(),
    ),
    dimensions=st.lists(st.sampled_from(list(Dimension)), max_size=2, unique=True).map(tuple),
    sampled=st.booleans(),
)
def test_only_what_rollups_know_is_asked_of_them(
    wanted: EventFilter, dimensions: tuple[Dimension, ...], sampled: bool
) -> None:
    """Never a user, a visitor, a sample, two dimensions at once, or one that is not of the event."""
    found = family_of(query(filter=wanted, dimensions=dimensions, sampled=sampled))
    asked = {one.dimension for one in wanted.where} | set(dimensions)
    if wanted.items or wanted.with_item:
        asked.add(Dimension.ITEM)
    if found is None:
        return
    assert not sampled
    assert wanted.user is None
    assert wanted.visitor is None
    if found.dimension == SITE:
        assert asked <= CALENDAR
        assert not wanted.where
        return
    assert asked == {found.dimension}
    assert "quarter" not in found.levels, "there are no quarters of single values"
    if dimensions:
        assert found.place == 1
    else:
        assert found.place is None
        assert found.values is not None
