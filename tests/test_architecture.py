"""The walls of the house: which part may use which, and that no data goes without its site."""

import ast
import inspect
from pathlib import Path

import pytest

from app.repositories import (
    api_keys,
    decisions,
    events,
    items,
    marks,
    quality,
    quarter_hours,
    rollups,
    session_items,
    sessions,
)
from app.repositories.base import Repository

APP = Path(__file__).parent.parent / "app"

# Each part may import from itself and the parts named here.
MAY_USE = {
    "core": set(),
    "schemas": {"core"},
    "repositories": {"schemas", "core"},
    "modules": {"repositories", "schemas", "core"},
    "api": {"modules", "core"},
    "http": {"api", "modules", "core"},
}
DRIVER = ("pymongo", "motor", "bson", "gridfs")
# Building and reading exact decimals needs their type, and declaring indexes theirs.
MAY_NAME_THE_DRIVER = ("core/database.py", "core/embedded.py", "repositories/", "schemas/")
MAX_LINES = 400

FILES = sorted(APP.rglob("*.py"))


def imports(file: Path) -> list[str]:
    """The modules that a file imports, wherever in it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def part_of(file: Path) -> str:
    first = file.relative_to(APP).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(APP)))
def test_imports_go_one_way(file: Path) -> None:
    """main -> api -> modules -> repositories -> schemas -> core, and never back."""
    part = part_of(file)
    if part not in MAY_USE:
        return  # main, the command line and what stands beside them use everything
    used = {name.split(".")[1] for name in imports(file) if name.startswith("app.")}
    assert used <= MAY_USE[part] | {part}


@pytest.mark.parametrize(
    "file", sorted((APP / "modules").rglob("*.py")), ids=lambda file: str(file.relative_to(APP))
)
def test_modules_do_not_import_each_other(file: Path) -> None:
    """What one module needs of another goes through core/ports.py."""
    own = file.relative_to(APP / "modules").parts[0]
    others = {
        name.split(".")[2]
        for name in imports(file)
        if name.startswith("app.modules.") and name.split(".")[2] != own
    }
    assert not others


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(APP)))
def test_only_the_bottom_names_the_driver(file: Path) -> None:
    """Moving to another driver touches core/database.py, the repositories and the documents."""
    place = str(file.relative_to(APP))
    if place.startswith(MAY_NAME_THE_DRIVER):
        return
    allowed = {"bson", "pymongo.errors"}  # Decimal128; and errors where a process meets them
    named = {name for name in imports(file) if name.split(".")[0] in DRIVER}
    assert named <= allowed


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(APP)))
def test_files_stay_readable(file: Path) -> None:
    """A file that grows past 400 lines tells more than one story."""
    assert len(file.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    "repository",
    [
        api_keys.ApiKeyRepository,
        decisions.DecisionRepository,
        events.EventRepository,
        items.ItemRepository,
        marks.MarkRepository,
        quality.LedgerQuality,
        quality.WithdrawnEvents,
        quarter_hours.QuarterHourRepository,
        rollups.RollupRepository,
        session_items.SessionItemRepository,
        sessions.SessionEvents,
        sessions.SessionRepository,
    ],
)
def test_repository_methods_take_the_site_first(repository: type[Repository[object]]) -> None:
    """No method of a site's documents can be called without saying which site."""
    before_a_site_is_known = {"find_by_hash", "in_transaction", "snapshot"}
    # What is to be rolled up next, and how much there is, whosever it is: times, and no data.
    before_a_site_is_known |= {"ripe", "waiting", "oldest_age"}
    for name, method in inspect.getmembers(repository, inspect.isfunction):
        if name.startswith("_") or name in before_a_site_is_known or name == "collection":
            continue
        first = list(inspect.signature(method).parameters.values())[1]
        assert first.name == "site", name
        assert first.default is inspect.Parameter.empty, name
