"""A sample of the visitors: the same ones everywhere, scaled up in reports, and said so."""

from typing import Any

import pytest

from app.modules.tracking.screening import in_sample

UPDATE = "mutation ($n: Int!) { updateSite(input: {sampleOneIn: $n}) { sampleOneIn } }"
REPORT = """{ report(range: {preset: ALL}, by: [SOURCE]) { meta { exact }
  totals { events impressions uniqueVisitors uniqueUsers uniqueSessions revenue bounceRate averageEngagement }
  rows { dimensions { value } metrics { events uniqueVisitors } } } }"""


def visits(number: int) -> list[dict[str, Any]]:
    """An impression, a page view and a conversion of each of so many visitors."""
    found = []
    for n in range(number):
        who = {"visitorId": f"v{n}", "userId": f"u{n}", "sessionId": f"s{n}", "source": "search"}
        found += [
            {"type": "IMPRESSION", "itemId": "a", "engagementDuration": 1000, **who},
            {"type": "PAGE_VIEW", **who},
            {"type": "CONVERSION", "conversionValue": "0.10", **who},
        ]
    return found


def sampled(number: int, one_in: int) -> int:
    return sum(in_sample(f"v{n}", one_in) for n in range(number))


@pytest.mark.parametrize("one_in", [2, 10, 100])
def test_about_one_in_so_many_is_in_the_sample_and_always_the_same(one_in: int) -> None:
    """Within five standard deviations of what is asked for, and the same at every call."""
    number = 20_000
    expected, deviation = number / one_in, (number / one_in * (1 - 1 / one_in)) ** 0.5
    assert abs(sampled(number, one_in) - expected) < 5 * deviation
    assert sampled(number, one_in) == sampled(number, one_in)


async def test_a_sample_is_scaled_up_and_marked_as_not_exact(api: Any) -> None:
    """Counts, uniques and money are the sample's times the factor; the others are SAMPLED_OUT."""
    await api.ask(UPDATE, {"n": 5})
    results = await api.track(*visits(100))
    counted = sampled(100, 5)
    assert [r["reason"] for r in results].count("SAMPLED_OUT") == 300 - 3 * counted
    report = (await api.ask(REPORT))["report"]
    assert report["meta"]["exact"] is False
    assert report["totals"] == {
        "events": 15 * counted,
        "impressions": 5 * counted,
        "uniqueVisitors": 5 * counted,
        "uniqueUsers": 5 * counted,
        "uniqueSessions": 5 * counted,
        "revenue": f"{counted / 2:.2f}",
        "bounceRate": 0.0,
        "averageEngagement": 1000.0,
    }
    [row] = report["rows"]
    assert row["metrics"] == {"events": 15 * counted, "uniqueVisitors": 5 * counted}
    assert (await api.ask("{ audit { clean } }"))["audit"]["clean"]


async def test_weights_of_before_and_after_a_change_are_added_up(api: Any) -> None:
    """Everything counted before the sample stands for itself, what came after for more; money too."""
    await api.track(*visits(20))
    await api.ask(UPDATE, {"n": 5})
    await api.track(
        *[
            {
                **v,
                "itemId": "b",
                "visitorId": "new" + v["visitorId"],
                "sessionId": "new" + v["sessionId"],
            }
            for v in visits(20)
        ]
    )
    more = sum(in_sample(f"newv{n}", 5) for n in range(20))
    totals = (await api.ask(REPORT))["report"]["totals"]
    assert totals["events"] == 60 + 15 * more
    assert totals["uniqueVisitors"] == 20 + 5 * more
    assert totals["revenue"] == f"{2 + more / 2:.2f}"


async def test_without_a_sample_everything_is_exact(api: Any) -> None:
    """The default counts every visitor, and reports say so."""
    await api.track(*visits(3))
    report = (await api.ask(REPORT))["report"]
    assert report["meta"]["exact"] is True
    assert report["totals"]["events"] == 9


@pytest.mark.parametrize("one_in", [0, 1001, -1])
async def test_a_sample_that_cannot_be_meant_is_refused(api: Any, one_in: int) -> None:
    """BAD_USER_INPUT with the field."""
    error = await api.refused(UPDATE, {"n": one_in})
    assert error["extensions"]["field"] == "input.sampleOneIn"
