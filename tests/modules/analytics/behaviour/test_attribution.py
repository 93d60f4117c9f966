"""Attribution at its edges: models, windows, identities, parts, currencies, weights, withdrawn events."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from bson import Decimal128
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import LimitExceededError
from app.modules.analytics.behaviour import attribution as attributions
from app.modules.analytics.behaviour.attribution import Attribution, Conversions, Windows
from app.modules.analytics.behaviour.credits import split
from app.modules.analytics.behaviour.enums import AttributionModel
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store, utc
from tests.modules.analytics.behaviour.asking import attribution

DAY, HOUR, LATE = timedelta(days=1), timedelta(hours=1), timedelta(milliseconds=1)


def before(days: float = 0, hours: float = 0) -> datetime:
    return NOW - days * DAY - hours * HOUR


def rows(answer: Any) -> dict[str | None, str]:
    """Conversions by value; of direct ones "direct"."""
    return {
        "direct" if row["direct"] else row["value"]: row["credit"]["conversions"]
        for row in answer["rows"]
    }


def revenue(credit: Any) -> dict[str, str]:
    return {each["currency"]: each["amount"] for each in credit["revenueByCurrency"]}


async def journey() -> None:
    """A view, a click, a view and a click of four items, then a conversion, each a day apart."""
    await store(
        event("VIEW", item="v1", at=before(4)),
        event("CLICK", item="c1", at=before(3)),
        event("CLICK", item="c2", at=before(2)),
        event("VIEW", item="v2", at=before(hours=20)),
        event("IMPRESSION", item="i", at=before(hours=1)),
        event("CONVERSION", value="9.99", at=NOW),
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (None, {"c2": "1"}),
        ("LAST_TOUCH", {"c2": "1"}),
        ("LAST_CLICK", {"c2": "1"}),
        ("FIRST_CLICK", {"c1": "1"}),
        ("LINEAR", {"c1": "0.5", "c2": "0.5"}),
        ("LAST_VIEW", {"v2": "1"}),
    ],
)
async def test_models(api: Any, model: str | None, expected: dict[str, str]) -> None:
    """The same journey is credited as each model says; by default to the last touch."""
    await journey()
    answer = await attribution(api, model=model)
    assert rows(answer) == expected
    assert answer["total"] == {
        "conversions": "1",
        "revenueByCurrency": [{"currency": "EUR", "amount": "9.99"}],
    }
    assert answer["others"] == {"conversions": "0", "revenueByCurrency": []}


async def test_without_a_click_in_its_window_the_last_view_counts(api: Any) -> None:
    """LAST_TOUCH falls back to views, LAST_CLICK does not; impressions are views where asked."""
    await journey()
    assert rows(await attribution(api, clicks=1)) == {"v2": "1"}
    assert rows(await attribution(api, clicks=1, impressions=True)) == {"i": "1"}
    assert rows(await attribution(api, clicks=1, views=19)) == {"direct": "1"}
    assert rows(await attribution(api, clicks=1, model="LAST_CLICK")) == {"direct": "1"}


@pytest.mark.parametrize(
    ("kind", "window"), [("CLICK", timedelta(days=30)), ("VIEW", timedelta(hours=24))]
)
async def test_windows_reach_back_exactly_so_long(api: Any, kind: str, window: timedelta) -> None:
    """30 days and 24 hours before count, a millisecond earlier does not; also before the range."""
    await store(
        event(kind, item="in", visitor="a", at=NOW - window),
        event("CONVERSION", visitor="a"),
        event(kind, item="out", visitor="b", at=NOW - window - LATE),
        event("CONVERSION", visitor="b"),
    )
    today = {"preset": "LAST_24_HOURS"}
    assert rows(await attribution(api, range=today)) == {"in": "1", "direct": "1"}


async def test_a_touch_comes_before(api: Any) -> None:
    """A later click does not count; at the same instant the ids decide."""
    await store(
        event("CONVERSION", visitor="a", at=before(1)),
        event("CLICK", item="late", visitor="a"),
        {**event("CLICK", item="same", visitor="b"), "_id": "demo:1"},
        {**event("CONVERSION", visitor="b"), "_id": "demo:2"},
        {**event("CLICK", item="next", visitor="b"), "_id": "demo:3"},
    )
    assert rows(await attribution(api)) == {"same": "1", "direct": "1"}


async def test_a_user_is_known_on_every_device(api: Any) -> None:
    """A click of the same user on another device counts; without a userId on both sides it does not."""
    await store(
        event("CLICK", item="phone", visitor="p", user="u", at=before(2)),
        event("CLICK", item="laptop", visitor="l", at=before(1)),
        event("CONVERSION", visitor="l", user="u"),
        event("CONVERSION", visitor="x"),
    )
    assert rows(await attribution(api)) == {"laptop": "1", "direct": "1"}
    assert rows(await attribution(api, model="FIRST_CLICK")) == {"phone": "1", "direct": "1"}
    linear = await attribution(api, model="LINEAR")
    assert rows(linear) == {"laptop": "0.5", "phone": "0.5", "direct": "1"}


async def test_a_click_of_the_same_visitor_and_user_counts_once(api: Any) -> None:
    """LINEAR shares between clicks, not between the ways to find them."""
    who = {"visitor": "v", "user": "u"}
    await store(
        event("CLICK", item="a", at=before(2), **who),
        event("CLICK", item="b", at=before(1), visitor="v"),
        event("CONVERSION", **who),
    )
    assert rows(await attribution(api, model="LINEAR")) == {"a": "0.5", "b": "0.5"}


async def test_parts_add_up_in_every_currency(api: Any) -> None:
    """A third of everything, exactly: the first click has the millionth that is left over."""
    await store(
        *[event("CLICK", item=item, at=before(hours=9 - n)) for n, item in enumerate("abc")],
        event("CONVERSION", value="10", currency="EUR", at=before(hours=2)),
        event("CONVERSION", value="0.01", currency="CHF", at=before(hours=1)),
        event("CONVERSION"),
    )
    answer = await attribution(api, model="LINEAR")
    assert rows(answer) == {"a": "1.000002", "b": "0.999999", "c": "0.999999"}
    amounts = [revenue(row["credit"]) for row in answer["rows"]]
    assert amounts == [
        {"CHF": "0.003334", "EUR": "3.333334"},
        {"CHF": "0.003333", "EUR": "3.333333"},
        {"CHF": "0.003333", "EUR": "3.333333"},
    ]
    assert revenue(answer["total"]) == {"CHF": "0.01", "EUR": "10.00"}


async def test_an_order_counts_once(api: Any) -> None:
    """The second conversion of an order is not stored, and so is credited to nothing."""
    who = {"visitorId": "v", "sessionId": "s"}
    bought = {"type": "CONVERSION", "orderId": "o", "conversionValue": "5", **who}
    await api.track({"type": "CLICK", "itemId": "a", **who}, bought, bought)
    answer = await attribution(api)
    assert rows(answer) == {"a": "1"}
    assert revenue(answer["total"]) == {"EUR": "5.00"}


async def test_unknown_values_are_not_direct(api: Any) -> None:
    """A click without a campaign is a row with null, conversions without a click are another one."""
    await store(
        event("CLICK", visitor="a", at=before(1)),
        event("CONVERSION", visitor="a"),
        event("CONVERSION", visitor="b"),
    )
    answer = await attribution(api, by="CAMPAIGN")
    assert [(row["value"], row["direct"]) for row in answer["rows"]] == [
        (None, False),
        (None, True),
    ]
    assert answer["meta"]["rows"] == 1


@pytest.mark.parametrize(
    ("by", "expected"),
    [("CATEGORY", "$shoes"), ("UTM_SOURCE", "$mail"), ("HOUR_OF_DAY", "11"), ("POSITION", "7")],
)
async def test_any_dimension_of_the_touch(api: Any, by: str, expected: str) -> None:
    """Of the catalogue, of the event and of the clock; texts that look like fields are texts."""
    await api.database["items"].insert_one(
        {"_id": "demo:i", "site": "demo", "item": "i", "category": "$shoes"}
    )
    await store(
        event("CLICK", item="i", utm_source="$mail", position=7, at=before(20, hours=1)),
        event("CONVERSION", item="j"),
    )
    assert rows(await attribution(api, by=by, range={"preset": "LAST_24_HOURS"})) == {expected: "1"}


async def test_hours_of_touches_before_the_range_are_local(api: Any) -> None:
    """At noon in the winter of Zurich, though the range is in its summer."""
    await api.ask('mutation { updateSite(input: {timezone: "Europe/Zurich"}) { id } }')
    await store(event("CLICK", at=utc("2026-03-28T11:00")), event("CONVERSION"))
    today = {"preset": "LAST_24_HOURS"}
    assert rows(await attribution(api, range=today, by="HOUR_OF_DAY", clicks=90)) == {"12": "1"}


async def test_the_filter_is_of_conversions(api: Any) -> None:
    """Touches count whatever they are of; the rest of the conversions is left out."""
    await api.database["items"].insert_one(
        {"_id": "demo:i", "site": "demo", "item": "i", "category": "shoes"}
    )
    await store(
        event("CLICK", item="other", at=before(1)),
        event("CONVERSION", item="i"),
        event("CONVERSION", item="j"),
    )
    assert rows(await attribution(api, filter={"itemId": "i"})) == {"other": "1"}
    shoes = {"where": [{"dimension": "CATEGORY", "values": ["shoes"]}]}
    assert rows(await attribution(api, filter=shoes, by="CATEGORY")) == {None: "1"}


async def test_withdrawn_events_neither_lead_nor_convert(api: Any) -> None:
    """A voided click gives way to the one before, a voided conversion is not there."""
    void = {"id": "x"}
    await store(
        event("CLICK", item="good", at=before(2)),
        event("CLICK", item="bad", at=before(1), void=void),
        event("CONVERSION"),
        event("CONVERSION", void=void),
    )
    assert rows(await attribution(api)) == {"good": "1"}


async def test_a_sampled_conversion_stands_for_several(api: Any) -> None:
    """Conversions and amounts count their own weight, not the touch's; meta says so."""
    await store(
        *[event("CLICK", item=item, weight=7, at=before(1)) for item in "abc"],
        event("CONVERSION", value="1.00", weight=5),
        event("CONVERSION", visitor="b", value="1.00"),
    )
    answer = await attribution(api, model="LINEAR")
    assert answer["total"]["conversions"] == "6"
    assert revenue(answer["total"]) == {"EUR": "6.00"}
    assert rows(answer)["direct"] == "1"
    assert sum(Decimal(credit) for credit in rows(answer).values()) == 6
    assert answer["meta"]["exact"] is False


async def test_rows_beyond_the_limit_are_added_up(api: Any) -> None:
    """Most first; others and the direct row are there whatever the limit."""
    await store(
        *[event("CLICK", item=item, visitor=item, at=before(1)) for item in "abc"],
        *[event("CONVERSION", visitor=who, value="1") for who in "abbcx"],
    )
    answer = await attribution(api, limit=1)
    assert rows(answer) == {"b": "2", "direct": "1"}
    assert answer["others"]["conversions"] == "2"
    assert revenue(answer["others"]) == {"EUR": "2.00"}
    assert answer["meta"]["rows"] == 3


@settings(max_examples=examples(40))
@given(
    digits=st.integers(0, 10**34 - 1), exponent=st.integers(-30, 15), number=st.integers(1, 1_000)
)
def test_any_amount_is_split_exactly(digits: int, exponent: int, number: int) -> None:
    """The parts add up to it and differ by their smallest unit at most, the larger ones first."""
    amount = Decimal(f"{digits}E{exponent}")
    parts = [Fraction(part) for part in split(amount, number)]
    assert len(parts) == number
    assert sum(parts) == Fraction(amount)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] in (0, Fraction(1, 10 ** max(6, -exponent)))


def conversions(number: int) -> list[dict[str, Any]]:
    value = Decimal128("1")
    return [
        {"_id": f"c{n}", "at": NOW, "visitor": f"v{n}", "weight": 1, "value": value}
        for n in range(number)
    ]


@pytest.mark.parametrize(("bound", "most"), [("MAX_CONVERSIONS", 2), ("MAX_CONVERTER_BYTES", 5)])
def test_conversions_in_memory_are_bounded(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """One more than the bound is refused with words that say what to ask instead."""
    monkeypatch.setattr(attributions, bound, most)
    found = Conversions("EUR")
    found.take(conversions(2))
    with pytest.raises(LimitExceededError, match="shorter range"):
        found.take(conversions(3)[2:])


@pytest.mark.parametrize("bound", ["MAX_TOUCHES_HELD", "MAX_SHARES", "MAX_VALUES"])
def test_clicks_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """The same of clicks that may still count, of parts that were credited, and of values."""
    found = Conversions("EUR")
    found.take(conversions(2))

    def credit(most: int) -> None:
        monkeypatch.setattr(attributions, bound, most)
        tally = Attribution(found, Windows(AttributionModel.LINEAR))
        tally.take(
            {"_id": f"k{n}", "at": NOW - HOUR, "type": "CLICK", "visitor": "v0", "value": str(n)}
            for n in range(4)
        )
        tally.finish()

    credit(4)
    with pytest.raises(LimitExceededError, match="shorter range"):
        credit(3)


def test_of_very_many_clicks_the_latest_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where some are of the visitor and some of the user."""
    monkeypatch.setattr(attributions, "MAX_SHARING", 2)
    found = Conversions("EUR")
    found.take([{**conversions(1)[0], "user": "u"}])
    tally = Attribution(found, Windows(AttributionModel.LINEAR))
    who = [{"visitor": "v0"}, {"visitor": "w", "user": "u"}] * 2
    tally.take(
        {"_id": f"k{n}", "at": NOW - HOUR, "type": "CLICK", "value": str(n), **each}
        for n, each in enumerate(who)
    )
    assert [row.value for row in tally.finish().rows()] == ["2", "3"]
