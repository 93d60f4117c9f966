"""What cannot be asked of experiments: named, and nothing of the value echoed."""

import json
from typing import Any

from app.core.auth import Scope
from tests.conftest import OTHER_SITE_KEYS
from tests.modules.analytics.asking import store
from tests.modules.analytics.experiments.experimenting import EXPERIMENT, audience, by_variant

LONG = "x" * 257


def shares(*values: float) -> list[dict[str, Any]]:
    return [{"variant": f"v{place}", "share": value} for place, value in enumerate(values)]


BAD = {
    "no id": ({"id": ""}, "experimentId"),
    "a long id": ({"id": LONG}, "experimentId"),
    "a null byte": ({"id": "a\x00"}, "experimentId"),
    "an empty control": ({"control": ""}, "control"),
    "a long control": ({"control": LONG}, "control"),
    "too sure": ({"confidence": 1}, "confidence"),
    "sure of nothing": ({"confidence": 0.49}, "confidence"),
    "percent": ({"confidence": 95}, "confidence"),
    "negative": ({"confidence": -0.95}, "confidence"),
    "no effect": ({"minimumEffect": 0}, "minimumEffect"),
    "a fall": ({"minimumEffect": -10}, "minimumEffect"),
    "a wonder": ({"minimumEffect": 1000.1}, "minimumEffect"),
    "an empty name": ({"goal": {"type": "CUSTOM", "name": ""}}, "goal.name"),
    "a long type": ({"goal": {"type": "CLICK", "conversionType": LONG}}, "goal.conversionType"),
    "a bell": ({"goal": {"type": "CLICK", "itemId": "\x07"}}, "goal.itemId"),
    "one share": ({"expectedShares": shares(1)}, "expectedShares"),
    "no share": ({"expectedShares": shares(1, 0)}, "expectedShares.1.share"),
    "less than none": ({"expectedShares": shares(-1, 1)}, "expectedShares.0.share"),
    "a huge share": ({"expectedShares": shares(1, 1e300)}, "expectedShares.1.share"),
    "too many": ({"expectedShares": shares(*[1] * 51)}, "expectedShares"),
    "twice": ({"expectedShares": shares(1) + shares(1)}, "expectedShares"),
    "nameless": ({"expectedShares": [{"variant": "", "share": 1}, *shares(1)]}, "expectedShares.0.variant"),
    "no range": ({"range": {"end": "2026-06-01T00:00:00Z"}}, "range.start"),
    "a range backwards": ({"range": {"start": "2026-06-02", "end": "2026-06-01"}}, "range"),
}  # fmt: skip


async def test_bad_arguments(api: Any) -> None:
    """BAD_USER_INPUT with the argument's name, for each of them."""
    for case, (arguments, field) in BAD.items():
        error = await api.refused(EXPERIMENT, {"id": "ab", **arguments})
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}, case
        assert LONG not in json.dumps(error)
    for limit in (0, 1001):
        error = await api.refused(f"{{ experiments(limit: {limit}) {{ events }} }}")
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "limit"}
    for query in (
        "experiment { control }",
        'experiment(experimentId: "a", countBy: CLICK) { control }',
        'experiment(experimentId: "a", confidence: "high") { control }',
        'experiment(experimentId: "a", goal: {}) { control }',
        'experiment(experimentId: "a", confidence: 1e400) { control }',
        'experiment(experimentId: "a", minimumEffect: 1e400) { control }',
        'experiment(experimentId: "a", expectedShares: [null]) { control }',
    ):
        error = await api.refused(f"{{ {query} }}")
        assert error["extensions"]["code"] == "BAD_USER_INPUT", query


async def test_null_is_the_default(api: Any) -> None:
    """An argument that is null is as if it were not there."""
    await store(*audience("a", 20, 5), *audience("b", 20, 6))
    nothing = dict.fromkeys(
        ["range", "goal", "control", "confidence", "countBy", "expectedShares", "minimumEffect"]
    )
    plain = await api.ask(EXPERIMENT, {"id": "ab"})
    assert await api.ask(EXPERIMENT, {"id": "ab", **nothing}) == plain
    assert await api.ask(EXPERIMENT, {"id": "ab", "expectedShares": []}) == plain
    listed = await api.ask("{ experiments(range: null, limit: null) { experimentId } }")
    assert listed == {"experiments": [{"experimentId": "ab"}]}


async def test_only_keys_that_read_see_their_own_site(api: Any) -> None:
    """A write key learns nothing, and another site's key sees an experiment without events."""
    await store(*audience("a", 20, 5))
    for query in (EXPERIMENT, "{ experiments { events } }"):
        error = await api.refused(query, {"id": "ab"}, scope=Scope.WRITE)
        assert error["extensions"]["code"] == "FORBIDDEN"
    other = await api.ask(EXPERIMENT, {"id": "ab"}, keys=OTHER_SITE_KEYS, scope=Scope.READ)
    assert by_variant(other["experiment"]) == {}
    listed = await api.ask("{ experiments { events } }", keys=OTHER_SITE_KEYS)
    assert listed == {"experiments": []}
