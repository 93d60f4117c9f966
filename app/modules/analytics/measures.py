"""What was counted, and the rates and amounts that follow from it. Exact: no float before the end."""

import contextlib
import decimal
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

_SIX_DECIMALS = Decimal("1E-6")
_TWO_DECIMALS = Decimal("1E-2")
# More digits than any amount that can be stored has, so that rounding happens once, at the end.
_PRECISION = 100


def exactly() -> contextlib.AbstractContextManager[decimal.Context]:
    """`with exactly():` decimals are added up without rounding."""
    return decimal.localcontext(prec=_PRECISION)


class Part(StrEnum):
    """What of a report takes an aggregation of its own, so that only what is asked for is run."""

    COUNTS = "COUNTS"
    VISITORS = "VISITORS"
    USERS = "USERS"
    SESSIONS = "SESSIONS"


@dataclass(frozen=True, slots=True)
class Amount:
    """What the conversions with a value in one currency were worth together, and how many they are."""

    currency: str
    value: Decimal
    conversions: int


@dataclass(slots=True)
class Measures:
    """The counts of one row, one bucket or one whole report. Those of a part that was not run are None."""

    events: int = 0
    impressions: int = 0
    views: int = 0
    clicks: int = 0
    conversions: int = 0
    bounces: int = 0
    page_views: int = 0
    # Milliseconds and percent, summed over the events that carry them, and how many those are.
    engagement: int = 0
    engaged_events: int = 0
    scroll_depth: int = 0
    scrolled_events: int = 0
    amounts: Sequence[Amount] = ()

    visitors: int | None = None
    converted_visitors: int | None = None
    users: int | None = None
    sessions: int | None = None
    bounced_sessions: int | None = None
    # Whether none of these five is an estimate.
    exact: bool = True

    @classmethod
    def none(cls, parts: Iterable[Part]) -> "Measures":
        """Of no events: zeros for these parts."""
        measures = cls()
        for part in parts:
            for name in _NAMES[part]:
                setattr(measures, name, 0)
        return measures

    def take(self, part: Part, found: dict[str, Any]) -> None:
        """Set the numbers of one part, by name, as its pipeline gives them."""
        for name in _NAMES[part]:
            setattr(self, name, found[name])
        if part is Part.COUNTS:
            self.amounts = _by_currency(_amount(entry) for entry in found["amounts"])

    @property
    def currencies(self) -> set[str]:
        """Those of the conversions that have a value."""
        return {amount.currency for amount in self.amounts}

    def amount(self, currency: str) -> Amount:
        """The amount in this currency; zero where there is none."""
        for amount in self.amounts:
            if amount.currency == currency:
                return amount
        return Amount(currency, Decimal(0), 0)


_NAMES = {
    Part.COUNTS: (
        "events",
        "impressions",
        "views",
        "clicks",
        "conversions",
        "bounces",
        "page_views",
        "engagement",
        "engaged_events",
        "scroll_depth",
        "scrolled_events",
    ),
    Part.VISITORS: ("visitors", "converted_visitors"),
    Part.USERS: ("users",),
    Part.SESSIONS: ("sessions", "bounced_sessions"),
}


def _amount(found: dict[str, Any]) -> Amount:
    with exactly():
        value = found["coarse"].to_decimal() + found["fine"].to_decimal()
    return Amount(found["currency"], value, found["conversions"])


def _by_currency(amounts: Iterable[Amount]) -> list[Amount]:
    """One amount for each currency; there are several where events have different weights."""
    totals: dict[str, Amount] = {}
    for amount in amounts:
        known = totals.get(amount.currency, Amount(amount.currency, Decimal(0), 0))
        with exactly():
            totals[amount.currency] = Amount(
                amount.currency,
                known.value + amount.value,
                known.conversions + amount.conversions,
            )
    return [totals[currency] for currency in sorted(totals)]


def report_currency(currencies: Collection[str], site_currency: str) -> str:
    """The currency of a report's amounts: the only one that occurs, else the site's."""
    return next(iter(currencies)) if len(currencies) == 1 else site_currency


def percent(count: int | None, of: int | None) -> float | None:
    """100 * count / of in one division, so that 46 of 10,000 is 0.46; None of nothing."""
    return None if count is None or not of else 100 * count / of


def mean(total: int, count: int) -> float | None:
    """None of nothing."""
    return total / count if count else None


def per(value: Decimal, count: int) -> Decimal | None:
    """An amount for each of so many: half-even to six decimals, at least two; None for each of none."""
    if not count:
        return None
    with exactly():
        exact = (value / count).quantize(_SIX_DECIMALS, decimal.ROUND_HALF_EVEN)
        shortest = exact.normalize()
        return min(shortest, exact.quantize(_TWO_DECIMALS), key=_exponent)


def _exponent(number: Decimal) -> int:
    return int(number.as_tuple().exponent)


def change_percent(
    current: Decimal | float | None, previous: Decimal | float | None
) -> float | None:
    """By how much it changed, in percent of what it was; None where it was nothing or unknown."""
    if current is None or not previous:
        return None
    with exactly():
        return float(100 * (current - previous) / previous)  # type: ignore[operator]
