"""docs/limits.md says what is so."""

from pathlib import Path

from app.core import documents
from app.core.config import Settings
from app.core.limits import Limits
from app.http import bodies, connection

ROOT = Path(__file__).parents[2]


def test_every_limit_is_there_with_its_number() -> None:
    """The numbers of the tables are those that count."""
    text = (ROOT / "docs" / "limits.md").read_text()
    limits = Limits()
    numbers = {
        name: getattr(limits, name)
        for name in ("tokens", "operations", "depth", "fields", "aliases", "directives", "cost")
    }
    numbers |= {
        "comments": documents.MAX_COMMENTS,
        "characters": documents.MAX_CHARACTERS,
        "digits": documents.MAX_DIGITS,
        "overlaps": documents.OVERLAP_BUDGET,
    }
    for name, most in numbers.items():
        assert f"| {name} | {most:,} |" in text
    for size in (
        bodies.MAX_CALL_BYTES,
        bodies.MAX_BATCH_BYTES,
        bodies.MAX_BYTES_AT_ONCE,
        connection.MAX_HEADER_BYTES,
    ):
        assert f"{size:,}" in text
    defaults = Settings.model_fields
    assert f"{defaults['request_timeout'].default:g} s" in text
    assert f"{defaults['max_concurrency'].default:,}" in text
    assert defaults["max_query_cost"].default == limits.cost
