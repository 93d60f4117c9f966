"""What the settings of a site may be."""

import zoneinfo
from ipaddress import ip_network
from typing import Any

from app.core.currencies import is_currency
from app.core.errors import BadInputError
from app.schemas.event import EventType

MAX_NAME = 100
MAX_SAMPLE = 1_000
MAX_EXCLUSIONS = 1_000
MAX_EXCLUSION_LENGTH = 256


def check_setting(name: str, value: Any) -> Any:
    """The value as it is stored. Raises BadInputError naming the field of the input."""
    field = f"input.{_camel_case(name)}"
    if value is None:
        raise BadInputError("must not be null; leave it out to keep it", field)
    if name == "name" and not (0 < len(value.strip()) <= MAX_NAME and value.isprintable()):
        raise BadInputError(f"must have 1 to {MAX_NAME} printable characters", field)
    if name == "timezone" and value not in zoneinfo.available_timezones():
        raise BadInputError('must be an IANA time zone such as "Europe/Zurich"', field)
    if name == "currency" and not is_currency(value):
        raise BadInputError('must be an ISO 4217 code such as "EUR"', field)
    if name == "sample_one_in" and not 1 <= value <= MAX_SAMPLE:
        raise BadInputError(f"must be from 1 to {MAX_SAMPLE}", field)
    if name.startswith("excluded_"):
        return _check_exclusions(name, value, field)
    return value


def _check_exclusions(name: str, values: list[Any], field: str) -> list[str]:
    if len(values) > MAX_EXCLUSIONS:
        raise BadInputError(f"must have at most {MAX_EXCLUSIONS} entries", field)
    texts = [value.value if isinstance(value, EventType) else value for value in values]
    for text in texts:
        if not (0 < len(text) <= MAX_EXCLUSION_LENGTH and text.isprintable()):
            raise BadInputError(
                f"must have entries of 1 to {MAX_EXCLUSION_LENGTH} printable characters", field
            )
        if name == "excluded_addresses" and not _is_network(text):
            raise BadInputError('must be addresses or networks such as "192.0.2.0/24"', field)
    return sorted(set(texts))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
