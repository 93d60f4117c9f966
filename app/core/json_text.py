"""Reading JSON so that one value that cannot be kept does not take all others with it."""

import json
from typing import Any

import orjson

# Longer ones are no whole numbers of 64 bits. Python would refuse a whole text for one of thousands of
# digits, and with it the other events of a batch.
_LONGEST_WHOLE_NUMBER = 20


def read_json(text: bytes) -> Any:
    """What a JSON text in UTF-8 says. Raises ValueError where it is none.

    orjson refuses a whole text for half of a character (a lone surrogate) or for one number that is
    too large. Both are valid JSON, and are read here: as what they are, and as infinity. Whoever takes
    such a value refuses that value alone.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _read_leniently(text)


def _read_leniently(text: bytes) -> Any:
    try:
        return json.loads(text.decode(), parse_int=_whole_number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_WHOLE_NUMBER else float(digits)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
