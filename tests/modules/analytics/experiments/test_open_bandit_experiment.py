"""A real A/B test: the two policies of the Open Bandit Dataset, imported as docs/experiments.md says.

Every expected number is computed here from the files themselves, with the formulae written out.
"""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import ROOT, blocks, body
from tests.importing.importer import Importer
from tests.importing.test_open_bandit import DATA, MAPPING, WEEK, pytestmark
from tests.modules.analytics.experiments import formulas
from tests.modules.analytics.experiments.experimenting import codes, experiment

__all__ = ["pytestmark"]  # where the data is not there, these tests cannot run, and say so

PAGE = ROOT / "docs" / "experiments.md"
POLICIES = ("random", "bts")
USER = [f"user_feature_{n}" for n in range(4)]


def rows(policy: str) -> list[dict[str, str]]:
    with gzip.open(DATA / f"{policy}-men.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
async def imported(make_api: Any, tmp_path: Path) -> Any:
    """An application with both logs, of one experiment."""
    api = await make_api(data_retention_days=0)
    importer = Importer(api, tmp_path)
    for policy in POLICIES:
        tally = await importer.run(
            DATA / f"{policy}-men.csv.gz",
            file=MAPPING,
            constants=["experimentId=policy", f"variant={policy}"],
        )
        assert (tally.rows, tally.clean, tally.duplicates) == (10_000, True, Counter())
    return api


async def test_random_against_bts(imported: Any) -> None:
    """By impression: the numbers of the files, and what the formulae make of them; and by visitor
    those that saw one policy only."""
    data = {policy: rows(policy) for policy in POLICIES}
    await check_impressions(imported, data)
    await check_visitors(imported, data)
    await check_the_page(imported)


async def check_impressions(api: Any, data: dict[str, list[dict[str, str]]]) -> None:
    clicks = {policy: sum(row["click"] == "1" for row in of) for policy, of in data.items()}
    random, bts = ((clicks[policy], len(data[policy])) for policy in POLICIES)
    assert (random, bts) == ((46, 10_000), (69, 10_000))
    results = await experiment(
        api, "policy", range=WEEK, countBy="IMPRESSION", control="random", minimumEffect=20
    )
    control, other = results["variants"]
    for found, name, (successes, trials) in ((control, "random", random), (other, "bts", bts)):
        assert (found["variant"], found["conversions"], found["trials"]) == (
            name,
            successes,
            trials,
        )
        assert found["rate"] == pytest.approx(100 * successes / trials)
        assert ends(found["rateInterval"]) == in_percent(formulas.wilson((successes, trials)))
    comparison = other["comparison"]
    assert comparison["difference"] == 0.23
    assert ends(comparison["differenceInterval"]) == in_percent(formulas.newcombe(bts, random))
    assert comparison["uplift"] == 50
    assert ends(comparison["upliftInterval"]) == in_percent(formulas.katz(bts, random))
    assert comparison["test"] == "Z_TEST"
    assert comparison["pValue"] == pytest.approx(formulas.z_test(bts, random))
    assert comparison["pValue"] == comparison["adjustedPValue"] == pytest.approx(0.0315, abs=5e-5)
    assert comparison["significant"]
    assert comparison["neededPerVariant"] == formulas.needed(0.0046, 0.0046 * 1.2)
    assert results["sampleRatio"] == {"pValue": 1.0, "mismatch": False}
    assert codes(results) == [
        "SAMPLE_TOO_SMALL",
        "VISITORS_IN_SEVERAL_VARIANTS",
        "REPEATED_VISITORS",
    ]
    observed = await experiment(api, "policy", range=WEEK, countBy="IMPRESSION", control="random")
    needed = observed["variants"][1]["comparison"]["neededPerVariant"]
    assert needed == formulas.needed(0.0046, 0.0069)


async def check_visitors(api: Any, data: dict[str, list[dict[str, str]]]) -> None:
    users = {
        policy: {tuple(row[feature] for feature in USER) for row in of}
        for policy, of in data.items()
    }
    both = users["random"] & users["bts"]
    results = await experiment(api, "policy", range=WEEK, goal={"type": "CLICK"}, control="random")
    assert results["visitorsInSeveralVariants"] == len(both)
    counted = [one["visitors"] for one in results["variants"]]
    assert counted == [len(users[policy] - both) for policy in POLICIES]
    converted = [
        len({user for row in data[policy] if row["click"] == "1"
             and (user := tuple(row[feature] for feature in USER)) not in both})
        for policy in POLICIES
    ]  # fmt: skip
    assert [one["conversions"] for one in results["variants"]] == converted


async def check_the_page(api: Any) -> None:
    """The query of docs/experiments.md has the answer that is printed below it."""
    [request] = [sent for block in blocks(PAGE) if (sent := body(block.text))]
    [printed] = [json.loads(block.text) for block in blocks(PAGE) if block.language == "json"]
    assert rounded(await api.ask(request["query"])) == printed["data"]
    assert "20,000 impressions are of 265 visitors." in str(
        await api.ask(request["query"].replace("warnings { code }", "warnings { message }"))
    )
    [*_, by_visitor] = [block.text for block in blocks(PAGE) if block.language == "graphql"]
    found = (await api.ask(by_visitor))["experiment"]
    assert [one["visitors"] for one in found["variants"]] == [27, 35]
    assert [one["conversions"] for one in found["variants"]] == [0, 0]


def rounded(value: Any) -> Any:
    """The same with every number of four decimals."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


def ends(interval: dict[str, float]) -> tuple[float, float]:
    return interval["lower"], interval["upper"]


def in_percent(interval: tuple[float, float]) -> Any:
    return pytest.approx(tuple(100 * end for end in interval), abs=1e-9)
