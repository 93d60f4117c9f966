"""docs/settings.md and .env.example against the settings that there are."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from app.core.config import NESTJS_NAMES, Settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
HEADER = "| Setting | Default | Meaning | Also read from |"
UNITS = {1: "", 1000: ", milliseconds"}


def default_of(name: str) -> str:
    """The default as one would write it in .env; empty where there is none."""
    default = Settings.model_fields[name].default
    assert default is not PydanticUndefined, f"{name}: Footfall starts without any setting"
    return "" if default is None else f"{default}"


def table_row(name: str) -> str:
    """The line of docs/settings.md for a setting."""
    field = Settings.model_fields[name]
    default = "unset" if field.default is None else f"`{default_of(name)}`"
    default = "empty" if default == "``" else default
    others = [
        f"`{other}`{UNITS[divisor]}"
        for other, (setting, divisor) in NESTJS_NAMES.items()
        if setting == name
    ]
    return (
        f"| `FOOTFALL_{name.upper()}` | {default} | {field.description} | {', '.join(others)} |"
    ).replace("|  |", "| |")


def test_the_page_has_every_setting_as_it_is() -> None:
    """The table is exactly what app/core/config.py says; the message of a failure is the new table."""
    text = PAGE.read_text()
    table = text[text.index(HEADER) :].split("\n\n")[0].strip().splitlines()
    expected = [HEADER, "| --- | --- | --- | --- |", *map(table_row, Settings.model_fields)]
    new = "\n".join(expected)
    assert table == expected, f"Replace the table in docs/settings.md with this:\n\n{new}\n"


def test_the_example_has_every_setting_with_its_default() -> None:
    """Every line of .env.example that sets something is a comment with the default."""
    written = re.findall(r"^(#?)(\w+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    expected = [("#", f"FOOTFALL_{n.upper()}", default_of(n)) for n in Settings.model_fields]
    lines = "\n".join(f"#{name}={default}" for _, name, default in expected)
    assert written == expected, f".env.example must have these lines, in this order:\n\n{lines}\n"


def test_the_example_can_be_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With all comment signs removed it still sets nothing but the defaults."""
    text = re.sub(r"^#(?=FOOTFALL_)", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert Settings() == Settings(_env_file=None)
