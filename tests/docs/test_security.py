"""SECURITY.md and docs/security.md: every threat has an answer and a test, and nothing is made up."""

import re

import pytest

from tests.docs.markdown import ROOT

REPORTING = (ROOT / "SECURITY.md").read_text()
MODEL = (ROOT / "docs" / "security.md").read_text()
ASSETS = {
    "the numbers",
    "data of visitors",
    "data of a site",
    "keys and secrets",
    "the service",
    "the log",
    "who opens an export",
    "who looks at results",
    "who clicks in results",
}
HEADING = "| Asset | How | What answers it | Test |"


def threats() -> list[list[str]]:
    """The rows of all tables of threats: asset, how, answer, tests."""
    rows = []
    for table in MODEL.split(HEADING)[1:]:
        lines = table.split("\n\n")[0].strip().splitlines()[1:]
        rows += [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return rows


@pytest.mark.parametrize("row", threats(), ids=lambda row: row[1][:40])
def test_every_threat_has_an_answer_that_a_test_proves(row: list[str]) -> None:
    """Four cells, an asset that there is, and files of tests that exist and have tests in them."""
    asset, how, answer, tests = row
    assert asset in ASSETS
    assert how
    assert answer
    files = re.findall(r"`(tests/[\w/]+\.py)`", tests)
    assert files
    assert ", ".join(f"`{file}`" for file in files) == tests
    for file in files:
        assert re.search(r"^\s*(async )?def test_", (ROOT / file).read_text(), re.MULTILINE), file


@pytest.mark.parametrize(
    "threat",
    [
        "The public write key",
        "Forged events",
        "Scraping",
        "Injection",
        "Abuse of the service",
        "What is left to the operator",
        "What is not there",
    ],
)
def test_the_model_has_every_threat_that_was_asked_about(threat: str) -> None:
    """A section for each."""
    assert f"\n## {threat}\n" in MODEL


def test_reports_go_to_the_repository_and_nowhere_else() -> None:
    """No address of a person or of a service that may not exist."""
    assert not re.findall(r"\S+@\S+|https?://\S+", REPORTING)
    assert "Report a\nvulnerability" in REPORTING
