"""What is done on the command line is in the log of admin actions, and an archived site is left alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli import cli
from app.core.auth import INSTANCE
from app.core.embedded import EmbeddedMongo
from app.core.errors import FootfallError
from tests.commands.test_sites import stored
from tests.conftest import empty_database

Run = Callable[..., Result]
Log = Callable[[], list[dict[str, Any]]]

EARLIER = datetime.now(UTC) - timedelta(days=2)
START = f"{EARLIER:%Y-%m-%d}"
EVENTS = f"""{{"type": "PAGE_VIEW", "timestamp": "{EARLIER.isoformat()}"}}
{{"type": "PAGE_VIEW", "timestamp": "{EARLIER.isoformat()}"}}
{{"type": "CLICK"}}
"""
ITEMS = '{"id": "lot", "title": "Vase"}\n'


@pytest.fixture
def run(mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `footfall ...` on an empty database; what is refused is raised."""
    monkeypatch.setenv("FOOTFALL_MONGO_URL", mongo_url)
    monkeypatch.setenv("FOOTFALL_DATABASE", database_name)
    empty_database(mongo_url, database_name)

    def footfall(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    return footfall


@pytest.fixture
def log(run: Run, mongo_url: str, database_name: str) -> Log:
    """The recorded actions, oldest first."""

    def read() -> list[dict[str, Any]]:
        return sorted(stored(mongo_url, database_name, "admin_actions"), key=lambda one: one["_id"])

    return read


def told(action: dict[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
    """Where, what, how it ended, and what is noted of it."""
    changes = {change["name"]: change.get("new") for change in action["changes"]}
    return action["site"], action["action"], action["result"], changes


def test_imports_exports_and_rebuilds_are_recorded(run: Run, log: Log, tmp_path: Path) -> None:
    """With how much they took in or gave out; and that a site was made for them."""
    events, items = tmp_path / "events.ndjson", tmp_path / "items.ndjson"
    events.write_text(EVENTS)
    items.write_text(ITEMS)
    assert run("import", "events", str(events), "--site", "shop").exit_code == 1
    assert run("import", "items", str(items), "--site", "shop").exit_code == 0
    whole = ("--start", START, "--type", "page_view")
    assert run("export", "events", str(tmp_path / "e.csv"), "--site", "shop", *whole).exit_code == 0
    report = ("--by", "item", "--preset", "today")
    assert (
        run("export", "report", str(tmp_path / "r.csv"), "--site", "shop", *report).exit_code == 0
    )
    assert run("rebuild", "--site", "shop", "--from", START).exit_code == 0
    actions = log()
    assert {(action["key"], action["target"]) for action in actions[1:]} == {(None, None)}
    *others, rebuilt = [told(action) for action in actions]
    assert others == [
        ("shop", "createSite", "DONE", {}),
        ("shop", "importEvents", "DONE", {"accepted": 2, "rejected": 1}),
        ("shop", "importItems", "DONE", {"accepted": 1}),
        (
            "shop",
            "exportEvents",
            "DONE",
            {"start": f"{START}T00:00:00.000Z", "types": ["PAGE_VIEW"], "events": 2},
        ),
        ("shop", "exportReport", "DONE", {"by": ["ITEM"], "preset": "TODAY", "rows": 0}),
    ]
    assert rebuilt[:3] == ("shop", "rebuild", "DONE")
    assert set(rebuilt[3]) == {"start", "events"}


def test_what_is_refused_is_recorded_too(run: Run, log: Log, tmp_path: Path) -> None:
    """An export of a site that there is not."""
    with pytest.raises(FootfallError, match="no site"):
        run("export", "events", str(tmp_path / "e.csv"), "--site", "nowhere")
    assert [told(action)[:3] for action in log()] == [("nowhere", "exportEvents", "REFUSED")]


def test_a_site_that_a_key_makes_is_told_and_recorded(run: Run, log: Log) -> None:
    """Once, on the terminal beside the key: its name may be a mistake."""
    first = run("keys", "create", "write", "--site", "typo")
    assert first.stderr == "The site typo is new.\n"
    assert first.stdout.startswith("ff_write_")
    assert run("keys", "create", "read", "--site", "typo").stderr == ""
    assert [told(action)[:3] for action in log()] == [
        ("typo", "createSite", "DONE"),
        ("typo", "createKey", "DONE"),
        ("typo", "createKey", "DONE"),
    ]


def test_an_archived_site_takes_in_nothing(run: Run, log: Log, tmp_path: Path) -> None:
    """No items, no events and no keys; what was tried is recorded."""
    made = run("keys", "create", "admin", "--site", "shop").stdout.strip()
    run("sites", "archive", "shop")
    before = len(log())
    events, items = tmp_path / "events.ndjson", tmp_path / "items.ndjson"
    events.write_text(EVENTS)
    items.write_text(ITEMS)
    for arguments in (
        ("import", "events", str(events)),
        ("import", "items", str(items)),
        ("import", "items", str(items), "--change"),
        ("keys", "create", "write"),
        ("keys", "rotate", made[:14]),
    ):
        with pytest.raises(FootfallError, match="archived"):
            run(*arguments, "--site", "shop")
    assert [told(action)[1:3] for action in log()[before:]] == [
        ("importEvents", "REFUSED"),
        ("importItems", "REFUSED"),
        ("importItems", "REFUSED"),
        ("createKey", "REFUSED"),
        ("rotateKey", "REFUSED"),
    ]
    assert run("keys", "revoke", made[:14], "--site", "shop").exit_code == 0


def test_another_owner_key_in_the_settings_is_recorded(
    run: Run, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each, with how many it revoked; starting again with the same one is no change."""
    for key in ("a" * 24, "a" * 24, "b" * 24):
        monkeypatch.setenv("FOOTFALL_OWNER_KEY", key)
        run("sites", "list")
    label = {"label": "FOOTFALL_OWNER_KEY"}
    assert [told(action) for action in log()] == [
        (INSTANCE, "createOwnerKey", "DONE", label),
        (INSTANCE, "createOwnerKey", "DONE", {**label, "revokedKeys": 1}),
    ]
    assert len({action["target"] for action in log()}) == 2
    assert "a" * 24 not in str(log())


def test_a_scrub_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the new files, which are never used without it."""
    monkeypatch.setenv("FOOTFALL_DATA_DIR", str(tmp_path))
    assert CliRunner().invoke(cli, ["scrub"], catch_exceptions=False).exit_code == 0
    with EmbeddedMongo(tmp_path, cache_gb=0.3) as url:
        [action] = stored(url, "footfall", "admin_actions")
    assert told(action) == (INSTANCE, "scrub", "DONE", {})
