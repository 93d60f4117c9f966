"""The query `experiments`: of what experiments there are events."""

from typing import Any

from tests.modules.analytics.asking import event, store
from tests.modules.analytics.experiments.experimenting import ago, seen

LIST = """query ($range: RangeInput, $limit: Int) { experiments(range: $range, limit: $limit) {
  experimentId variants numberOfVariants events firstEvent lastEvent } }"""


async def experiments(api: Any, **arguments: Any) -> Any:
    return (await api.ask(LIST, arguments))["experiments"]


async def test_experiments_with_their_variants(api: Any) -> None:
    """The one with the latest event first; variants by name; first and last event in the range."""
    assert await experiments(api) == []
    await store(
        seen("b", "v"), seen("a", "v", at=ago(hours=3)), seen("a", "w", at=ago(hours=5)),
        seen("z", "v", experiment="later", at=ago(hours=1), weight=10),
        event(experiment="no variants", at=ago(hours=2)),
        seen("old", "v", at=ago(days=40)), seen("void", "v", void={"id": "x"}), event(variant="a"),
    )  # fmt: skip
    later = {
        "experimentId": "later",
        "variants": ["z"],
        "numberOfVariants": 1,
        "events": 10,
        "firstEvent": "2026-06-15T11:00:00.000Z",
        "lastEvent": "2026-06-15T11:00:00.000Z",
    }
    without = {
        "experimentId": "no variants",
        "variants": [],
        "numberOfVariants": 0,
        "events": 1,
        "firstEvent": "2026-06-15T10:00:00.000Z",
        "lastEvent": "2026-06-15T10:00:00.000Z",
    }
    ab = {
        "experimentId": "ab",
        "variants": ["a", "b"],
        "numberOfVariants": 2,
        "events": 3,
        "firstEvent": "2026-06-15T02:00:00.000Z",
        "lastEvent": "2026-06-15T09:00:00.000Z",
    }
    assert await experiments(api) == [later, without, ab]
    assert await experiments(api, limit=1) == [later]
    [*_, everything] = await experiments(api, range={"preset": "ALL"})
    assert everything["variants"] == ["a", "b", "old"]


async def test_only_the_first_variants_are_listed(api: Any) -> None:
    """Fifty of them by name, and how many there are; events without a variant are not among them."""
    await store(*[seen(f"v{n:03}", "v") for n in range(120)], event(experiment="ab"))
    [found] = await experiments(api)
    assert found["variants"] == [f"v{n:03}" for n in range(50)]
    assert (found["numberOfVariants"], found["events"]) == (120, 121)
