"""docs/errors.md against the codes and reasons that there are."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from app.core.errors import ErrorCode
from app.modules.tracking.events import Reason, Verdict

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def documented(heading: str) -> list[str]:
    """The names in the first column of the table under a heading."""
    section = re.split(r"^## ", PAGE.read_text().split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "names"), [("Verdicts", Verdict), ("Reasons", Reason), ("Error codes", ErrorCode)]
)
def test_the_page_names_all_of_them(heading: str, names: Iterable[StrEnum]) -> None:
    """Each once, in the order of the code, and none that there is not."""
    assert documented(heading) == [str(name) for name in names]


def test_every_reason_is_under_its_verdict() -> None:
    """Repeats are duplicates; everything else is rejected."""
    verdicts = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    duplicates = {reason for reason, verdict in verdicts.items() if verdict == Verdict.DUPLICATE}
    assert duplicates == {Reason.REPLAYED, Reason.COOLDOWN}
    assert set(verdicts) == set(Reason)
