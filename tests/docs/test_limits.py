"""docs/limits.md says what is so."""

from pathlib import Path

from app.core import documents
from app.core.config import Settings
from app.core.limits import Limits
from app.http import bodies, connection, socket_handler, socket_keys
from app.modules.analytics.realtime import seats

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
    for sockets in (
        f"| time until `connection_init` | {socket_handler.INIT_SECONDS:g} s |",
        f"| time without a valid key | {socket_keys.KEYLESS_SECONDS:g} s |",
        f"| operations under way on one socket | {socket_handler.MAX_OPERATIONS} |",
        f"| subscriptions on one socket | {seats.PER_CONNECTION} |",
        f"| subscriptions of one site, in a process | {seats.PER_SITE} |",
        f"| subscriptions in a process | {seats.PER_PROCESS} |",
    ):
        assert sockets in text
    defaults = Settings.model_fields
    assert f"`FOOTFALL_MAX_SOCKETS`, {defaults['max_sockets'].default:,} |" in text
    assert f"{defaults['request_timeout'].default:g} s" in text
    assert f"{defaults['max_concurrency'].default:,}" in text
    assert defaults["max_query_cost"].default == limits.cost
