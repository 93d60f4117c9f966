"""The query `experiment`: who counts for which variant, and what is made of it."""

from typing import Any

import pytest

from tests.conftest import NOW
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.experiments import formulas
from tests.modules.analytics.experiments.experimenting import (
    ago,
    audience,
    by_variant,
    codes,
    experiment,
    sale,
    seen,
)


async def test_the_results_of_an_experiment(api: Any) -> None:
    """Counts, rates, intervals, the comparison and the shares: every number of one answer."""
    await store(*audience("control", 200, 20), *audience("new", 220, 40))
    results = await experiment(api)
    control, new = results.pop("variants")
    one, base = (40, 220), (20, 200)
    percent = [100 * end for end in formulas.wilson(base)]
    assert control == {
        "variant": "control",
        "isControl": True,
        "visitors": 200,
        "trials": 200,
        "conversions": 20,
        "rate": 10.0,
        "rateInterval": {"lower": pytest.approx(percent[0]), "upper": pytest.approx(percent[1])},
        "share": pytest.approx(100 * 200 / 420),
        "expectedShare": 50.0,
        "comparison": None,
    }
    p_value = formulas.z_test(one, base)
    low, high = formulas.newcombe(one, base)
    less, more = formulas.katz(one, base)
    assert new["comparison"] == {
        "difference": pytest.approx(100 * (40 / 220 - 0.1)),
        "differenceInterval": {
            "lower": pytest.approx(100 * low),
            "upper": pytest.approx(100 * high),
        },
        "uplift": pytest.approx(100 * (40 / 220 / 0.1 - 1)),
        "upliftInterval": {"lower": pytest.approx(100 * less), "upper": pytest.approx(100 * more)},
        "test": "Z_TEST",
        "pValue": pytest.approx(p_value),
        "adjustedPValue": pytest.approx(p_value),
        "significant": True,
        "neededPerVariant": formulas.needed(40 / 220, 0.1),
    }
    assert results == {
        "experimentId": "ab",
        "countBy": "VISITOR",
        "confidence": 0.95,
        "control": "control",
        "visitorsInSeveralVariants": 0,
        "sampleRatio": {
            "pValue": pytest.approx(formulas.chi_square_of_two(200, 220)),
            "mismatch": False,
        },
        "warnings": [
            {
                "code": "SAMPLE_TOO_SMALL",
                "message": '"new": to detect the observed difference with a power of 80%, the variant '
                f"and the control need {formulas.needed(40 / 220, 0.1)} visitors each; the smaller of "
                "the two has 200.",
            }
        ],
        "asOf": "2026-06-15T12:00:00.000Z",
        "exact": True,
    }


async def test_who_counts_for_which_variant(api: Any) -> None:
    """Visitors once, by when they saw the variant and when they converted, all within the range."""
    await store(
        # Twice seen and twice converted is one visitor and one conversion.
        seen("a", "twice"), seen("a", "twice"), sale("twice"), sale("twice"),
        # At the same instant counts, a millisecond before does not; a later one makes up for it.
        seen("a", "same"), sale("same", at=ago(hours=10)),
        seen("a", "before"), sale("before", at=ago(hours=10, milliseconds=1)),
        seen("a", "both"), sale("both", at=ago(hours=11)), sale("both"),
        # By the first time that the variant was seen, not by the last.
        seen("a", "again"), sale("again", at=ago(hours=9)), seen("a", "again", at=ago(hours=8)),
        # An event of the goal that carries the variant itself is the first sight of it.
        sale("itself", experiment="ab", variant="b"),
        # Any event shows the variant.
        event("PAGE_VIEW", experiment="ab", variant="b", visitor="page", at=ago(hours=2)),
        # These saw nothing of it.
        sale("nobody"), seen("b", "elsewhere", experiment="other"), sale("elsewhere"),
        event(experiment="ab", visitor="variantless"), sale("variantless"),
        event(variant="b", visitor="experimentless"), sale("experimentless"),
        # In several variants.
        seen("a", "torn"), seen("b", "torn"), sale("torn"),
        # Outside of the range.
        seen("b", "late", at=NOW), seen("b", "early", at=ago(hours=12, milliseconds=1)),
        seen("b", "edge", at=ago(hours=12)), sale("edge", at=NOW),
        # Withdrawn, seen or converted.
        seen("b", "void", void={"id": "x"}),
        seen("b", "returned"), sale("returned", void={"id": "x"}),
    )  # fmt: skip
    asked = {"start": ago(hours=12).isoformat(), "end": NOW.isoformat()}
    results = await experiment(api, range=asked)
    assert by_variant(results) == {"a": (5, 5, 4), "b": (4, 4, 1)}
    assert results["visitorsInSeveralVariants"] == 1
    assert results["control"] == "a"


@pytest.mark.parametrize(
    ("goal", "converted"),
    [
        (None, {"sale", "offer", "order"}),
        ({"type": "CONVERSION"}, {"sale", "offer", "order"}),
        ({"type": "CONVERSION", "conversionType": "order"}, {"order"}),
        ({"type": "CONVERSION", "conversionType": "order", "itemId": "j"}, set()),
        ({"type": "CONVERSION", "itemId": "j"}, {"offer"}),
        ({"type": "CLICK"}, {"click"}),
        ({"type": "CUSTOM"}, {"cart", "$cart"}),
        ({"type": "CUSTOM", "name": "add_to_cart"}, {"cart"}),
        ({"type": "CUSTOM", "name": "$name"}, {"$cart"}),
        ({"type": "CUSTOM", "name": None, "conversionType": None}, {"cart", "$cart"}),
        ({"type": "BOUNCE"}, set()),
    ],
)
async def test_goals(api: Any, goal: Any, converted: set[str]) -> None:
    """The type, and where they are given the name, the conversion's type and the item."""
    events = {
        "sale": sale("sale"),
        "offer": sale("offer", conversion_type="offer", item="j"),
        "order": sale("order", conversion_type="order", item="i"),
        "click": event("CLICK", visitor="click", item="i"),
        "cart": event("CUSTOM", visitor="cart", name="add_to_cart"),
        "$cart": event("CUSTOM", visitor="$cart", name="$name"),
    }
    await store(*events.values(), *(seen(name, name) for name in events))
    results = await experiment(api, goal=goal)
    assert {one["variant"] for one in results["variants"] if one["conversions"]} == converted


async def test_which_variant_is_the_control(api: Any) -> None:
    """The one that is named, else "control", else the first by name; it comes first in the answer."""
    await store(*audience("b", 3, 1), *audience("a", 2, 1))
    assert list(by_variant(await experiment(api))) == ["a", "b"]
    assert list(by_variant(await experiment(api, control="b"))) == ["b", "a"]
    await store(*audience("control", 2, 0))
    assert list(by_variant(await experiment(api))) == ["control", "a", "b"]
    unknown = await experiment(api, control="z")
    assert next(iter(by_variant(unknown).items())) == ("z", (0, 0, 0))
    assert unknown["control"] == "z"
    assert [one["comparison"] for one in unknown["variants"]] == [None] * 4
    # Where no shares are expected, only variants that were seen share anything.
    assert [one["expectedShare"] for one in unknown["variants"]] == [None, *[100 / 3] * 3]
    assert "NOTHING_TO_COMPARE" in codes(unknown)


async def test_several_variants_are_adjusted_for(api: Any) -> None:
    """Holm's adjustment stands beside the plain p-values, and decides what is significant."""
    samples = {"control": (40, 400), "x": (60, 400), "y": (58, 400), "z": (41, 400)}
    for variant, (converted, visitors) in samples.items():
        await store(*audience(variant, visitors, converted))
    results = await experiment(api)
    found = {one["variant"]: one["comparison"] for one in results["variants"][1:]}
    plain = {name: formulas.z_test(samples[name], samples["control"]) for name in "xyz"}
    assert plain["x"] < plain["y"] < 0.06 < plain["z"]
    adjusted = {"x": 3 * plain["x"], "y": max(3 * plain["x"], 2 * plain["y"]), "z": plain["z"]}
    for name in "xyz":
        assert found[name]["pValue"] == pytest.approx(plain[name])
        assert found[name]["adjustedPValue"] == pytest.approx(adjusted[name])
        assert not found[name]["significant"]
    certain = await experiment(api, confidence=0.8)
    significant = [one["comparison"]["significant"] for one in certain["variants"][1:]]
    assert significant == [True, True, False]
    assert certain["confidence"] == 0.8
    low, high = formulas.wilson(samples["control"], 0.8)
    interval = certain["variants"][0]["rateInterval"]
    assert interval == {"lower": pytest.approx(100 * low), "upper": pytest.approx(100 * high)}


async def test_by_impression(api: Any) -> None:
    """Impressions are trials, and events of the goal that carry the variant themselves successes."""
    clicked = {"type": "CLICK", "at": ago(hours=9)}
    await store(
        *[seen("a", "v") for _ in range(6)], seen("a", "v", **clicked), seen("a", "v", **clicked),
        *[seen("b", "w") for _ in range(4)], seen("b", "w", **clicked),
        # A click before its impression counts: each is what it says of itself.
        seen("b", "x", type="CLICK", at=ago(hours=20)),
        seen("b", "v"),  # the same visitor in both
        event("CLICK", visitor="w", item="i"), sale("w"),  # these carry no variant
        seen("b", "y", type="PAGE_VIEW"), seen("c", "y", type="PAGE_VIEW"),
    )  # fmt: skip
    results = await experiment(api, countBy="IMPRESSION")
    assert by_variant(results) == {"a": (1, 6, 2), "b": (3, 5, 2)}
    assert results["countBy"] == "IMPRESSION"
    assert results["visitorsInSeveralVariants"] == 2
    assert results["variants"][1]["comparison"]["test"] == "FISHER_EXACT"
    assert {"REPEATED_VISITORS", "VISITORS_IN_SEVERAL_VARIANTS"} <= set(codes(results))
    views = await experiment(api, countBy="IMPRESSION", goal={"type": "PAGE_VIEW"})
    assert by_variant(views) == {"a": (1, 6, 0), "b": (3, 5, 1), "c": (1, 0, 1)}
    too_many = [one for one in views["warnings"] if one["code"] == "MORE_CONVERSIONS_THAN_TRIALS"]
    assert too_many[0]["message"].startswith('"c": ')
    [nothing] = [one for one in views["variants"] if one["variant"] == "c"]
    assert (nothing["rate"], nothing["rateInterval"], nothing["comparison"]) == (None, None, None)


async def test_shares_that_are_not_as_expected(api: Any) -> None:
    """The chi-square test of the shares that were meant; equal ones where nothing is said."""
    await store(*audience("a", 300, 30), *audience("b", 100, 10))
    results = await experiment(api)
    p_value = results["sampleRatio"]["pValue"]
    assert p_value == pytest.approx(formulas.chi_square_of_two(300, 100), rel=1e-6)
    assert results["sampleRatio"]["mismatch"]
    assert "SAMPLE_RATIO_MISMATCH" in codes(results)
    shares = [{"variant": "a", "share": 3}, {"variant": "b", "share": 1.0}]
    results = await experiment(api, expectedShares=shares)
    assert results["sampleRatio"] == {"pValue": 1.0, "mismatch": False}
    assert [one["expectedShare"] for one in results["variants"]] == [75.0, 25.0]
    assert [one["share"] for one in results["variants"]] == [75.0, 25.0]
    assert "SAMPLE_RATIO_MISMATCH" not in codes(results)


async def test_shares_of_other_variants_than_were_seen(api: Any) -> None:
    """A variant that nobody saw is a mismatch; one that is not named is left out, and said so."""
    await store(*audience("a", 100, 10), *audience("b", 100, 10), *audience("c", 100, 10))
    shares = [{"variant": "a", "share": 1}, {"variant": "nobody", "share": 1}]
    results = await experiment(api, expectedShares=shares)
    assert results["sampleRatio"]["mismatch"]
    assert by_variant(results)["nobody"] == (0, 0, 0)
    found = {one["variant"]: (one["share"], one["expectedShare"]) for one in results["variants"]}
    assert found == {"a": (100, 50), "b": (None, None), "c": (None, None), "nobody": (0, 50)}
    [unexpected] = [one for one in results["warnings"] if one["code"] == "UNEXPECTED_VARIANT"]
    assert '"b", "c"' in unexpected["message"]


async def test_how_large_the_sample_should_be(api: Any) -> None:
    """For the observed difference, or for the smallest that matters; no warning where it is large enough."""
    await store(*audience("a", 300, 30), *audience("b", 300, 90), *audience("c", 300, 30))
    results = await experiment(api)
    of_b, of_c = (one["comparison"] for one in results["variants"][1:])
    assert of_b["neededPerVariant"] == formulas.needed(0.3, 0.1)
    assert of_b["neededPerVariant"] < 300
    assert of_c["neededPerVariant"] is None
    [small] = [one for one in results["warnings"] if one["code"] == "SAMPLE_TOO_SMALL"]
    assert small["message"].startswith('"c": its rate is the control\'s')
    larger = await experiment(api, minimumEffect=20)
    needs = [one["comparison"]["neededPerVariant"] for one in larger["variants"][1:]]
    assert needs == [formulas.needed(0.12, 0.1)] * 2
    assert codes(larger) == ["SAMPLE_TOO_SMALL"] * 2
    assert "an effect of 20%" in larger["warnings"][0]["message"]
    assert codes(await experiment(api, minimumEffect=200)) == []
    beyond = await experiment(api, minimumEffect=1000)
    assert "makes no rate" in beyond["warnings"][0]["message"]


async def test_an_experiment_of_which_nothing_is_known(api: Any) -> None:
    """No error: there may be no events yet. With one variant alone there is nothing to compare."""
    results = await experiment(api, "unknown")
    assert (results["variants"], results["control"]) == ([], None)
    assert results["sampleRatio"] == {"pValue": None, "mismatch": False}
    assert codes(results) == ["NO_DATA"]
    assert codes(await experiment(api, "unknown", countBy="IMPRESSION")) == ["NO_DATA"]
    assert codes(await experiment(api, range={"preset": "ALL"})) == ["NO_DATA"]
    shares = [{"variant": "a", "share": 3}, {"variant": "b", "share": 1}]
    named = await experiment(api, "unknown", expectedShares=shares, control="c")
    assert by_variant(named) == dict.fromkeys("cab", (0, 0, 0))
    assert codes(named) == ["NO_DATA"]
    await store(*audience("a", 2, 1))
    assert codes(await experiment(api)) == ["NOTHING_TO_COMPARE"]


async def test_more_variants_than_there_can_be(api: Any) -> None:
    """Those that are named and those with most visitors are shown, and that there are more is said."""
    await store(*[seen(f"v{n:02}", f"{n}") for n in range(60)])
    await store(seen("v55", "another"), seen("control", "one"), seen("torn", "0"))
    results = await experiment(api, control="v59")
    shown = list(by_variant(results))
    assert len(shown) == 50
    assert shown[0] == "v59"
    assert "v55" in shown
    assert results["visitorsInSeveralVariants"] == 1
    assert "TOO_MANY_VARIANTS" in codes(results)


async def test_a_sample_of_the_visitors_is_not_scaled_up(api: Any) -> None:
    """How sure a result is goes by who was counted; the answer says that it is a sample."""
    await store(*[{**one, "weight": 10} for one in audience("a", 20, 5)], *audience("b", 20, 6))
    results = await experiment(api)
    assert by_variant(results) == {"a": (20, 20, 5), "b": (20, 20, 6)}
    assert not results["exact"]
    assert "SAMPLED" in codes(results)


async def test_the_results_of_tracked_events(api: Any) -> None:
    """What the API tracks is what the experiment counts: experimentId, variant, conversionType."""
    for n in range(4):
        who = {"visitorId": f"v{n}", "sessionId": f"s{n}"}
        shown = {"experimentId": "ab", "variant": "ab"[n % 2], "itemId": "i"}
        await api.track(
            {"type": "IMPRESSION", **shown, **who},
            {"type": "CONVERSION", "conversionType": "order" if n else "offer", **who},
        )
    goal = {"type": "CONVERSION", "conversionType": "order"}
    assert by_variant(await experiment(api, goal=goal)) == {"a": (2, 2, 1), "b": (2, 2, 2)}
    assert by_variant(await experiment(api)) == {"a": (2, 2, 2), "b": (2, 2, 2)}
