"""docs/privacy.md against what is stored."""

import re
from pathlib import Path

from app.core.site_rules import TrackingLevel
from app.modules.tracking.levels import KEPT_FROM
from app.schemas import DOCUMENTS, Event

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_stored_field_of_an_event_is_there() -> None:
    """Each once, with what it is, why, and the lowest level that keeps it, as the code has it."""
    table = rows("What is stored of an event")
    names = [re.fullmatch(r"`(\w+)`", row[0])[1] for row in table]
    fields = [
        "_id" if name == "id" else name for name in Event.model_fields if name != "revision_id"
    ]
    assert sorted(names) == sorted(fields)
    for name, (_, what, why, level) in zip(names, table, strict=True):
        assert what
        assert why
        assert level == KEPT_FROM.get(name, TrackingLevel.MINIMAL).value, name


def test_every_collection_is_there() -> None:
    """Each once, with what of a person is in it and how long."""
    named = [name for row in rows("What else is stored") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(one.Settings.name for one in DOCUMENTS)
