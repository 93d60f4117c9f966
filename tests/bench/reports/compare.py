"""Whether the figures of an answer are those of the recount."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import zip_longest
from typing import Any

from tests.bench.reports import vocabulary as words
from tests.bench.reports.recount import Counted

# Distinct counts are exact up to here, whatever the answer says; beyond, where it does not say that
# they are exact, they may be off by four standard errors.
EXACT_UP_TO = 1_000
STANDARD_ERROR = 0.007
MOST_ERROR = 4 * STANDARD_ERROR

PLAIN_COUNTS = (
    *("events", "impressions", "views", "clicks", "conversions", "bounces", "pageViews"),
)
DISTINCT_COUNTS = ("uniqueVisitors", "uniqueUsers", "uniqueSessions")
# Rates of one plain count to another.
_RATES = {
    "clickThroughRate": ("clicks", "impressions"),
    "viewRate": ("views", "impressions"),
    "conversionRate": ("conversions", "clicks"),
}
# Rates of one distinct count to another.
_DISTINCT_RATES = {
    "visitorConversionRate": ("convertedVisitors", "uniqueVisitors"),
    "bounceRate": ("bouncedSessions", "uniqueSessions"),
}
_MEANS = {
    "averageEngagement": ("engagement", "engagement of"),
    "averageScrollDepth": ("scroll", "scroll of"),
}
_AMOUNTS_PER = {"revenuePerClick": "clicks", "revenuePerImpression": "impressions"}
_CLOSE = 1e-12  # for a division that is rounded once

# Every field of Metrics, as one answers it.
METRICS = (
    *PLAIN_COUNTS,
    *DISTINCT_COUNTS,
    *_RATES,
    *_DISTINCT_RATES,
    *("currency", "revenue", "revenueByCurrency", "averageConversionValue"),
    *_AMOUNTS_PER,
    *_MEANS,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what the recount says."""

    where: str
    answered: Any
    recounted: Any

    def __str__(self) -> str:
        return f"{self.where}: answered {self.answered}, recounted {self.recounted}"


Differences = Iterator[Difference]


def currency_of(counted: Collection[Counted]) -> str:
    """That of a report's amounts: the only one that occurs in it, else the site's."""
    found = {currency for each in counted for currency in each.amounts}
    return found.pop() if len(found) == 1 else words.SITE_CURRENCY


def same(where: str, answered: Any, recounted: Any) -> Differences:
    """The difference, where there is one."""
    if answered != recounted:
        yield Difference(where, answered, recounted)


def same_order(where: str, answered: Sequence[Any], recounted: Sequence[Any]) -> Differences:
    """The first place where two lists differ."""
    for place, (one, other) in enumerate(zip_longest(answered, recounted, fillvalue="nothing")):
        if one != other:
            yield Difference(f"{where}, number {place + 1}", one, other)
            return


def metrics(
    where: str, answered: Mapping[str, Any], counted: Counted, currency: str, *, exact: bool
) -> Differences:
    """Compare the fields of a Metrics that were asked for; `exact` is whether the answer says so."""
    for name, value in answered.items():
        place = f"{where}.{name}"
        if name in PLAIN_COUNTS:
            yield from same(place, value, counted[name])
        elif name in DISTINCT_COUNTS:
            yield from _distinct(place, value, counted[name], exact=exact)
        elif name in _DISTINCT_RATES:
            part, whole = (counted[of] for of in _DISTINCT_RATES[name])
            yield from _distinct_rate(place, value, part, whole, exact=exact)
        elif name in _RATES:
            part, whole = (counted[of] for of in _RATES[name])
            yield from _close(place, value, 100 * part / whole if whole else None)
        elif name in _MEANS:
            total, count = (counted[of] for of in _MEANS[name])
            yield from _close(place, value, total / count if count else None)
        else:
            yield from _money(place, name, value, counted, currency)


def changes(
    where: str, answered: Mapping[str, Any], current: Mapping[str, Any], previous: Mapping[str, Any]
) -> Differences:
    """Compare `changePercent` with what follows from the two Metrics of the same answer."""
    names = [name for name in METRICS if name not in ("currency", "revenueByCurrency")]
    for name in names:
        now, then = _number(current[name]), _number(previous[name])
        change = float(100 * (now - then) / then) if now is not None and then else None
        yield from _close(f"{where}.{name}", answered.get(name, "nothing"), change, 1e-9)


def _number(answered: Any) -> Decimal | None:
    """Amounts are answered as text."""
    return None if answered is None else Decimal(str(answered))


def _distinct(where: str, answered: int, recounted: int, *, exact: bool) -> Differences:
    most = 0.0 if exact or recounted <= EXACT_UP_TO else MOST_ERROR * recounted
    if answered is None or abs(answered - recounted) > most:
        yield Difference(where, answered, recounted)


def _distinct_rate(
    where: str, answered: float | None, part: int, whole: int, *, exact: bool
) -> Differences:
    """Off by no more than both its counts may be."""
    if exact or whole <= EXACT_UP_TO or answered is None:
        yield from _close(where, answered, 100 * part / whole if whole else None)
        return
    rate = 100 * part / whole
    lowest, highest = rate * (1 - MOST_ERROR), rate * (1 + MOST_ERROR)
    if not lowest / (1 + MOST_ERROR) <= answered <= highest / (1 - MOST_ERROR):
        yield Difference(where, answered, rate)


def _close(
    where: str, answered: Any, recounted: float | None, within: float = _CLOSE
) -> Differences:
    if answered is None or recounted is None or isinstance(answered, str):
        yield from same(where, answered, recounted)
    elif not math.isclose(answered, recounted, rel_tol=within):
        yield Difference(where, answered, recounted)


def _money(where: str, name: str, answered: Any, counted: Counted, currency: str) -> Differences:
    cents, paid = counted.amounts.get(currency, (0, 0))
    if name == "currency":
        yield from same(where, answered, currency)
    elif name == "revenueByCurrency":
        amounts = {each["currency"]: Decimal(each["amount"]) for each in answered}
        expected = {each: _amount(total) for each, (total, _) in counted.amounts.items()}
        yield from same(where, amounts, expected)
    elif name == "revenue":
        yield from same(where, Decimal(answered), _amount(cents))
    else:
        count = paid if name == "averageConversionValue" else counted[_AMOUNTS_PER[name]]
        yield from same(where, _number(answered), _per(cents, count))


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _per(cents: int, count: int) -> Decimal | None:
    """An amount for each of so many, half-even to six decimals."""
    if not count:
        return None
    return (_amount(cents) / count).quantize(Decimal("1E-6"), ROUND_HALF_EVEN)
