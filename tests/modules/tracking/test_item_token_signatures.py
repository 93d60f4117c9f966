"""Signatures of item tokens: nothing about what was signed can be changed, by any byte."""

import hmac
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.core.event_types import EventType
from app.modules.tracking.events import IncomingEvent
from app.modules.tracking.item_tokens.token import (
    EXPIRED,
    LONGEST_SECONDS,
    TOO_LONG,
    WRONG,
    TokenCheck,
    kinds_text,
    make_token,
)
from tests.examples import examples

NOW = 1_781_524_800
CHECK = TokenCheck("shop", {1: "old secret", 2: "secret"}, NOW)

# What ids may be made of (validation.py); line ends are among it.
IDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
)


def signed(item: str = "lot-1", session: str | None = None, **changes: object) -> str:
    parts = {"site": "shop", "kinds": "any", "expires": NOW + 60, **changes}
    secret = str(parts.pop("secret", "secret"))
    return make_token(secret, 2, item=item, session=session, **parts)  # type: ignore[arg-type]


def event(
    token: str | None, item: str = "lot-1", kind: EventType = EventType.VIEW
) -> IncomingEvent:
    return IncomingEvent(kind, item_id=item, item_token=token)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison that takes as long for a wrong signature as for the right one decides."""
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: one != other)
    assert CHECK.problem(event(signed()), None) == WRONG
    assert CHECK.problem(event(signed(secret="another")), None) is None


@given(item=IDS, session=st.none() | IDS)
def test_what_was_signed_is_accepted(item: str, session: str | None) -> None:
    """For every item, with a session and without, also where ids are far from plain."""
    assert CHECK.problem(event(signed(item, session), item), session) is None


@given(data=st.data(), session=st.none() | st.just("s-1"))
@settings(max_examples=examples(300))
def test_a_token_with_any_character_changed_fails(data: st.DataObject, session: str | None) -> None:
    """Replaced, left out or put in, at any place, the last of base64 too, where bits are left over."""
    token = signed(session=session)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8") | st.sampled_from("AQgw-_.019"))
    changed = data.draw(
        st.sampled_from(
            [
                token[:place] + other + token[place + 1 :],
                token[:place] + token[place + 1 :],
                token[:place] + other + token[place:],
            ]
        )
    )
    assume(changed != token)
    assert CHECK.problem(event(changed), session) == WRONG


@given(item=IDS, other=IDS, session=IDS, other_session=st.none() | IDS)
def test_another_item_or_session_fails(
    item: str, other: str, session: str, other_session: str | None
) -> None:
    """Also where the two together are the same characters."""
    for_session = signed(item, session)
    if other != item:
        assert CHECK.problem(event(signed(item), other), session) == WRONG
        assert CHECK.problem(event(for_session, other), session) == WRONG
    if other_session != session:
        assert CHECK.problem(event(for_session, item), other_session) == WRONG
    assert CHECK.problem(event(signed(item + session), item), session) == WRONG
    assert CHECK.problem(event(signed(item, session), item + session), None) == WRONG


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"site": "other"}, WRONG),
        ({"secret": "old secret"}, WRONG),  # the number says which one it was
        ({"kinds": "click"}, WRONG),
        ({"kinds": "click-view"}, None),
        ({"kinds": "page_view"}, WRONG),
        ({"expires": NOW}, EXPIRED),
        ({"expires": NOW + 1}, None),
        ({"expires": NOW + LONGEST_SECONDS}, None),
        ({"expires": NOW + LONGEST_SECONDS + 1}, TOO_LONG),
        ({"expires": (NOW + 60) * 1000}, TOO_LONG),  # milliseconds
        ({"expires": 0}, EXPIRED),
    ],
)
def test_every_part_counts(changes: dict[str, object], problem: str | None) -> None:
    """Site, secret, types and time are signed, and looked at."""
    assert CHECK.problem(event(signed(**changes)), None) == problem


def test_a_secret_that_no_longer_counts_signs_nothing() -> None:
    """Nor does one that the site never had."""
    assert replace(CHECK, secrets={}).problem(event(signed()), None) == WRONG
    assert replace(CHECK, secrets={3: "secret"}).problem(event(signed()), None) == WRONG


def test_the_types_of_a_token_have_one_order() -> None:
    """However they were asked for; none at all means any."""
    assert kinds_text([EventType.CLICK, EventType.IMPRESSION]) == "impression-click"
    assert kinds_text([]) == "any"
    assert CHECK.problem(event(signed(kinds=kinds_text(list(EventType)))), None) is None
