"""The currencies that there are."""

from functools import cache

from iso4217 import Currency


@cache
def _codes() -> frozenset[str]:
    return frozenset(currency.code for currency in Currency)


def is_currency(code: str) -> bool:
    """Whether this is an ISO 4217 code, in upper case."""
    return code in _codes()
