"""Coverage: every millisecond of a range once, from what may be believed of it, and no other."""

from collections.abc import Collection
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.quarters import DAY_MS, QUARTER_MS
from app.modules.analytics.rollups.cells import (
    DAY,
    FOUR_WEEKS,
    FOUR_WEEKS_MS,
    QUARTER,
    WEEK,
    WEEK_MS,
)
from app.modules.analytics.rollups.coverage import (
    MOST_DAYS,
    PARTS,
    Coverage,
    Stored,
    Unit,
    coverage,
    four_weeks_of,
    week_of,
)
from app.modules.analytics.rollups.parts import LARGE, MINUTE_MS, parts_of_day
from tests.examples import examples

HOUR_MS = 60 * MINUTE_MS
MONDAY = 20_605 * DAY_MS  # 2026-06-01
LEVELS = [FOUR_WEEKS, WEEK, DAY, PARTS, QUARTER]

Span = tuple[int, int]

instants = st.builds(
    lambda quarters, rest: MONDAY + quarters * QUARTER_MS + rest,
    st.integers(-100, 20 * 96)
    | st.integers(-1, 21).map(lambda day: day * 96)
    | st.sampled_from([-21, -14, 7, 35]).map(lambda day: day * 96),
    st.sampled_from([0, 0, 0, 1, -1, 17, 420_000]),
)
ranges = st.tuples(instants, instants).map(lambda both: (min(both), max(both)))
quarters = st.builds(
    lambda spread, start: start // QUARTER_MS * QUARTER_MS + spread * QUARTER_MS,
    st.integers(0, 8),
    instants,
)
PARTS_OF_DAYS = {
    MONDAY + day * DAY_MS: parts_of_day(LARGE if day % 3 else 0) for day in range(-30, 50)
}
days = instants.map(lambda at: at // DAY_MS * DAY_MS)
stores = st.builds(
    lambda edges, *dirty: Stored(*edges, *dirty),
    ranges,
    st.frozensets(quarters, max_size=12),
    st.frozensets(days, max_size=4),
    st.frozensets(days.map(week_of), max_size=2),
    st.frozensets(days.map(four_weeks_of), max_size=1),
)


def lies(unit: Unit) -> Span:
    """The period that a unit stands for."""
    if unit.level == FOUR_WEEKS:
        return unit.start, unit.start + FOUR_WEEKS_MS
    if unit.level == WEEK:
        return unit.start, unit.start + WEEK_MS
    if unit.level == DAY:
        return unit.start, unit.start + DAY_MS
    if unit.level == QUARTER:
        return unit.start, unit.start + QUARTER_MS
    which, _, number = unit.level.partition("-")
    middle = unit.start + int(number) * MINUTE_MS
    return (unit.start, middle) if which == "first" else (middle, unit.start + DAY_MS)


def within(span: Span, clip: Span) -> Span:
    return max(span[0], clip[0]), min(span[1], clip[1])


def covered(
    start: int, end: int, stored: Stored, levels: Collection[str], boundaries: list[int]
) -> Coverage:
    return coverage(start, end, stored, levels, boundaries, PARTS_OF_DAYS)


def check(
    found: Coverage, clip: Span, stored: Stored, levels: Collection[str], boundaries: list[int]
) -> None:
    """All that must hold of a coverage."""
    start, end = clip
    periods = [lies(unit) for unit in found.units]
    clipped = [within(span, clip) for span in (*found.columns, *found.live)]
    spans = sorted([*periods, *clipped])
    if start >= end:
        assert all(first >= last for first, last in spans)
        return
    # Once each: they follow each other without a gap, from the first instant to the last.
    assert (spans[0][0], spans[-1][1]) == clip
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert all(first < last for first, last in spans)

    for unit, (first, last) in zip(found.units, periods, strict=True):
        assert unit.at == first
        assert (unit.level if unit.level in LEVELS else PARTS) in levels
        touched = range(first // DAY_MS * DAY_MS, last, DAY_MS)
        assert not any(first <= quarter < last for quarter in stored.dirty_quarters)
        assert not any(first < boundary < last for boundary in boundaries)
        if unit.level not in LEVELS:
            divided = (last if unit.level.startswith("first") else first) - unit.start
            assert divided // MINUTE_MS in PARTS_OF_DAYS[unit.start]
        if unit.level != QUARTER:
            assert not stored.dirty_days.intersection(touched)
        if unit.level in (WEEK, FOUR_WEEKS):
            assert first == week_of(first)
            assert not stored.dirty_weeks.intersection(touched)
        if unit.level == FOUR_WEEKS:
            assert first == four_weeks_of(first)
            assert first not in stored.dirty_four_weeks
    dirty = [(quarter, quarter + QUARTER_MS) for quarter in stored.dirty_quarters]
    for span in found.columns:
        assert span[0] % QUARTER_MS == 0
        assert all(within(span, quarter)[0] >= within(span, quarter)[1] for quarter in dirty)
    for first, last in found.live:
        # Whatever is read live is marked, all of it.
        pieces = range(first // QUARTER_MS * QUARTER_MS, last, QUARTER_MS)
        assert stored.dirty_quarters.issuperset(pieces)
        assert within((first, last), clip) == (first, last)
    # No quarter of an hour is read twice, although columns are read in whole quarters.
    read = [
        quarter
        for first, last in (*found.columns, *found.live)
        for quarter in range(first // QUARTER_MS * QUARTER_MS, last, QUARTER_MS)
    ]
    assert len(read) == len(set(read))
    assert [span for span in found.live_quarters() if span[0] >= span[1]] == []
    assert sum(b - a for a, b in found.live_quarters()) == sum(b - a for a, b in found.live)
    assert all(a // QUARTER_MS == (b - 1) // QUARTER_MS for a, b in found.live_quarters())
    assert found.quarters_in_columns == len(
        {quarter for a, b in found.columns for quarter in range(a, b, QUARTER_MS)}
    )


@settings(deadline=None, max_examples=examples(40))
@given(
    asked=ranges,
    stored=stores,
    levels=st.lists(st.sampled_from(LEVELS), unique=True),
    boundaries=st.lists(instants, max_size=4, unique=True).map(sorted),
)
def test_every_millisecond_is_covered_once_by_what_is_clean(
    asked: Span, stored: Stored, levels: list[str], boundaries: list[int]
) -> None:
    """Marked quarters only ever live; marked days, weeks and four weeks never from rollups of theirs; no rollup
    across a boundary or beyond the range."""
    found = covered(*asked, stored, levels, boundaries)
    check(found, within(asked, (stored.start, stored.end)), stored, levels, boundaries)


@settings(deadline=None, max_examples=examples(20))
@given(asked=ranges, dirty=st.frozensets(quarters, max_size=6))
def test_a_very_long_range_is_divided_in_the_same_way(asked: Span, dirty: frozenset[int]) -> None:
    """Without looking at its days one by one: no rollups, and quarters in as few spans as can be."""
    start, end = asked[0] - (MOST_DAYS + 1) * DAY_MS, asked[1]
    stored = Stored(start, end, dirty, frozenset())
    found = coverage(start, end, stored, LEVELS, [])
    assert found.units == []
    # `check` looks at quarters one by one: that is for what is around the marks.
    assert len(found.columns) <= len(dirty) + 1
    spans = sorted([*found.columns, *found.live])
    assert within(spans[0], (start, end))[0] == start
    assert spans[-1][1] == end
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    inside = {quarter for quarter in dirty if start - QUARTER_MS < quarter < end}
    assert {quarter // QUARTER_MS * QUARTER_MS for quarter, _ in found.live_quarters()} == inside


def test_the_largest_rollups_are_taken() -> None:
    """Three weeks and a bit: weeks, days, one beginning of a day, and quarters for the rest."""
    start, end = MONDAY - DAY_MS, MONDAY + 15 * DAY_MS + 3 * HOUR_MS + QUARTER_MS + 5
    found = covered(start, end, Stored(0, end + DAY_MS, frozenset(), frozenset()), LEVELS, [])
    levels = [unit.level for unit in found.units]
    assert levels == ["day", "week", "week", "day", "first-180", "quarter"]
    assert found.columns == [(end - 5, end)]
    assert found.live == []


def test_four_weeks_are_one_rollup_unless_one_of_them_is_marked() -> None:
    """From a day before to a day after."""
    first = MONDAY - 3 * WEEK_MS
    asked = (first - DAY_MS, first + FOUR_WEEKS_MS + DAY_MS)
    nothing: frozenset[int] = frozenset()
    found = covered(*asked, Stored(*asked, nothing, nothing), LEVELS, [])
    assert [unit.level for unit in found.units] == ["day", "four-weeks", "day"]
    marked = Stored(*asked, nothing, nothing, frozenset({MONDAY}))
    found = covered(*asked, marked, LEVELS, [])
    assert [unit.level for unit in found.units].count("week") == 3
    check(found, asked, marked, LEVELS, [])


def test_one_marked_quarter_leaves_the_rest_of_the_week_to_rollups() -> None:
    """Its day is put together of the others; all other days stay days."""
    marked = MONDAY + 2 * DAY_MS + 30 * QUARTER_MS
    stored = Stored(MONDAY, MONDAY + WEEK_MS, frozenset({marked}), frozenset())
    found = covered(MONDAY, MONDAY + WEEK_MS, stored, LEVELS, [])
    assert found.live == [(marked, marked + QUARTER_MS)]
    assert found.columns == []
    assert [unit.level for unit in found.units].count("day") == 6
    check(found, (MONDAY, MONDAY + WEEK_MS), stored, LEVELS, [])


def test_nothing_stored_in_the_range_covers_nothing() -> None:
    """What is stored lies before it, after it, or is empty."""
    for edges in ((0, MONDAY), (MONDAY + WEEK_MS, MONDAY + 2 * WEEK_MS), (MONDAY, MONDAY)):
        stored = Stored(*edges, frozenset({MONDAY - QUARTER_MS}), frozenset())
        found = covered(MONDAY, MONDAY + WEEK_MS, stored, LEVELS, [])
        assert (found.units, found.columns, found.live) == ([], [], [])
