"""Metrics: each number by its definition, exact, and the same however it is asked for."""

from decimal import Decimal
from typing import Any

import pytest

from app.modules.analytics.measures import change_percent, per, percent
from tests.modules.analytics.asking import METRICS, event, report, store

NAMES = [name for name in METRICS.split() if name not in ("{", "}", "amount")]
SIMPLE = [name for name in dict.fromkeys(NAMES) if name != "revenueByCurrency"]


async def totals(api: Any, **arguments: Any) -> Any:
    return (await report(api, **arguments))["totals"]


async def some_of_everything(api: Any) -> None:
    """Events of every type, by three visitors in four sessions."""
    ana = {"visitor": "ana", "user": "u-1"}
    await store(
        event("PAGE_VIEW", session="1", engagement=1_000, scroll_depth=50, **ana),
        event(item="lot", session="1", **ana),
        event("VIEW", item="lot", session="1", **ana),
        event("CLICK", item="lot", session="1", **ana),
        event("CONVERSION", item="lot", session="1", value="10.00", **ana),
        event("PAGE_VIEW", session="2", visitor="ana", user="u-2"),
        event("PAGE_VIEW", session="3", visitor="bo", engagement=500),
        event("PAGE_VIEW", session="3", visitor="bo", scroll_depth=25),
        event(item="lot", session="3", visitor="bo"),
        event(item="other", session="3", visitor="bo"),
        event("ENGAGEMENT", item="lot", session="3", visitor="bo", engagement=0),
        event("BOUNCE", item="lot", session="4", visitor="cy"),
        event("CUSTOM", name="add_to_cart", session="4", visitor="cy"),
        event("CLICK", item="other", session="4", visitor="cy"),
        event("CONVERSION", session="4", visitor="cy"),
        event("CONVERSION", session="4", visitor="cy", value="2.345"),
    )


async def test_every_metric_by_its_definition(api: Any) -> None:
    """Counts, distinct counts, rates, means and money of a handful of events, worked out by hand."""
    await some_of_everything(api)
    assert await totals(api) == {
        "events": 16,
        "impressions": 3,
        "views": 1,
        "clicks": 2,
        "conversions": 3,
        "bounces": 1,
        "pageViews": 4,
        "uniqueVisitors": 3,
        "uniqueUsers": 2,
        "uniqueSessions": 4,
        "clickThroughRate": 200 / 3,
        "viewRate": 100 / 3,
        "conversionRate": 150.0,  # never clamped
        "visitorConversionRate": 200 / 3,
        "bounceRate": 25.0,  # session 2: 1 has interactions, 3 two page views, 4 none
        "currency": "EUR",
        "revenue": "12.345",
        "revenueByCurrency": [{"currency": "EUR", "amount": "12.345"}],
        "revenuePerClick": "6.1725",
        "revenuePerImpression": "4.115",
        "averageConversionValue": "6.1725",  # of the two that have a value
        "averageEngagement": 500.0,  # of the three that carry one, zero too
        "averageScrollDepth": 37.5,
    }


@pytest.mark.parametrize("name", SIMPLE)
async def test_a_metric_asked_for_alone_is_the_same(api: Any, name: str) -> None:
    """Only what is selected is computed, and that is what it is among all others: in every query."""
    await some_of_everything(api)
    everything = await totals(api)
    answer = await api.ask(
        f"""query {{
          report(by: [DEVICE]) {{ totals {{ {name} }} rows {{ metrics {{ it: {name} }} }} }}
          rows: report(by: [DEVICE]) {{ rows {{ ... on ReportRow {{ metrics {{ ...One }} }} }} }}
          totals: report {{ ...Totals @include(if: true) }}
          timeSeries(range: {{preset: LAST_24_HOURS}}) {{ metrics {{ {name} }} }}
          overview {{ current {{ {name} }} }}
        }}
        fragment One on Metrics {{ {name} }}
        fragment Totals on Report {{ totals {{ ...One }} }}"""
    )
    wanted = {name: everything[name]}
    assert answer["report"]["totals"] == wanted
    assert answer["report"]["rows"] == [{"metrics": {"it": everything[name]}}]
    assert answer["rows"]["rows"] == [{"metrics": wanted}]
    assert answer["totals"]["totals"] == wanted
    assert answer["timeSeries"][-1]["metrics"] == wanted
    assert answer["overview"]["current"] == wanted


async def test_rows_do_not_get_what_only_totals_asked_for(api: Any) -> None:
    """Each part of a report has just its own numbers, and all of them."""
    await some_of_everything(api)
    answer = await api.ask(
        """{ report(by: [ITEM]) {
          totals { uniqueVisitors } rows { dimensions { value } metrics { uniqueSessions } } } }"""
    )
    assert answer["report"]["totals"] == {"uniqueVisitors": 3}
    rows = {
        row["dimensions"][0]["value"]: row["metrics"]["uniqueSessions"]
        for row in answer["report"]["rows"]
    }
    assert rows == {"lot": 3, "other": 2, None: 4}


async def test_a_bounce_is_judged_by_the_events_that_are_covered(api: Any) -> None:
    """A session whose click lies outside the filter or the row has bounced there."""
    await store(
        event("PAGE_VIEW", session="1", page="/a"), event("CLICK", session="1", page="/b", item="i")
    )
    assert (await totals(api))["bounceRate"] == 0.0
    there = [{"dimension": "PAGE", "values": ["/a"]}]
    assert (await totals(api, filter={"where": there}))["bounceRate"] == 100.0
    rows = (await report(api, by=["PAGE"]))["rows"]
    assert [row["metrics"]["bounceRate"] for row in rows] == [100.0, 0.0]


@pytest.mark.parametrize(
    ("interaction", "rate"),
    [("CLICK", 0.0), ("CONVERSION", 0.0), ("CUSTOM", 0.0), ("PAGE_VIEW", 0.0), ("VIEW", 100.0),
     ("IMPRESSION", 100.0), ("ENGAGEMENT", 100.0), ("BOUNCE", 100.0)],
)  # fmt: skip
async def test_what_keeps_a_session_from_bouncing(api: Any, interaction: str, rate: float) -> None:
    """A second page view, a click, a conversion or a custom event; nothing else."""
    await store(event("PAGE_VIEW"), event(interaction, item="i", name="x"))
    assert (await totals(api))["bounceRate"] == rate


@pytest.mark.parametrize(
    ("count", "of", "result"),
    [(46, 10_000, 0.46), (29, 100, 29.0), (57, 100, 57.0), (1, 3, 100 / 3), (7, 3, 700 / 3),
     (0, 5, 0.0), (0, 0, None), (5, 0, None), (None, None, None), (10**17 + 1, 10**17 + 1, 100.0)],
)  # fmt: skip
def test_percent(count: int, of: int, result: float | None) -> None:
    """One division, so that 46 of 10,000 is 0.46 and not 0.45999999999999996."""
    assert percent(count, of) == result


@pytest.mark.parametrize(
    ("value", "count", "result"),
    [("10", 3, "3.333333"), ("20", 3, "6.666667"), ("10", 4, "2.50"), ("10", 1, "10.00"),
     ("0", 7, "0.00"), ("1", 8, "0.125"), ("0.0000025", 1, "0.000002"), ("0.0000035", 1, "0.000004"),
     ("0.00000250000000000000000000000001", 1, "0.000003"), ("100000", 1, "100000.00"), ("1", 0, None),
     ("9999999999999999999999999999999999", 1, "9999999999999999999999999999999999.00")],
)  # fmt: skip
def test_amounts_per_something(value: str, count: int, result: str | None) -> None:
    """Half-even to six decimals, no zeros at the end beyond two."""
    found = per(Decimal(value), count)
    assert (None if found is None else format(found, "f")) == result


@pytest.mark.parametrize(
    ("current", "previous", "result"),
    [(3, 2, 50.0), (1, 3, -200 / 3), (0, 3, -100.0), (3, 0, None), (0, 0, None), (None, 3, None),
     (3, None, None), (Decimal("1.10"), Decimal("1.00"), 10.0), (50.0, 25.0, 100.0)],
)  # fmt: skip
def test_change(current: Any, previous: Any, result: float | None) -> None:
    """By how much it changed, in percent of what it was; null where that was nothing or unknown."""
    assert change_percent(current, previous) == result


async def test_currencies_are_never_added_up(api: Any) -> None:
    """With several, revenue is that of the site's currency, and the others are listed."""
    await store(
        event("CONVERSION", value="10.10", currency="EUR"),
        event("CONVERSION", value="0.20", currency="EUR"),
        event("CONVERSION", value="7", currency="CHF"),
        event("CONVERSION", value="1000", currency="JPY"),
        event("CLICK", item="i"),
    )
    found = await totals(api)
    assert (found["currency"], found["revenue"]) == ("EUR", "10.30")
    assert found["revenueByCurrency"] == [
        {"currency": "CHF", "amount": "7"},
        {"currency": "EUR", "amount": "10.30"},
        {"currency": "JPY", "amount": "1000"},
    ]
    assert found["averageConversionValue"] == "5.15"
    assert found["revenuePerClick"] == "10.30"


async def test_one_foreign_currency_is_the_reports(api: Any) -> None:
    """Where all conversions with a value are of one currency, revenue is in that."""
    await store(event("CONVERSION", value="7", currency="CHF"), event("CONVERSION"))
    found = await totals(api)
    assert (found["currency"], found["revenue"], found["conversions"]) == ("CHF", "7", 2)
    assert found["averageConversionValue"] == "7.00"


async def test_only_foreign_currencies_leave_revenue_empty(api: Any) -> None:
    """Two currencies and none of them the site's: zero of the site's, and both are listed."""
    await store(
        event("CONVERSION", value="7", currency="CHF"),
        event("CONVERSION", value="8", currency="USD"),
    )
    found = await totals(api)
    assert (found["currency"], found["revenue"]) == ("EUR", "0")
    assert found["averageConversionValue"] is None
    assert len(found["revenueByCurrency"]) == 2


async def test_the_currency_is_one_for_all_rows(api: Any) -> None:
    """It is decided by the whole report, rows beyond the limit too, and not by each row."""
    await store(
        event("CONVERSION", value="7", currency="CHF", source="a"),
        event("CONVERSION", value="1", currency="CHF", source="a"),
        event("CONVERSION", value="8", currency="USD", source="b"),
    )
    for limit in (1, 2):
        answer = await api.ask(
            """query ($limit: Int) { report(by: [SOURCE], limit: $limit) { rows {
                 metrics { currency revenue revenueByCurrency { amount } } } } }""",
            {"limit": limit},
        )
        first = answer["report"]["rows"][0]["metrics"]
        assert first == {"currency": "EUR", "revenue": "0", "revenueByCurrency": [{"amount": "8"}]}
    filtered = await report(
        api, by=["SOURCE"], filter={"where": [{"dimension": "SOURCE", "values": ["a"]}]}
    )
    assert filtered["rows"][0]["metrics"]["currency"] == "CHF"


async def test_the_currency_is_one_for_both_periods(api: Any) -> None:
    """Two amounts that are compared are of one currency."""
    await store(
        event("CONVERSION", value="7", currency="CHF"),
        event("CONVERSION", value="8", currency="EUR", at=event()["at"].replace(month=5, day=1)),
    )
    answer = await api.ask(
        """{ overview { current { currency revenue } previous { currency revenue } } }"""
    )
    assert answer["overview"] == {
        "current": {"currency": "EUR", "revenue": "0"},
        "previous": {"currency": "EUR", "revenue": "8"},
    }


async def test_only_conversions_are_revenue(api: Any) -> None:
    """A value on another event is not money that came in."""
    await store(event("CLICK", item="i", value="5", currency="USD"), event("CONVERSION", value="1"))
    found = await totals(api)
    assert (found["currency"], found["revenue"]) == ("EUR", "1")


async def test_money_is_exact(api: Any) -> None:
    """Ten times 0.10 is 1.00, and sums keep more digits than the database has in one number."""
    await store(*[event("CONVERSION", value="0.10") for _ in range(10)])
    assert (await totals(api))["revenue"] == "1.00"
    long = "999999999999999.9999999999999999999"
    await store(event("CONVERSION", value=long), event("CONVERSION", value=long))
    assert (await totals(api))["revenue"] == "2000000000000000.9999999999999999998"


async def test_thousands_of_visitors_are_counted_exactly(api: Any) -> None:
    """Distinct counts do not come from one document that all of them must fit into."""
    events = [
        event(visitor=f"{n % 7_000}-" + "v" * 200, session=f"{n}", user=f"{n % 1_100}")
        for n in range(10_000)
    ]
    await store(*events)
    found = await totals(api)
    uniques = [found[name] for name in ("uniqueVisitors", "uniqueSessions", "uniqueUsers")]
    assert uniques == [7_000, 10_000, 1_100]
