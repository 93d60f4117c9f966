"""The presets of the report: one item, one user, the most popular items, a period against the last."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.ports import ItemDirectory, ItemReports
from app.modules.analytics.inputs import RangeInput
from app.repositories.events import EventRepository
from tests.conftest import NOW
from tests.modules.analytics.asking import METRICS, event, report, store

ITEM = f"""query ($id: ID!, $range: RangeInput) {{ itemAnalytics(itemId: $id, range: $range) {{
  itemId impressions clicks uniqueUsers uniqueSessions clickThroughRate metrics {{ {METRICS} }} }} }}"""
USER = """query ($id: ID!, $range: RangeInput) { userAnalytics(userId: $id, range: $range) {
  userId impressions clicks viewedItems clickedItems clickThroughRate } }"""
POPULAR = """query ($by: PopularBy, $limit: Int) { popularItems(by: $by, limit: $limit) {
  itemId impressions clicks uniqueUsers uniqueSessions } }"""


async def test_item_analytics_are_a_report_of_the_item(api: Any) -> None:
    """Of that item only, the same as the report with a filter; what is outside the range is not there."""
    await store(
        event(item="i", user="u", session="1"),
        event(item="i", user="w", session="2"),
        event("CLICK", item="i", user="u", session="1"),
        event("CONVERSION", item="i", value="5"),
        event(item="j"),
        event(),
        event(item="i", at=NOW - timedelta(days=31)),
    )
    found = (await api.ask(ITEM, {"id": "i"}))["itemAnalytics"]
    metrics = found.pop("metrics")
    assert found == {
        "itemId": "i", "impressions": 2, "clicks": 1, "uniqueUsers": 2, "uniqueSessions": 3,
        "clickThroughRate": 50.0,
    }  # fmt: skip
    assert metrics == (await report(api, filter={"itemId": "i"}))["totals"]
    longer = (await api.ask(ITEM, {"id": "i", "range": {"preset": "ALL"}}))["itemAnalytics"]
    assert longer["impressions"] == 3


async def test_an_unknown_item_or_user_has_zeros(api: Any) -> None:
    """They may live in another system: that nothing is known of them is no error."""
    item = (await api.ask(ITEM, {"id": "?"}))["itemAnalytics"]
    assert (item["impressions"], item["uniqueUsers"], item["clickThroughRate"]) == (0, 0, None)
    user = (await api.ask(USER, {"id": "?"}))["userAnalytics"]
    assert user == {
        "userId": "?", "impressions": 0, "clicks": 0, "viewedItems": 0, "clickedItems": 0,
        "clickThroughRate": None,
    }  # fmt: skip


async def test_user_analytics_count_items_once(api: Any) -> None:
    """Viewed are the items of impressions and views, clicked those that this user clicked."""
    await store(
        event(item="a", user="u"),
        event(item="a", user="u"),
        event("VIEW", item="b", user="u"),
        event("CLICK", item="c", user="u"),
        event("CLICK", item="c", user="u"),
        event("CLICK", item="a", user="u"),
        event("ENGAGEMENT", item="d", user="u"),
        event("CONVERSION", user="u"),
        event("PAGE_VIEW", user="u"),
        event("CLICK", item="b", user="w"),
        event("CLICK", item="b"),
        event("CLICK", item="b", user="u", at=NOW - timedelta(days=31)),
    )
    assert (await api.ask(USER, {"id": "u"}))["userAnalytics"] == {
        "userId": "u", "impressions": 2, "clicks": 3, "viewedItems": 2, "clickedItems": 2,
        "clickThroughRate": 150.0,
    }  # fmt: skip


async def some_items() -> None:
    """Items with more and less of everything, and conversions that are of no item."""
    for item, number in {"c": 3, "b": 1, "d": 3, "a": 3}.items():
        await store(*[event(item=item, session=f"{n}", user=f"u{n % 2}") for n in range(number)])
    await store(
        event("VIEW", item="b"),
        event("CLICK", item="a"), event("CLICK", item="a"), event("CLICK", item="b"),
        event("CONVERSION", item="a", value="9.99"),
        event("CONVERSION", item="b", value="10"), event("CONVERSION", item="b"),
        event("CONVERSION", item="c", value="0"),
        event("CONVERSION", value="100"),
        *[event("PAGE_VIEW") for _ in range(9)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("by", "items"),
    [
        (None, "acdb"),
        ("IMPRESSIONS", "acdb"),
        ("VIEWS", "b"),
        ("CLICKS", "ab"),
        ("CONVERSIONS", "bac"),
        ("REVENUE", "ba"),
    ],
)
async def test_popular_items(api: Any, by: str | None, items: str) -> None:
    """Most first, of equals the one whose id sorts first, without those that have none."""
    await some_items()
    found = (await api.ask(POPULAR, {"by": by}))["popularItems"]
    assert "".join(item["itemId"] for item in found) == items
    for item in found:
        alone = (await api.ask(ITEM, {"id": item["itemId"]}))["itemAnalytics"]
        assert item == {name: alone[name] for name in item}
    for limit in range(1, len(items) + 1):
        cut = (await api.ask(POPULAR, {"by": by, "limit": limit}))["popularItems"]
        assert cut == found[:limit]


async def test_popular_by_revenue_in_one_currency(api: Any) -> None:
    """Amounts of other currencies do not count where there are several; a single one does."""
    await store(
        event("CONVERSION", item="a", value="1", currency="CHF"),
        event("CONVERSION", item="b", value="2", currency="CHF"),
    )
    found = (await api.ask(POPULAR, {"by": "REVENUE"}))["popularItems"]
    assert [item["itemId"] for item in found] == ["b", "a"]
    await store(event("CONVERSION", item="a", value="1", currency="EUR"))
    found = (await api.ask(POPULAR, {"by": "REVENUE"}))["popularItems"]
    assert [item["itemId"] for item in found] == ["a"]


async def test_popular_items_in_the_catalogue_are_read_at_once(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one query for all of them, archived ones too; null where the catalogue has none."""
    for item in ("a", "b", "unpopular"):
        await api.ask(
            f'mutation {{ createItem(input: {{id: "{item}", title: "{item}!"}}) {{ id }} }}'
        )
    await api.ask('mutation { archiveItem(id: "b") { id } }')
    await some_items()
    directory = api.services.registry[ItemDirectory]
    asked = []
    by_ids = directory.by_ids

    async def counted(site: str, ids: Any) -> Any:
        asked.append((site, list(ids)))
        return await by_ids(site, ids)

    monkeypatch.setattr(directory, "by_ids", counted)
    found = await api.ask("{ popularItems { itemId item { title analytics { impressions } } } }")
    assert found["popularItems"] == [
        {"itemId": "a", "item": {"title": "a!", "analytics": {"impressions": 3}}},
        {"itemId": "c", "item": None},
        {"itemId": "d", "item": None},
        {"itemId": "b", "item": {"title": "b!", "analytics": {"impressions": 1}}},
    ]
    await api.ask("{ popularItems { itemId } }")
    await api.ask("{ popularItems(by: VIEWS, range: {preset: YESTERDAY}) { item { id } } }")
    assert asked == [("demo", ["a", "c", "d", "b"])]


async def test_overview_compares_with_the_time_before(api: Any) -> None:
    """The previous range ends where the current one begins; each event is in one of them."""
    start = NOW - timedelta(days=2)
    await store(
        event("CLICK", item="i", at=start), event(item="i", at=start), event(item="i"),
        event(at=start - timedelta(milliseconds=1), item="i", visitor="w"),
        event("CONVERSION", at=start - timedelta(days=2), value="4", visitor="w"),
        event("CONVERSION", at=start + timedelta(hours=1), value="5"),
        event(at=start - timedelta(days=2, milliseconds=1)),
    )  # fmt: skip
    end = NOW.replace(microsecond=1000)
    asked = {"start": start.isoformat(), "end": end.isoformat()}
    answer = await api.ask(
        f"""query ($range: RangeInput) {{ overview(range: $range) {{
          current {{ {METRICS} }} previous {{ {METRICS} }} changePercent }} }}""",
        {"range": asked},
    )
    current, previous = answer["overview"]["current"], answer["overview"]["previous"]
    assert current == (await report(api, range=asked))["totals"]
    assert (current["events"], previous["events"]) == (4, 3)
    before = (start - (end - start)).isoformat()
    assert previous == (await report(api, range={"start": before, "end": asked["start"]}))["totals"]
    changes = answer["overview"]["changePercent"]
    assert set(changes) == set(current) - {"currency", "revenueByCurrency"}
    for name, change in changes.items():
        now, then = (float(each[name] or 0) for each in (current, previous))
        wanted = None if not then or current[name] is None else 100 * (now - then) / then
        assert change == (wanted if wanted is None else pytest.approx(wanted)), name
    assert (changes["events"], changes["revenue"]) == (100 / 3, 25.0)
    assert (changes["clicks"], changes["clickThroughRate"]) == (None, None)


async def test_changes_can_be_asked_for_alone(api: Any) -> None:
    """The numbers that changePercent needs are computed, whatever else is selected."""
    await store(event(user="u"), event(user="u", at=NOW - timedelta(days=40)))
    answer = await api.ask("{ overview { changePercent } }")
    assert answer["overview"]["changePercent"]["uniqueUsers"] == 0.0


async def test_items_of_other_modules_are_counted_in_one_pass(api: Any) -> None:
    """Every one is as if it had been asked for alone, zeros for those without events."""
    await some_items()
    await store(event("CONVERSION", item="d", value="3", currency="CHF"))
    reports = api.services.registry[ItemReports]
    asked = ["a", "b", "c", "d", "nothing", "$b"]
    passes = await how_many_aggregations(api, reports.for_items("demo", asked, None))
    assert len(passes.pop("commands")) == 1
    for item, found in passes["result"].items():
        alone = (await api.ask(ITEM, {"id": item}))["itemAnalytics"]
        assert (found.item_id, found.unique_sessions) == (item, alone["uniqueSessions"])
        assert found.metrics.currency == alone["metrics"]["currency"]
        assert format(found.metrics.revenue, "f") == alone["metrics"]["revenue"]
    assert list(passes["result"]) == asked
    nobody = await reports.for_items("demo", ["a"], RangeInput(start=NOW + timedelta(minutes=1)))
    assert nobody["a"].impressions == 0
    assert await reports.for_items("demo", [], None) == {}


async def how_many_aggregations(api: Any, asked: Any) -> dict[str, Any]:
    """What it gives, and the pipelines that it ran."""
    commands: list[Any] = []
    aggregate = EventRepository.aggregate

    async def counted(self: Any, site: str, pipeline: Any, **more: Any) -> Any:
        commands.append(pipeline)
        return await aggregate(self, site, pipeline, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventRepository, "aggregate", counted)
        return {"result": await asked, "commands": commands}
