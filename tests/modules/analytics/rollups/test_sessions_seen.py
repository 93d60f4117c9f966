"""Sessions and whether they bounced, added up over periods that each saw a piece of them."""

from collections import Counter

import bson
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.modules.analytics.measures import Part
from app.modules.analytics.rollups.columns import TYPES
from app.modules.analytics.rollups.distinct import EXACT
from app.modules.analytics.rollups.sessions_seen import (
    MANY,
    SAMPLE,
    SeenSessions,
    bounced,
    bounced_in,
    bounces,
    enough,
    merged_sessions,
    read_sessions,
    seen,
    stored_sessions,
    together,
)
from app.modules.analytics.rollups.tally import INTERACTION, PAGE_VIEW, Tally
from tests.examples import examples
from tests.modules.analytics.rollups.making import random_ids

Piece = list[tuple[int, bool, bool]]  # session, whether a page view, whether an interaction


def of(piece: Piece) -> SeenSessions:
    ids = np.array([session for session, _, _ in piece], np.uint64)
    views = np.array([view for _, view, _ in piece], np.uint8)
    return seen(ids, views, np.array([acted for _, _, acted in piece], np.uint8))


def through_the_database(sessions: SeenSessions) -> SeenSessions:
    return read_sessions(bson.decode(bson.encode(stored_sessions(sessions))))


def states_of(events: Piece) -> dict[int, tuple[int, bool]]:
    """Page views, at most 2, and whether there was an interaction, by session."""
    views = Counter(session for session, view, _ in events if view)
    acted = {session for session, _, act in events if act}
    return {s: (min(views[s], 2), s in acted) for s, _, _ in events}


def said(sessions: SeenSessions) -> dict[int, tuple[int, bool]]:
    return {
        one: (state % 4, state >= 4)
        for one, state in zip(sessions.ids.tolist(), sessions.states.tolist(), strict=True)
    }


events = st.tuples(st.integers(1, 9) | st.just(2**64 - 1), st.booleans(), st.booleans())


@settings(deadline=None, max_examples=examples(40))
@given(pieces=st.lists(st.lists(events, max_size=8), max_size=6))
def test_pieces_are_together_what_the_whole_is(pieces: list[Piece]) -> None:
    """Page views are added up, interactions remembered; in any order and grouping, stored or not."""
    whole = [event for piece in pieces for event in piece]
    parts = [of(piece) for piece in pieces]
    expected = states_of(whole)
    for merged in (
        of(whole),
        together(parts),
        together(parts[::-1]),
        together([through_the_database(part) for part in parts]),
        together([together(parts[:2]), through_the_database(together(parts[2:]))]),
    ):
        assert said(merged) == expected
        number = sum(state == (1, False) for state in expected.values())
        assert bounced(merged, [], []) == number


@pytest.mark.parametrize("number", [EXACT + 1, SAMPLE, SAMPLE + 1, 20_000])
def test_a_sample_of_the_smallest_hashes_is_the_same_however_it_is_divided(number: int) -> None:
    """Each session of it has the state that all of its events give; none below the bound is missing."""
    chance = np.random.default_rng(number)
    ids = random_ids(3, number).tolist()
    whole = [
        (ids[place], bool(chance.random() < 0.7), bool(chance.random() < 0.2))
        for place in [*range(number), *chance.integers(0, number, number // 2).tolist()]
    ]
    chance.shuffle(whole)  # type: ignore[arg-type]
    expected = states_of(whole)
    share = sum(state == (1, False) for state in expected.values()) / number
    known = None
    for cuts in ([], [number // 2], [100, 9_000], [number // 3, number // 2, number]):
        pieces = np.split(np.arange(len(whole)), cuts)
        stored = [stored_sessions(of([whole[place] for place in piece])) for piece in pieces]
        parts = [read_sessions(bson.decode(bson.encode(part))) for part in stored]
        merged = together(parts)
        assert together(parts[::-1]).ids.tolist() == merged.ids.tolist()
        below = min(part.below for part in parts)
        assert merged.below == below
        assert said(merged) == {one: expected[one] for one in expected if one <= below}
        assert len(merged.ids) >= min(number, SAMPLE)
        found = bounced(merged, [bounced_in(part) for part in stored], parts)
        assert found is not None
        assert abs(found / number - share) < 0.03  # four standard errors of 4,096
        if below == 2**64 - 1:
            assert found == round(share * number)
        known = known or found
    assert known


def test_bounces_of_many_sessions_need_no_large_sample() -> None:
    """Days of which few sessions go on in the next one, merged into weeks: right to 2 in 100."""
    chance = np.random.default_rng(7)
    ids = np.sort(random_ids(7, 70_000))
    states = (chance.random(len(ids)) < 0.05).astype(np.uint8)  # one page view, or none
    days = [SeenSessions(ids[day::7], states[day::7]) for day in range(7)]
    # Every fiftieth is seen on the next day as well, and interacts there.
    again = [SeenSessions(day.ids[::50], np.full(len(day.ids[::50]), 4, np.uint8)) for day in days]
    days = [together([day, before]) for day, before in zip(days, again[-1:] + again, strict=False)]
    expected = bounces(together(days))
    stored = [stored_sessions(day) for day in days]
    week = merged_sessions(stored)
    for parts in (stored, [week], [merged_sessions(stored[:4]), *stored[4:]]):
        tally = Tally([Part.SESSIONS])
        place = tally.place((None,))
        for part in parts:
            tally.add_stored(place, "sessions", part)
        [measures] = tally.measures("EUR")
        assert measures.bounced_sessions is not None
        assert abs(measures.bounced_sessions / expected - 1) < 0.02


def test_nothing_bounced_of_nothing() -> None:
    """No sessions at all, stored and read."""
    nothing = through_the_database(of([]))
    assert said(nothing) == said(together([])) == {}
    assert bounced(nothing, [], []) == 0


def test_only_page_views_and_interactions_matter() -> None:
    """The codes of the types are what the definition of a bounce says."""
    acting = {TYPES[code] for code in range(len(TYPES)) if INTERACTION[code]}
    assert acting == {"CLICK", "CONVERSION", "CUSTOM"}
    assert TYPES[PAGE_VIEW] == "PAGE_VIEW"


@pytest.mark.parametrize("number", [EXACT + 1, 3_900, SAMPLE, 6_000])
def test_no_more_sessions_bounce_than_there_are(number: int) -> None:
    """Where every session bounced the rate is 100%, whether their number is known or estimated."""
    for seed in range(6):
        ids = np.sort(random_ids(seed, number))
        everyone = SeenSessions(ids, np.ones(number, np.uint8))
        few = SeenSessions(ids[:9], np.zeros(9, np.uint8))
        for parts, is_exact in (([everyone], True), ([everyone, few], number <= SAMPLE)):
            tally = Tally([Part.SESSIONS])
            place = tally.place((None,))
            for part in parts:
                tally.add_stored(place, "sessions", stored_sessions(part))
            [measures] = tally.measures("EUR")
            assert measures.bounced_sessions == measures.sessions
            assert measures.exact is is_exact
            assert measures.sessions is not None
            assert abs(measures.sessions / number - 1) < (1e-9 if is_exact else 0.03)


@pytest.mark.parametrize("number", [800, 1_500, 6_000, 20_000])
def test_sessions_that_were_merged_before_are_those_that_were_not(number: int) -> None:
    """Days merged into a week: every session that is known has the state that all of its days give."""
    chance = np.random.default_rng(number)
    ids = random_ids(5, number).tolist()
    whole = [
        (ids[place], bool(chance.random() < 0.7), bool(chance.random() < 0.2))
        for place in chance.integers(0, number, 2 * number).tolist()
    ]
    expected = states_of(whole)
    pieces = [whole[place::5] for place in range(5)]
    days = [stored_sessions(of(piece)) for piece in pieces]
    for cut in (1, 3, 5):
        week = bson.decode(bson.encode(merged_sessions(days[:cut])))
        merged = together([read_sessions(part) for part in (week, *days[cut:])])
        assert said(merged) == {one: expected[one] for one in expected if one <= merged.below}
        assert len(merged.ids) >= min(len(expected), SAMPLE)
        if len(expected) <= EXACT:
            assert "ids" in week


@pytest.mark.parametrize("number", [MANY // 5, 5 * MANY])
def test_enough_for_an_estimate_is_a_share_of_each_part(number: int) -> None:
    """About as many as are wanted, each with the state that all parts give; all, where they are few."""
    ids = np.sort(random_ids(3, number))
    states = np.arange(number, dtype=np.uint8) % np.uint8(3)
    parts = [SeenSessions(ids[start::5], states[start::5]) for start in range(5)]
    whole, found = together(parts), together(enough(parts))
    there = whole.ids <= np.uint64(found.below)
    assert found.ids.tolist() == whole.ids[there].tolist()
    assert found.states.tolist() == whole.states[there].tolist()
    assert found.are_all == (number < MANY)
    assert abs(len(found.ids) - min(number, MANY)) < MANY / 10
