"""What the settings of a site may be, each by the name of its field in the document."""

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from app.core.config import MOST_DAYS, SECONDS_PER_DAY
from app.core.currencies import is_currency
from app.core.errors import BadInputError
from app.core.event_types import EventType
from app.core.names import camel_case
from app.core.origins import ANY_ORIGIN, parse_origin
from app.core.site_rules import PrivateData, TrackingLevel
from app.modules.sites import texts

MAX_NAME = 100
MAX_SAMPLE = 1_000
MAX_ENTRIES = 1_000
MAX_ORIGINS = 100
MAX_ENTRY_LENGTH = 256

# The value as it is stored, of the value and the field of the input. Raises BadInputError.
Check = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how a value is checked, and read from a command line (ValueError)."""

    check: Check
    read: Callable[[str], Any]
    may_be_null: bool = False


def check_setting(name: str, value: Any, path: str = "input") -> Any:
    """The value as it is stored. Raises BadInputError naming the field of the input."""
    field = f"{path}.{camel_case(name)}"
    setting = SETTINGS[name]
    if value is not None:
        return setting.check(value, field)
    if setting.may_be_null:
        return None
    raise BadInputError("must not be null; leave it out to keep it", field)


def check_id(site: str, field: str) -> None:
    """Raises BadInputError unless this can be a site's short name: it goes into ids."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", site):
        raise BadInputError("must be 1 to 40 lower case letters, digits and hyphens", field)


def _as_it_is(value: Any, field: str) -> Any:
    return value


def _enum_value(value: Any, field: str) -> str:
    return str(value.value)


def _name(value: str, field: str) -> str:
    if not (0 < len(value.strip()) <= MAX_NAME and value.isprintable()):
        raise BadInputError(f"must have 1 to {MAX_NAME} printable characters", field)
    return value


def _timezone(value: str, field: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise BadInputError('must be an IANA time zone such as "Europe/Zurich"', field)
    return value


def _currency(value: str, field: str) -> str:
    if not is_currency(value):
        raise BadInputError('must be an ISO 4217 code such as "EUR"', field)
    return value


def _sample(value: int, field: str) -> int:
    if not 1 <= value <= MAX_SAMPLE:
        raise BadInputError(f"must be from 1 to {MAX_SAMPLE}", field)
    return value


def _seconds(value: float, field: str) -> float:
    if not 0 <= value <= SECONDS_PER_DAY:
        raise BadInputError(f"must be from 0 to {SECONDS_PER_DAY} seconds", field)
    return float(value)


def _origins(values: list[str], field: str) -> list[str]:
    _check_number(values, MAX_ORIGINS, field)
    origins = {value if value == ANY_ORIGIN else parse_origin(value) for value in values}
    if None in origins:
        raise BadInputError(
            'must be origins such as "https://shop.example", without a path, or "*" for any', field
        )
    return sorted(origin for origin in origins if origin)


def _retention(entries: list[tuple[EventType, int]], field: str) -> dict[str, int]:
    days_of: dict[str, int] = {}
    for position, (event_type, days) in enumerate(entries):
        if event_type.value in days_of:
            raise BadInputError("must name each type once", f"{field}[{position}].type")
        if not 1 <= days <= MOST_DAYS:
            raise BadInputError(f"must be from 1 to {MOST_DAYS}", f"{field}[{position}].days")
        days_of[event_type.value] = days
    return days_of


def _types(values: list[EventType], field: str) -> list[str]:
    return sorted({value.value for value in values})


def _entries(values: list[str], field: str) -> list[str]:
    _check_number(values, MAX_ENTRIES, field)
    for value in values:
        if not (0 < len(value) <= MAX_ENTRY_LENGTH and value.isprintable()):
            raise BadInputError(
                f"must have entries of 1 to {MAX_ENTRY_LENGTH} printable characters", field
            )
    return sorted(set(values))


def _networks(values: list[str], field: str) -> list[str]:
    for value in _entries(values, field):
        try:
            ip_network(value, strict=False)
        except ValueError:
            raise BadInputError(
                'must be addresses or networks such as "192.0.2.0/24"', field
            ) from None
    return sorted(set(values))


def _check_number(values: list[str], most: int, field: str) -> None:
    if len(values) > most:
        raise BadInputError(f"must have at most {most} entries", field)


_SWITCH = Setting(_as_it_is, texts.read_switch)
_COOLDOWN = Setting(_seconds, texts.read_number, may_be_null=True)

SETTINGS: dict[str, Setting] = {
    "name": Setting(_name, str),
    "timezone": Setting(_timezone, str),
    "currency": Setting(_currency, str),
    "allowed_origins": Setting(_origins, texts.read_list),
    "consent_required": _SWITCH,
    "respect_do_not_track": _SWITCH,
    "tracking_level": Setting(_enum_value, texts.enum_reader(TrackingLevel)),
    "private_data": Setting(_enum_value, texts.enum_reader(PrivateData)),
    "keep_city": _SWITCH,
    "require_item_token": _SWITCH,
    "sample_one_in": Setting(_sample, texts.read_whole_number),
    "session_ends_on_new_source": _SWITCH,
    "impression_cooldown": _COOLDOWN,
    "click_cooldown": _COOLDOWN,
    "retention": Setting(_retention, texts.read_retention),
    "excluded_types": Setting(_types, texts.read_types),
    "excluded_items": Setting(_entries, texts.read_list),
    "excluded_sources": Setting(_entries, texts.read_list),
    "excluded_addresses": Setting(_networks, texts.read_list),
}
