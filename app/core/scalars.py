"""The scalars of the contract: DateTime, Long, Decimal and JSON."""

import decimal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from app.core.clock import whole_milliseconds

if TYPE_CHECKING:
    Long = int  # for the type checker any whole number will do
else:
    Long = NewType("Long", int)

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
MAX_DECIMAL_DIGITS = 34  # what MongoDB's Decimal128 keeps exactly
MAX_DECIMAL_EXPONENT = 30


def parse_instant(value: object) -> datetime:
    """An ISO 8601 instant as aware UTC datetime in whole milliseconds; without an offset it is UTC."""
    if not isinstance(value, str) or len(value) > 40:
        raise GraphQLError("DateTime must be an ISO 8601 string such as 2026-01-31T12:00:00Z.")
    try:
        instant = datetime.fromisoformat(value.strip())
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return whole_milliseconds(instant.astimezone(UTC))
    except (ValueError, OverflowError):
        raise GraphQLError(
            "DateTime must be an ISO 8601 instant such as 2026-01-31T12:00:00Z."
        ) from None


def format_instant(value: datetime) -> str:
    """UTC, milliseconds, with Z. MongoDB's own datetimes come without an offset and are UTC."""
    if value.tzinfo is not None:
        value = value.astimezone(UTC)
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_decimal(value: object) -> decimal.Decimal:
    """An exact decimal from a JSON string, or from a number by the digits that it is written with."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise GraphQLError('Decimal must be a string such as "12.50".')
    text = str(value).strip()
    try:
        number = decimal.Decimal(text) if len(text) <= 64 else None
    except decimal.InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise GraphQLError('Decimal must be a finite number such as "12.50".')
    digits, exponent = number.as_tuple().digits, int(number.as_tuple().exponent)
    if len(digits) > MAX_DECIMAL_DIGITS or abs(exponent) > MAX_DECIMAL_EXPONENT:
        raise GraphQLError(f"Decimal must have at most {MAX_DECIMAL_DIGITS} digits.")
    return number


def format_decimal(value: decimal.Decimal) -> str:
    """Plain digits, never an exponent."""
    return format(value, "f")


def parse_long(value: object) -> int:
    """A whole number of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not LONG_MIN <= value <= LONG_MAX:
        raise GraphQLError("Long must be a whole number of 64 bits.")
    return value


def _scalar(name: str, description: str, **functions: Any) -> ScalarDefinition:
    scalar: ScalarDefinition = strawberry.scalar(name=name, description=description, **functions)
    return scalar


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime",
        "ISO 8601 instant. Without an offset it is UTC. Answered in UTC, milliseconds, with Z.",
        serialize=format_instant,
        parse_value=parse_instant,
    ),
    Long: _scalar("Long", "64-bit whole number, a JSON number.", parse_value=parse_long),
    decimal.Decimal: _scalar(
        "Decimal",
        "Exact decimal, a JSON string.",
        serialize=format_decimal,
        parse_value=parse_decimal,
    ),
    JSON: _scalar("JSON", "Any JSON value.", parse_value=lambda value: value),
}
