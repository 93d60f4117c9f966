"""The scalars of the contract."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from app.core.scalars import (
    format_decimal,
    format_instant,
    parse_decimal,
    parse_instant,
    parse_long,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123Z"),
        ("2026-01-31T12:00:00+05:45", "2026-01-31T06:15:00.000Z"),
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
    ],
)
def test_instants_are_read_as_utc(text: str, expected: str) -> None:
    """Offsets are applied, a missing one is UTC, and more than milliseconds are cut."""
    assert format_instant(parse_instant(text)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        5,
        None,
        "9" * 50,
    ],
)
def test_what_is_no_instant_is_refused_without_repeating_it(value: object) -> None:
    """The error says what is expected and does not carry the value."""
    with pytest.raises(GraphQLError) as refused:
        parse_instant(value)
    assert "ISO 8601" in refused.value.message
    assert not value or str(value) not in refused.value.message


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_instants_survive_a_round_trip(instant: datetime) -> None:
    """What is answered can be sent again and means the same."""
    text = format_instant(instant.replace(tzinfo=UTC))
    assert format_instant(parse_instant(text)) == text


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6
    )
)
def test_decimals_are_exact(number: Decimal) -> None:
    """A decimal comes back as it went in, without an exponent."""
    text = format_decimal(number)
    assert parse_decimal(text) == number
    assert "E" not in text.upper()


@pytest.mark.parametrize(
    "value", ["", "NaN", "Infinity", "1e999", "1" * 40, True, None, [], "12,50"]
)
def test_what_is_no_decimal_is_refused(value: object) -> None:
    """Not finite, too long or not a number: refused."""
    with pytest.raises(GraphQLError):
        parse_decimal(value)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1.5, "1", True])
def test_longs_have_64_bits(value: object) -> None:
    """Anything that is not a whole number of 64 bits is refused."""
    with pytest.raises(GraphQLError):
        parse_long(value)
