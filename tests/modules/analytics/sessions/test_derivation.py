"""Sessions from events: where they begin and end, and what they say."""

from datetime import timedelta
from typing import Any

import pytest

from app.modules.analytics.sessions.derivation import Derivation, Session, document_of, session_of
from app.modules.analytics.sessions.resolution import Differences, Resolution
from tests.conftest import NOW
from tests.modules.analytics.asking import event


def at(minutes: float = 0, milliseconds: int = 0, kind: str = "PAGE_VIEW", **more: Any) -> Any:
    """An event so long after NOW."""
    when = NOW + timedelta(minutes=minutes, milliseconds=milliseconds)
    return event(kind, at=when, **more)


def derive(*events: dict[str, Any], by_source: bool = False) -> list[Session]:
    """The sessions of events that come in their order."""
    derivation = Derivation("demo", "s", by_source)
    ended = [derivation.add(one) for one in events]
    return [session for session in (*ended, derivation.end()) if session]


def minutes(sessions: list[Session]) -> list[tuple[float, float]]:
    """Start and end of each, in minutes after NOW."""
    minute = timedelta(minutes=1)
    return [((one.start - NOW) / minute, (one.last - NOW) / minute) for one in sessions]


def test_no_events_are_no_session() -> None:
    """Nothing comes of nothing."""
    assert derive() == []


def test_a_pause_of_more_than_half_an_hour_ends_a_session() -> None:
    """Exactly 30 minutes do not; a millisecond more does."""
    assert minutes(derive(at(0), at(30), at(60))) == [(0, 60)]
    assert len(derive(at(0), at(30, 1))) == 2
    assert minutes(derive(at(0), at(31), at(40))) == [(0, 0), (31, 40)]


def test_what_a_session_says() -> None:
    """Counts, pages, items, its source, and who and with what, from the events that have it."""
    [session] = derive(
        at(0, kind="IMPRESSION", item="a", visitor="v1", page="https://shop.example/"),
        at(1, page="https://shop.example/b", referrer="google.com", utm_campaign="spring"),
        at(2, kind="VIEW", item="a", visitor="v2", user="u1", device="mobile", os="iOS"),
        at(2, kind="VIEW", item="b", user="u2", device="tv", referrer="bing.com"),
        at(3, kind="CLICK", item="b"),
        at(3, kind="CLICK", item="b", browser="Firefox"),
        at(4, 5, kind="CONVERSION", item="c"),
    )
    document = document_of(session)
    assert document.pop("_id").startswith("demo:")
    assert document == {
        "site": "demo",
        "session": "s",
        "start": NOW,
        "last": NOW + timedelta(minutes=4, milliseconds=5),
        "visitor": "v1",
        "user": "u1",
        "events": 7,
        "page_views": 1,
        "conversions": 1,
        "items_seen": 2,
        "items_clicked": 1,
        "bounced": False,
        "entry_page": "https://shop.example/",
        "exit_page": "https://shop.example/b",
        "referrer": "google.com",
        "utm_campaign": "spring",
        "device": "mobile",
        "browser": "Firefox",
        "os": "iOS",
        "by_source": False,
    }
    assert session.duration == 240_005
    assert session_of(document_of(session)) == session


@pytest.mark.parametrize(
    ("kinds", "bounced"),
    [
        (["PAGE_VIEW"], True),
        (["PAGE_VIEW", "IMPRESSION", "VIEW", "ENGAGEMENT", "BOUNCE"], True),
        (["PAGE_VIEW", "CLICK"], False),
        (["PAGE_VIEW", "CONVERSION"], False),
        (["PAGE_VIEW", "CUSTOM"], False),
        (["PAGE_VIEW", "PAGE_VIEW"], False),
        (["IMPRESSION"], False),
        (["BOUNCE"], False),
    ],
)
def test_a_bounce_is_one_page_view_and_no_interaction(kinds: list[str], bounced: bool) -> None:
    """As the definition says; events of type BOUNCE have no part in it."""
    assert derive(*[at(kind=kind) for kind in kinds])[0].bounced is bounced


SHOP = {"page": "https://www.shop.example/a"}


@pytest.mark.parametrize(
    ("events", "number"),
    [
        ([{"referrer": "a.com"}, {"referrer": "a.com"}, {}], 1),
        ([{"referrer": "a.com"}, {"referrer": "b.com"}], 2),
        ([{"referrer": "a.com"}, {"referrer": "b.com"}, {"referrer": "a.com"}], 3),
        ([{}, {"referrer": "a.com"}], 2),
        ([{"utm_source": "x"}, {"utm_source": "x", "utm_medium": "y"}], 2),
        ([{"utm_term": "x"}, {"utm_term": "y"}], 2),
        ([SHOP, {"referrer": "shop.example"}], 1),
        ([{}, {"referrer": "shop.example", **SHOP}], 1),
        ([SHOP, {"referrer": "shop.example", "utm_source": "x"}], 2),
        ([{"page": "/a"}, {"referrer": "shop.example", "page": "/b"}], 2),
        ([{"page": "https://[/a"}, {"referrer": "a.com", "page": "https://[/a"}], 2),
    ],
)
def test_a_new_source_ends_a_session_where_the_site_wants_it(
    events: list[dict[str, Any]], number: int
) -> None:
    """A referrer or UTM parameter that is there and differs; the site's own pages are no source."""
    placed = [at(minute, **fields) for minute, fields in enumerate(events)]
    assert len(derive(*placed, by_source=True)) == number
    assert len(derive(*placed)) == 1


def test_sessions_of_one_id_start_at_different_instants() -> None:
    """Two sources at the same instant are one session: its start is what tells it apart."""
    sessions = derive(
        at(0, referrer="a.com"), at(0, referrer="b.com"), at(1, referrer="a.com"), by_source=True
    )
    assert [(one.referrer, one.events) for one in sessions] == [("a.com", 3)]
    assert len({session.id for session in derive(at(0), at(40), at(80))}) == 3


def resolve(stored: list[Session], *events: Any, keep: bool = True) -> Differences:
    resolution = Resolution("demo", "s", stored, by_source=False, keep=keep)
    for one in events:
        resolution.add(one)
    return resolution.differences()


def test_events_of_one_instant_are_taken_by_their_ids() -> None:
    """In whatever order they are read, so that the same events always give the same session."""
    one, other = at(0, _id="demo:1", user="a"), at(0, _id="demo:2", user="b")
    for events in ((one, other), (other, one)):
        assert [session.user for session in resolve([], *events).missing] == ["a"]


def test_what_is_right_is_left_alone() -> None:
    """Nothing is wrong or missing where the stored sessions are those of the events."""
    events = [at(0), at(40), at(50)]
    found = resolve(derive(*events), *events)
    assert (found.wrong, found.missing) == ([], [])


def test_withdrawn_events_do_not_count_but_tell_that_they_are_stored() -> None:
    """A session of nothing but withdrawn events goes; one whose events are gone stays."""
    withdrawn = at(0, void={"id": "x"})
    sessions = derive(at(0), at(40))
    assert resolve(sessions, withdrawn, at(40)).wrong == sessions[:1]
    assert resolve(sessions, at(40)).wrong == []
    assert resolve(sessions).wrong == []
    assert resolve(sessions, at(100)).wrong == []
    assert resolve(sessions, at(40), keep=False).wrong == sessions[:1]


def test_a_late_event_joins_sessions() -> None:
    """Two stored ones become one that has the first one's id."""
    early, late = at(0), at(50)
    first, second = derive(early, late)
    found = resolve([first, second], early, at(25), late)
    assert found.wrong == [first, second]
    [joined] = found.missing
    assert (joined.id, joined.events, joined.last) == (first.id, 3, second.last)
