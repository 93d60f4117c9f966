"""The pages say only what is there, and the README's first steps work as they stand."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from graphql import parse, validate

from app.api import build_schema
from app.cli import cli
from app.core.config import NESTJS_NAMES, Settings
from tests.docs.markdown import PAGES, ROOT, anchor, blocks, body, code, prose

README = ROOT / "README.md"
SETTINGS = {f"FOOTFALL_{name.upper()}" for name in Settings.model_fields} | set(NESTJS_NAMES)

of_every_page = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)


@of_every_page
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project names one that is there, and a heading that is in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", prose(found), re.MULTILINE)
            assert heading in map(anchor, headings), target


@of_every_page
def test_files_that_are_named_are_there(page: Path) -> None:
    """A path of the project between backticks exists."""
    for text in re.findall(r"`([^`\n]+)`", prose(page)):
        if re.fullmatch(r"(app|docs|scripts|tests|web)/[\w./-]*", text) and "static" not in text:
            assert (ROOT / text).exists(), text


@of_every_page
def test_settings_that_are_named_exist(page: Path) -> None:
    """Every FOOTFALL_ and ANALYTICS_ name is one that is read."""
    named = set(re.findall(r"\b(?:FOOTFALL|ANALYTICS)_[A-Z_]*[A-Z]\b", page.read_text()))
    assert named <= SETTINGS


@of_every_page
def test_make_targets_that_are_named_exist(page: Path) -> None:
    """Every `make ...` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for text in code(page):
        assert set(re.findall(r"(?:^|\n)make ([a-z]+)", text)) <= targets


@of_every_page
def test_commands_that_are_named_exist(page: Path) -> None:
    """Every `footfall ...` is a command, with the options that it is given."""
    for words in footfall_commands(page):
        command: Any = typer.main.get_command(cli)
        while commands := getattr(command, "commands", None):
            if words in (["--help"], ["COMMAND", "--help"]):
                break
            command = commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= options


def test_the_readme_lists_every_command() -> None:
    """What `footfall --help` shows, the README's last list names."""
    command: Any = typer.main.get_command(cli)
    listed = README.read_text().partition("`footfall COMMAND --help`")[2]
    assert [name for name in command.commands if f"`{name}`" not in listed] == []


def footfall_commands(page: Path) -> Iterator[list[str]]:
    """The words after each `footfall`, where it is called as a program."""
    for text in code(page):
        for line in text.replace("\\\n", " ").splitlines():
            called = re.search(r"(?:^|[/ (])footfall (?=[a-z-])(.*?)(?:[)|<>]|$)", line)
            if called:
                yield shlex.split(called[1])


@of_every_page
def test_graphql_that_is_shown_is_valid(page: Path) -> None:
    """Every query on a page can be asked, and has no field or argument that there is not."""
    schema = build_schema()._schema
    sent = [body(block.text) for block in blocks(page) if block.language == "sh"]
    queries = [request["query"] for request in sent if request is not None]
    queries += [block.text for block in blocks(page) if block.language == "graphql"]
    for query in queries:
        assert not validate(schema, parse(query)), query


def test_the_first_steps_of_the_readme(live_server: Any) -> None:
    """Each request of the README gets the answer that is printed below it, from a running server.

    A second answer in a row is that of the request before it, or of the last report, sent again.
    """
    steps = readme_steps("Your first event") + readme_steps("Your first report")
    impression, first, repeated, report, before, click_, clicked, after = steps
    for shell, expected in (
        (impression, first),
        (impression, repeated),
        (report, before),
        (click_, clicked),
        (report, after),
    ):
        assert send(shell, live_server) == expected


def readme_steps(heading: str) -> list[Any]:
    """The requests under a heading as they stand, and the answers as JSON."""
    section = README.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^```(sh|json)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [
        text if language == "sh" else httpx.Response(200, text=text).json()
        for language, text in found
        if language == "json" or "curl" in text
    ]


def send(shell: str, server: Any) -> Any:
    """Send what a curl command of the README sends, with the server's keys."""
    [scope] = re.findall(r"Bearer \$FOOTFALL_DEMO_(\w+)_KEY", shell)
    [path] = re.findall(r"http://127\.0\.0\.1:8000(/\S*)", shell)
    key = getattr(server, f"{scope.lower()}_key")
    response = httpx.post(
        f"{server.url}{path}", json=body(shell), headers={"Authorization": f"Bearer {key}"}
    )
    return response.json()
