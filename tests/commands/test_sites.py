"""`footfall sites`: what the owner does on the command line."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli import cli
from app.core.database import connect
from app.core.errors import FootfallError
from tests.conftest import empty_database

Run = Callable[..., Result]
ALL = ["list", "create", "rename", "show", "set", "archive", "restore", "owner-key"]


@pytest.fixture
def run(mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `footfall sites ...` on an empty database; what is refused is raised."""
    monkeypatch.setenv("FOOTFALL_MONGO_URL", mongo_url)
    monkeypatch.setenv("FOOTFALL_DATABASE", database_name)
    monkeypatch.setenv("COLUMNS", "200")
    empty_database(mongo_url, database_name)

    def sites(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["sites", *arguments], catch_exceptions=False)

    return sites


def stored(mongo_url: str, database: str, collection: str) -> list[dict[str, Any]]:
    """The documents of a collection."""

    async def read() -> list[dict[str, Any]]:
        client = connect(mongo_url)
        try:
            found: list[dict[str, Any]] = await client[database][collection].find({}).to_list(None)
            return found
        finally:
            client.close()

    return asyncio.run(read())


def test_each_command_says_what_it_does(run: Run) -> None:
    """In the list of commands and in its own help."""
    listed = run("--help").output
    for name in ALL:
        assert name in listed
        assert run(name, "--help").exit_code == 0


def test_a_sites_life(run: Run) -> None:
    """Made, renamed, set, shown, archived and restored; the list has what is in use."""
    assert "made shop" in run("create", "shop", "timezone=Asia/Kathmandu").output
    run("rename", "shop", "The Shop")
    run("set", "shop", "consentRequired=yes", "allowedOrigins=https://a.example,*")
    run("set", "shop", "retention=CLICK:30,view:7", "clickCooldown=2.5", "trackingLevel=minimal")
    shown = run("show", "shop").output.splitlines()
    for line in (
        "name=The Shop",
        "timezone=Asia/Kathmandu",
        "consentRequired=true",
        "allowedOrigins=*,https://a.example",
        "retention=CLICK:30,VIEW:7",
        "clickCooldown=2.5",
        "impressionCooldown=default",
        "trackingLevel=MINIMAL",
        "excludedItems=",
    ):
        assert line in shown
    assert "The Shop" in run("list").output
    assert "archived shop" in run("archive", "shop").output
    assert "The Shop" not in run("list").output
    assert "The Shop" in run("list", "--archived").output
    with pytest.raises(FootfallError, match="archived"):
        run("set", "shop", "name=x")
    assert "restored shop" in run("restore", "shop").output
    assert "The Shop" in run("list").output


def test_what_is_shown_can_be_set(run: Run) -> None:
    """Every setting of `show` is one that `set` takes, and setting it changes nothing."""
    run("create", "shop")
    run(
        "set",
        "shop",
        "excludedTypes=CLICK,VIEW",
        "excludedAddresses=192.0.2.0/24",
        "retention=VIEW:7",
    )
    shown = run("show", "shop").output
    run("set", "shop", *shown.splitlines())
    assert run("show", "shop").output == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set", "shop", "colour=red"), "SETTING=VALUE"),
        (("set", "shop", "name"), "SETTING=VALUE"),
        (("set", "shop", "consentRequired=perhaps"), "consentRequired: must be true or false"),
        (("set", "shop", "sampleOneIn=many"), "sampleOneIn: must be a whole number"),
        (("set", "shop", "sampleOneIn=5000"), "sampleOneIn: must be from 1 to 1000"),
        (("set", "shop", "clickCooldown=soon"), 'or "default"'),
        (("set", "shop", "trackingLevel=all"), "MINIMAL, STANDARD, DETAILED"),
        (("set", "shop", "retention=CLICK"), "CLICK:30,VIEW:7"),
        (("set", "shop", "retention=CLICK:400"), "longer than the instance"),
        (("set", "shop", "excludedTypes=TAP"), "IMPRESSION"),
        (("set", "nowhere", "name=x"), "no site"),
        (("rename", "nowhere", "x"), "no site"),
        (("show", "nowhere"), "no site"),
        (("archive", "nowhere"), "no site"),
        (("restore", "nowhere"), "no site"),
        (("create", "shop"), "There is a site"),
        (("create", "Not plain"), "lower case"),
        (("create", "new", "currency=euro"), "ISO 4217"),
    ],
)
def test_mistakes_are_told(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """Which setting and what would be right; the site stays as it is."""
    run("create", "shop")
    shown = run("show", "shop").output
    with pytest.raises(FootfallError, match=re.escape(message)):
        run(*arguments)
    assert run("show", "shop").output == shown


def test_an_owners_key_is_printed_once(run: Run, mongo_url: str, database_name: str) -> None:
    """Stored hashed; with --replace the ones before are revoked."""
    first = run("owner-key").output.strip()
    second = run("owner-key", "--label", "ops").output.strip()
    third = run("owner-key", "--replace").output.strip()
    keys = stored(mongo_url, database_name, "api_keys")
    assert re.fullmatch(r"ff_owner_\S{32}", first)
    assert all(key not in str(keys) for key in (first, second, third))
    assert {key["scope"] for key in keys} == {"owner"}
    usable = [key for key in keys if key.get("revoked_at") is None]
    assert [third.startswith(key["hint"]) for key in usable] == [True]
    assert len(keys) == 3


def test_what_is_done_is_in_the_log_of_admin_actions(
    run: Run, mongo_url: str, database_name: str
) -> None:
    """Each change once, with what was changed."""
    run("create", "shop")
    run("set", "shop", "consentRequired=true")
    run("archive", "shop")
    run("restore", "shop")
    logged = stored(mongo_url, database_name, "admin_actions")
    actions = ["createSite", "updateSite", "archiveSite", "restoreSite"]
    assert [entry["action"] for entry in sorted(logged, key=lambda e: e["_id"])] == actions
    assert {entry["site"] for entry in logged} == {"shop"}
    assert "consentRequired" in str(logged[1])
