"""The walls of the house: which part may use which, and that no data goes without its site."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from app import repositories
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


def repositories_of_sites() -> list[type[Repository[Any]]]:
    """All repositories of the application whose documents belong to a site."""
    for module in pkgutil.iter_modules(repositories.__path__):
        importlib.import_module(f"{repositories.__name__}.{module.name}")
    found, waiting = [], Repository.__subclasses__()
    while waiting:
        repository = waiting.pop()
        waiting += repository.__subclasses__()
        document = getattr(repository, "document", None)
        is_ours = repository.__module__.startswith(repositories.__name__)
        if is_ours and document is not None and "site" in document.model_fields:
            found.append(repository)
    return sorted(set(found), key=lambda repository: repository.__name__)


# What is asked before a site is known, or whosever it is. None of it answers what is in a site.
OF_NO_SITE = {
    "find_by_hash",  # which site a key is of
    "in_transaction", "snapshot",  # sessions of the database
    "ripe", "waiting", "oldest_age",  # what is to be rolled up next: places and times, and no data
    "unfinished",  # erasures that a process has left: they are carried on, each on its site
}  # fmt: skip


@pytest.mark.parametrize("repository", repositories_of_sites())
def test_repository_methods_take_the_site_first(repository: type[Repository[Any]]) -> None:
    """No method of a site's documents can be called without saying which site. Repositories are found
    by themselves: a new one is held to it too."""
    for name, method in inspect.getmembers(repository, inspect.isfunction):
        if name.startswith("_") or name in OF_NO_SITE or name == "collection":
            continue
        first = list(inspect.signature(method).parameters.values())[1]
        assert first.name in ("site", "sites"), name
        assert first.default is inspect.Parameter.empty, name
