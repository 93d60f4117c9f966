"""What a key may be given: a label, origins, a rate, an end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core.errors import BadInputError
from app.core.names import camel_case
from app.core.origins import parse_origin
from app.core.rates import RATE_FORMAT, is_rate

MAX_LABEL = 100
MAX_ORIGINS = 50
# What may be null: from everywhere, at the instance's rate, for ever.
_OPTIONAL = ("allowed_origins", "rate_limit", "expires_at")


def check_attributes(given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The attributes as they are stored. Raises BadInputError naming `input.FIELD`."""
    return {name: _check(name, value, now) for name, value in given.items()}


def _check(name: str, value: Any, now: datetime) -> Any:
    field = f"input.{camel_case(name)}"
    if value is None and name in _OPTIONAL:
        return [] if name == "allowed_origins" else None
    if value is None:
        raise BadInputError("must not be null; leave it out to keep it", field)
    if name == "label" and not (0 < len(value.strip()) <= MAX_LABEL and value.isprintable()):
        raise BadInputError(f"must have 1 to {MAX_LABEL} printable characters", field)
    if name == "rate_limit" and not is_rate(value):
        raise BadInputError(RATE_FORMAT, field)
    if name == "expires_at" and value <= now:
        raise BadInputError("must be in the future", field)
    if name == "allowed_origins":
        return _check_origins(value, field)
    return value


def _check_origins(values: list[str], field: str) -> list[str]:
    if len(values) > MAX_ORIGINS:
        raise BadInputError(f"must have at most {MAX_ORIGINS} entries", field)
    origins = [parse_origin(value) for value in values]
    if None in origins:
        raise BadInputError('must be origins such as "https://shop.example"', field)
    return sorted({origin for origin in origins if origin is not None})
