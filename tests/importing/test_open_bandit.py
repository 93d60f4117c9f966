"""Real impressions and clicks, against the numbers that their publishers give.

The Open Bandit Dataset is not part of Footfall. Where its folder does not lie beside the repository,
these tests cannot run, and say so.
"""

from pathlib import Path
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import KEYS, OTHER_SITE_KEYS
from tests.importing.importer import Importer

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "open-bandit"
MAPPING = ROOT / "docs" / "examples" / "open-bandit.toml"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason="NOT TESTED AGAINST REAL DATA: the Open Bandit Dataset (random-men.csv.gz, bts-men.csv.gz) "
    "is not in ../shared/data/open-bandit",
)

# impressions, clicks, click-through rate in percent, items shown, distinct users
EXPECTED = {"random": (10_000, 46, 0.46, 34, 230), "bts": (10_000, 69, 0.69, 34, 238)}


@pytest.fixture
async def importer(make_api: Any, tmp_path: Path) -> Importer:
    """The rows are of 2019: events must be kept for ever."""
    return Importer(await make_api(data_retention_days=0), tmp_path)


REPORT = """
query ($range: RangeInput, $filter: ReportFilter) {
  report(by: [ITEM], range: $range, filter: $filter, limit: 100) {
    totals { impressions clicks clickThroughRate uniqueUsers uniqueSessions }
    rows { dimensions { value } metrics { impressions clicks uniqueUsers clickThroughRate } }
    meta { exact }
  }
}
"""
ITEM = """
query ($id: ID!, $range: RangeInput) {
  itemAnalytics(itemId: $id, range: $range) { impressions clicks uniqueUsers clickThroughRate }
}
"""
WEEK = {"start": "2019-11-24T00:00:00Z", "end": "2019-12-01T00:00:00Z"}


async def test_two_campaigns_of_one_site(importer: Importer) -> None:
    """Each campaign has exactly the published numbers; importing both again changes nothing."""
    for _ in range(2):
        for campaign in EXPECTED:
            await _import(importer, campaign, constants=[f"campaignId={campaign}"])
        for campaign, expected in EXPECTED.items():
            where = [{"dimension": "CAMPAIGN", "values": [campaign]}]
            assert await _reported(importer.api, {"where": where}) == expected
    assert await importer.count() == 20_000 + 46 + 69


async def test_a_site_for_each_campaign(importer: Importer) -> None:
    """The same numbers by site; and those of each item are what its report row says."""
    for site, campaign, keys in (("demo", "random", KEYS), ("other", "bts", OTHER_SITE_KEYS)):
        await _import(importer, campaign, site=site)
        assert await _reported(importer.api, None, keys=keys) == EXPECTED[campaign]
    data = await importer.api.ask(REPORT, {"range": WEEK}, scope=Scope.READ)
    assert len(data["report"]["rows"]) == 34
    for row in data["report"]["rows"][:5]:
        variables = {"id": row["dimensions"][0]["value"], "range": WEEK}
        one = await importer.api.ask(ITEM, variables, scope=Scope.READ)
        assert one["itemAnalytics"] == row["metrics"]


async def _import(importer: Importer, campaign: str, **options: Any) -> None:
    tally = await importer.run(DATA / f"{campaign}-men.csv.gz", file=MAPPING, **options)
    assert tally.rows == 10_000
    assert tally.clean
    assert set(tally.duplicates) <= {"REPLAYED"}


async def _reported(
    api: Any, chosen: dict[str, Any] | None, keys: dict[Scope, str] = KEYS
) -> tuple[Any, ...]:
    """What the API reports of the week."""
    variables = {"range": WEEK, "filter": chosen}
    report = (await api.ask(REPORT, variables, scope=Scope.READ, keys=keys))["report"]
    totals = report["totals"]
    assert report["meta"]["exact"]
    assert totals["uniqueSessions"] == 10_000
    return (
        totals["impressions"],
        totals["clicks"],
        round(totals["clickThroughRate"], 6),
        sum(row["metrics"]["impressions"] > 0 for row in report["rows"]),
        totals["uniqueUsers"],
    )
