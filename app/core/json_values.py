"""Which JSON of a client's may be stored: bounded, and nothing in it that the database cannot keep."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.core.scalars import LONG_MAX, LONG_MIN, format_instant

# Tabs and line ends are left out: they belong to text. Lone surrogates cannot be stored.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class JsonBounds:
    """How much one value may be: bytes when written as JSON, levels, and keys in all levels."""

    bytes: int
    depth: int = 4
    keys: int = 100


class JsonValueError(Exception):
    """The value may not be stored; the message says why, to follow the field's name."""


def check_json_object(value: Any, bounds: JsonBounds) -> None:
    """Raises JsonValueError unless the value is an object that may be stored."""
    if not isinstance(value, dict):
        raise JsonValueError("must be an object")
    if _check(value, bounds, depth=1) > bounds.keys:
        raise JsonValueError(f"must have at most {bounds.keys} keys")
    if len(orjson.dumps(value)) > bounds.bytes:
        raise JsonValueError(f"must have at most {bounds.bytes} bytes as JSON")


def _check(value: Any, bounds: JsonBounds, depth: int) -> int:
    """Check one value and what is in it; returns how many keys it has."""
    if isinstance(value, dict | list):
        if depth > bounds.depth:
            raise JsonValueError(f"must be at most {bounds.depth} levels deep")
        if isinstance(value, list):
            return sum(_check(element, bounds, depth + 1) for element in value)
        for key in value:
            if not key or key.startswith("$") or "." in key or CONTROL_CHARACTERS.search(key):
                raise JsonValueError(
                    "keys must not be empty, begin with '$' or contain '.' or control characters"
                )
        return len(value) + sum(_check(inner, bounds, depth + 1) for inner in value.values())
    if isinstance(value, str):
        if not value.isprintable() and CONTROL_CHARACTERS.search(value):
            raise JsonValueError("must not contain control characters or lone surrogates")
    elif isinstance(value, float):
        # A whole number of more digits than a double has was rounded when it was read, and all
        # doubles of this size are whole numbers.
        if not abs(value) < LONG_MAX:
            raise JsonValueError("numbers must fit into 64 bits")
    elif isinstance(value, int):
        if not LONG_MIN <= value <= LONG_MAX:
            raise JsonValueError("whole numbers must fit into 64 bits")
    elif value is not None:  # a variable that was not given, inside of a literal
        raise JsonValueError("every value must be given")
    return 0


def plain(value: Any) -> Any:
    """A stored value as JSON: instants and amounts as text."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return format_instant(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
