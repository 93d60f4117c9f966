"""Settings of a site as texts: `footfall sites set NAME SETTING=VALUE` reads them, `show` writes them.

The readers raise ValueError, which says what would be right.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from app.core.event_types import EventType

E = TypeVar("E", bound=StrEnum)

# Stands for null: the instance's setting.
UNSET = "default"


def write(value: Any) -> str:
    """A setting's value as its reader takes it."""
    if value is None:
        return UNSET
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{days}" for name, days in value.items())
    if isinstance(value, list):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_switch(text: str) -> bool:
    switches = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if text.lower() not in switches:
        raise ValueError("must be true or false")
    return switches[text.lower()]


def read_number(text: str) -> float | None:
    if text == UNSET:
        return None
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        raise ValueError(f'must be a number, or "{UNSET}" for the setting of the instance')
    return float(text)


def read_whole_number(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError("must be a whole number")
    return int(text)


def read_list(text: str) -> list[str]:
    """Entries with commas between; an empty text is an empty list."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def enum_reader(enum: type[E]) -> Callable[[str], E]:
    """Reads a value of the enum, in upper or lower case."""

    def read(text: str) -> E:
        try:
            return enum(text.upper())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(enum)}") from None

    return read


_read_type = enum_reader(EventType)


def read_types(text: str) -> list[EventType]:
    return [_read_type(entry) for entry in read_list(text)]


def read_retention(text: str) -> list[tuple[EventType, int]]:
    """`CLICK:30,VIEW:7`: types and days."""
    entries = []
    for entry in read_list(text):
        event_type, colon, days = entry.partition(":")
        if not colon:
            raise ValueError('must be types with days, such as "CLICK:30,VIEW:7"')
        entries.append((_read_type(event_type), read_whole_number(days)))
    return entries
