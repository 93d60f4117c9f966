"""Money: Decimal128 all the way, exact, and no report adds up two currencies."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store

MONEY = """currency revenue revenueByCurrency { currency amount }
  revenuePerClick revenuePerImpression averageConversionValue"""
EVERYTHING = f"""query ($range: RangeInput) {{
  report(by: [ITEM], range: $range) {{
    totals {{ {MONEY} }} rows {{ dimensions {{ value }} metrics {{ {MONEY} }} }} }}
  timeSeries(range: $range) {{ start metrics {{ {MONEY} }} }}
  popularItems(by: REVENUE, range: $range) {{ itemId }}
  overview(range: $range) {{ current {{ {MONEY} }} previous {{ {MONEY} }} changePercent }}
  itemAnalytics(itemId: "a", range: $range) {{ metrics {{ {MONEY} }} }} }}"""

# Two whole days, and the two before them.
START, END = NOW.replace(hour=0) - timedelta(days=2), NOW.replace(hour=0)
DAYS = {"start": START.isoformat(), "end": END.isoformat()}


def day(number: int) -> Any:
    """Noon of a day, counted from the first of the range."""
    return START + timedelta(days=number, hours=12)


def paid(value: str, currency: str, item: str = "a", at: Any = None) -> dict[str, Any]:
    return event("CONVERSION", value=value, currency=currency, item=item, at=at or day(0))


def amounts(metrics: Any) -> dict[str, str]:
    """The amount of each currency."""
    return {each["currency"]: each["amount"] for each in metrics["revenueByCurrency"]}


async def everything(api: Any) -> Any:
    """What every report says; from events alone and, once more, from rollups the same."""
    from_events = await api.ask(EVERYTHING, {"range": DAYS})
    await api.services.rollups.roll_up(0, 0)
    assert await api.ask(EVERYTHING, {"range": DAYS}) == from_events
    return from_events


async def two_currencies() -> None:
    """Euros and francs of two items on two days, and of the days before."""
    await store(
        paid("10.10", "EUR"), paid("0.20", "EUR", at=day(1)), paid("1000", "CHF"),
        paid("5", "EUR", "b"), paid("7", "CHF", "b", day(1)), paid("900000", "CHF", "c"),
        paid("10.2", "EUR", at=day(-1)), paid("123456", "CHF", at=day(-2)),
        event("CLICK", item="a", at=day(0)), event(item="a", at=day(0)),
    )  # fmt: skip


async def test_no_report_adds_up_two_currencies(api: Any) -> None:
    """Revenue is the site's euros everywhere, francs stand beside it, and no number mixes them."""
    await two_currencies()
    answer = await everything(api)
    assert await api.database["rollups"].count_documents({"site": "demo"})
    totals = answer["report"]["totals"]
    assert (totals["currency"], totals["revenue"]) == ("EUR", "15.30")
    assert amounts(totals) == {"CHF": "901007", "EUR": "15.30"}
    assert totals["averageConversionValue"] == "5.10"
    assert totals["revenuePerClick"] == totals["revenuePerImpression"] == "15.30"

    rows = {row["dimensions"][0]["value"]: row["metrics"] for row in answer["report"]["rows"]}
    assert {item: (row["currency"], row["revenue"]) for item, row in rows.items()} == {
        "a": ("EUR", "10.30"),
        "b": ("EUR", "5"),
        "c": ("EUR", "0"),
    }
    assert amounts(rows["c"]) == {"CHF": "900000"}
    assert rows["c"]["averageConversionValue"] is None

    series = [bucket["metrics"] for bucket in answer["timeSeries"]]
    assert [(each["currency"], each["revenue"]) for each in series] == [
        ("EUR", "15.10"),
        ("EUR", "0.20"),
    ]
    assert [amounts(each) for each in series] == [
        {"CHF": "901000", "EUR": "15.10"},
        {"CHF": "7", "EUR": "0.20"},
    ]

    # 900,000 francs do not make an item popular where the report is of euros.
    assert [item["itemId"] for item in answer["popularItems"]] == ["a", "b"]

    overview = answer["overview"]
    assert (overview["current"]["revenue"], overview["previous"]["revenue"]) == ("15.30", "10.2")
    assert amounts(overview["previous"]) == {"CHF": "123456", "EUR": "10.2"}
    assert overview["changePercent"]["revenue"] == 50.0
    assert overview["changePercent"]["averageConversionValue"] == -50.0
    assert "revenueByCurrency" not in overview["changePercent"]

    item = answer["itemAnalytics"]["metrics"]
    assert (item["currency"], item["revenue"]) == ("EUR", "10.30")
    assert amounts(item) == {"CHF": "1000", "EUR": "10.30"}


async def test_a_change_is_never_one_of_currencies(api: Any) -> None:
    """Euros now against francs before: both are given in euros, and the change is that of euros."""
    await store(paid("30", "EUR"), paid("10", "CHF", at=day(-1)))
    overview = (await everything(api))["overview"]
    assert [overview[period]["currency"] for period in ("current", "previous")] == ["EUR"] * 2
    assert [overview[period]["revenue"] for period in ("current", "previous")] == ["30", "0"]
    assert overview["changePercent"]["revenue"] is None
    await store(paid("20", "EUR", at=day(-1)))
    assert (await everything(api))["overview"]["changePercent"]["revenue"] == 50.0


async def test_a_foreign_currency_alone_is_every_reports(api: Any) -> None:
    """Where there are only francs, all of them speak of francs, of both periods too."""
    await store(paid("3", "CHF"), paid("5", "CHF", "b"), paid("2", "CHF", at=day(-1)))
    answer = await everything(api)
    parts = [
        answer["report"]["totals"],
        *(row["metrics"] for row in answer["report"]["rows"]),
        *(bucket["metrics"] for bucket in answer["timeSeries"]),
        answer["overview"]["current"],
        answer["overview"]["previous"],
        answer["itemAnalytics"]["metrics"],
    ]
    assert {part["currency"] for part in parts} == {"CHF"}
    assert [item["itemId"] for item in answer["popularItems"]] == ["b", "a"]
    assert answer["overview"]["changePercent"]["revenue"] == 300.0


async def test_what_is_tracked_stays_decimal(api: Any) -> None:
    """A value is stored as Decimal128 and answered as the digits that it has: nowhere a float."""
    values = [
        "0.1",
        "0.2",
        0.3,
        "999999999999999.9999999999999999999",
        "0.000000000000000000000000000001",
    ]
    for place, value in enumerate(values):
        [result] = await api.track(
            {"type": "CONVERSION", "conversionValue": value, "conversionCurrency": "CHF",
             "sessionId": f"s{place}"}
        )  # fmt: skip
        assert result["verdict"] == "ACCEPTED"
    kinds = await api.database["events"].distinct(
        "value", {"value": {"$not": {"$type": "decimal"}}}
    )
    assert kinds == []
    wanted = "1000000000000000.599999999999999999900000000001"
    totals = (await api.ask(f"{{ report {{ totals {{ {MONEY} }} }} }}"))["report"]["totals"]
    assert totals["revenue"] == wanted
    series = (await api.ask(f"{{ timeSeries {{ metrics {{ {MONEY} }} }} }}"))["timeSeries"]
    assert series[-1]["metrics"]["revenue"] == wanted


async def test_sums_are_exact_beyond_the_digits_of_a_decimal128(api: Any) -> None:
    """Thousands of amounts with as many decimals as can be sent, next to one as large as can be: the
    sum has more digits than the database keeps in one number."""
    small, large, number = "0." + "9" * 30, "999999999999999." + "9" * 19, 10_500
    await store(*[paid(small, "EUR") for _ in range(number)], paid(large, "EUR"))
    exact = Fraction(small) * number + Fraction(large)
    answer = await everything(api)
    for metrics in (
        answer["report"]["totals"],
        answer["report"]["rows"][0]["metrics"],
        answer["timeSeries"][0]["metrics"],
        answer["overview"]["current"],
        answer["itemAnalytics"]["metrics"],
    ):
        assert Fraction(metrics["revenue"]) == exact
        assert Fraction(amounts(metrics)["EUR"]) == exact


values = st.one_of(
    st.decimals(0, 10_000, places=2),
    st.integers(0, 10**34 - 1).map(lambda digits: Decimal(digits).scaleb(-19)),
    st.integers(0, 10**20).map(lambda digits: Decimal(digits).scaleb(-30)),
)
conversions = st.tuples(
    st.sampled_from(["EUR", "CHF", "JPY"]), values, st.sampled_from("abc"), st.integers(-2, 1)
)


@settings(
    max_examples=examples(8),
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(sold=st.lists(conversions, max_size=20))
async def test_every_report_has_the_sums_of_each_currency(
    api: Any, sold: list[tuple[str, Decimal, str, int]]
) -> None:
    """Any amounts in any currencies: totals, rows, buckets and periods are the exact sums of their own."""
    for name in ("events", "marks", "quarter_hours", "rollups", "sessions"):
        await api.database[name].delete_many({})
    api.services.cache.clear()
    await store(*[paid(str(value), currency, item, day(at)) for currency, value, item, at in sold])

    def sums(condition: Any) -> dict[str, Fraction]:
        found: dict[str, Fraction] = {}
        for currency, value, item, at in sold:
            if condition(item, at):
                found[currency] = found.get(currency, Fraction(0)) + Fraction(value)
        return found

    def check(metrics: Any, condition: Any, currency: str) -> None:
        wanted = sums(condition)
        assert {code: Fraction(each) for code, each in amounts(metrics).items()} == wanted
        assert metrics["currency"] == currency
        assert Fraction(metrics["revenue"]) == wanted.get(currency, 0)

    def one_of(condition: Any) -> str:
        currencies = list(sums(condition))
        return currencies[0] if len(currencies) == 1 else "EUR"

    answer = await everything(api)
    current = one_of(lambda item, at: at >= 0)
    check(answer["report"]["totals"], lambda item, at: at >= 0, current)
    for row in answer["report"]["rows"]:
        [dimension] = row["dimensions"]
        check(row["metrics"], lambda i, at, d=dimension: at >= 0 and i == d["value"], current)
    for number, bucket in enumerate(answer["timeSeries"]):
        check(bucket["metrics"], lambda item, at, n=number: at == n, current)
    both = one_of(lambda item, at: True)
    check(answer["overview"]["current"], lambda item, at: at >= 0, both)
    check(answer["overview"]["previous"], lambda item, at: at < 0, both)
    now, before = (
        sums(lambda i, at, s=sign: (at >= 0) is s).get(both, 0) for sign in (True, False)
    )
    change = answer["overview"]["changePercent"]["revenue"]
    assert change == (pytest.approx(float(100 * (now - before) / before)) if before else None)
    of_items = {
        item: sums(lambda i, at, o=item: at >= 0 and i == o).get(current, 0) for item in "abc"
    }
    ranked = sorted((item for item in "abc" if of_items[item]), key=lambda i: (-of_items[i], i))
    assert [item["itemId"] for item in answer["popularItems"]] == ranked
