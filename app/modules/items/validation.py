"""Is an item's field what the contract says? Every field has a bound and a reason."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from app.core.currencies import is_currency
from app.core.errors import BadInputError
from app.core.json_values import (
    CONTROL_CHARACTERS,
    JsonBounds,
    JsonValueError,
    check_json_object,
)

MAX_ID_LENGTH = 256
MAX_TITLE_LENGTH = 300
MAX_KIND_LENGTH = 50
MAX_CATEGORY_LENGTH = 100
MAX_DESCRIPTION_LENGTH = 10_000
MAX_ADDRESS_LENGTH = 2_048
MAX_PRICE = Decimal(10) ** 15
ATTRIBUTES = JsonBounds(bytes=20 * 1024)

# Of a field that is one line of text, where a tab or a line end is a mistake as well.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def is_item_id(text: str) -> bool:
    """Whether an item could have this id."""
    return 1 <= len(text) <= MAX_ID_LENGTH and not _NOT_IN_A_LINE.search(text)


def check_line(text: str, field: str, longest: int) -> str | None:
    """One line of text, None for an empty one. Raises BadInputError."""
    if len(text) > longest:
        raise BadInputError(f"must have at most {longest} characters", field)
    if _NOT_IN_A_LINE.search(text):
        raise BadInputError(
            "must not contain control characters, line ends or lone surrogates", field
        )
    return text or None


def check_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """These fields of an item, by their names in its document, fit to be stored.

    An empty text is the same as null. Raises BadInputError, naming `input.` and the contract's
    name, at the first field that cannot be used.
    """
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        field, check = _FIELDS[name]
        result = None if value is None else check(value, field)
        if result is None and name in _NEEDED:
            raise BadInputError("must not be null or empty", field)
        checked[name] = result
    starts_at, ends_at = checked.get("starts_at"), checked.get("ends_at")
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        raise BadInputError("must not be before startsAt", "input.endsAt")
    return checked


def _line(longest: int) -> Callable[[str, str], str | None]:
    return lambda text, field: check_line(text, field, longest)


def _visible_line(longest: int) -> Callable[[str, str], str | None]:
    def check(text: str, field: str) -> str | None:
        if text and not text.strip():
            raise BadInputError("must not be blank", field)
        return check_line(text, field, longest)

    return check


def _item_id(text: str, field: str) -> str:
    if not is_item_id(text):
        raise BadInputError(
            f"must have 1 to {MAX_ID_LENGTH} characters and no control characters", field
        )
    return text


def _description(text: str, field: str) -> str | None:
    if len(text) > MAX_DESCRIPTION_LENGTH:
        raise BadInputError(f"must have at most {MAX_DESCRIPTION_LENGTH} characters", field)
    if CONTROL_CHARACTERS.search(text):
        raise BadInputError("must not contain control characters or lone surrogates", field)
    return text or None


def _price(value: Decimal, field: str) -> Decimal:
    if not 0 <= value < MAX_PRICE:
        raise BadInputError("must be from 0 to below 10^15", field)
    return value.copy_abs()  # -0 is 0


def _currency(code: str, field: str) -> str | None:
    if code and not is_currency(code):
        raise BadInputError('must be an ISO 4217 code such as "EUR"', field)
    return code or None


def _address(text: str, field: str) -> str | None:
    """An http or https address, or a path. Browsers ignore spaces around it, so that there are none."""
    address = check_line(text, field, MAX_ADDRESS_LENGTH)
    if address is None:
        return None
    scheme = _SCHEME.match(address)
    try:
        parts = urlsplit(address)
        complete = scheme is None or (scheme[1].lower() in ("http", "https") and parts.hostname)
        parts.port  # noqa: B018  # reading the port is what checks it
    except ValueError:
        complete = False
    if not complete or address != address.strip():
        raise BadInputError("must be an http or https address, or a path", field)
    return address


def _instant(value: datetime, field: str) -> datetime:
    return value


def _attributes(value: Any, field: str) -> dict[str, Any]:
    try:
        check_json_object(value, ATTRIBUTES)
    except JsonValueError as error:
        raise BadInputError(str(error), field) from None
    attributes: dict[str, Any] = value
    return attributes


_FIELDS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "item": ("input.id", _item_id),
    "title": ("input.title", _visible_line(MAX_TITLE_LENGTH)),
    "kind": ("input.kind", _visible_line(MAX_KIND_LENGTH)),
    "description": ("input.description", _description),
    "category": ("input.category", _line(MAX_CATEGORY_LENGTH)),
    "status": ("input.status", lambda status, field: status),
    "price": ("input.price", _price),
    "currency": ("input.currency", _currency),
    "image_url": ("input.imageUrl", _address),
    "link": ("input.link", _address),
    "campaign": ("input.campaignId", _line(MAX_ID_LENGTH)),
    "starts_at": ("input.startsAt", _instant),
    "ends_at": ("input.endsAt", _instant),
    "attributes": ("input.attributes", _attributes),
}
_NEEDED = frozenset({"item", "title", "kind", "status"})
