"""Shares of conversions and of what they were worth: whole parts, so that sums are exact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

# A credit of one conversion is counted in so many parts: six decimals.
CREDIT_EXPONENT = -6
CREDIT_PARTS = 10**-CREDIT_EXPONENT
# Amounts are given with at least two decimals.
LEAST_EXPONENT = -2
# More digits than any sum has: of 100,000 amounts of 34 digits, from 10^-30 to 10^30.
_PRECISION = 200


def equal_parts(units: int, number: int) -> list[int]:
    """So many units in so many parts that differ by one at most, the larger ones first."""
    each, left = divmod(units, number)
    return [each + 1] * left + [each] * (number - left)


def split(amount: Decimal, number: int) -> list[Decimal]:
    """An amount in parts that add up to it: in units of 10^-6, or of its last digit if that is smaller."""
    if number == 1:
        return [amount]
    exponent = min(int(amount.as_tuple().exponent), CREDIT_EXPONENT)
    with localcontext(prec=_PRECISION):
        units = int(amount.scaleb(-exponent))
        return [Decimal(part).scaleb(exponent) for part in equal_parts(units, number)]


@dataclass(slots=True)
class Credit:
    """What was credited: millionths of conversions, and amounts by currency."""

    parts: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def add(self, parts: int, amounts: Iterable[tuple[str, Decimal]] = ()) -> None:
        self.parts += parts
        with localcontext(prec=_PRECISION):
            for currency, amount in amounts:
                self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + amount

    def amount_of(self, currency: str) -> Decimal:
        """The amount in a currency, without zeros at its end but for two decimals."""
        with localcontext(prec=_PRECISION):
            amount = self.amounts[currency]
            shortest = amount.normalize()
            exponent = min(int(shortest.as_tuple().exponent), LEAST_EXPONENT)
            return shortest.quantize(Decimal(1).scaleb(exponent))

    @property
    def conversions(self) -> Decimal:
        """Exact; a whole number has no decimals."""
        whole, left = divmod(self.parts, CREDIT_PARTS)
        if not left:
            return Decimal(whole)
        return Decimal(self.parts).scaleb(CREDIT_EXPONENT).normalize()


@dataclass(frozen=True, slots=True)
class Row:
    """What was credited to the touches of one value."""

    value: str | None
    credit: Credit


@dataclass(slots=True)
class Credits:
    """What was credited to touches by their value, what to nothing (`direct`), and all of it."""

    by_value: dict[str | None, Credit] = field(default_factory=dict)
    direct: Credit = field(default_factory=Credit)
    total: Credit = field(default_factory=Credit)

    def add(
        self, values: Sequence[str | None], weight: int, amount: Decimal | None, currency: str
    ) -> None:
        """One conversion, that stands for `weight`, in equal parts to touches of these values."""
        worth = [] if amount is None else [(currency, _times(amount, weight))]
        self.total.add(weight * CREDIT_PARTS, worth)
        if not values:
            self.direct.add(weight * CREDIT_PARTS, worth)
            return
        parts = equal_parts(CREDIT_PARTS, len(values))
        amounts = None if amount is None else split(amount, len(values))
        for place, value in enumerate(values):
            share = [] if amounts is None else [(currency, _times(amounts[place], weight))]
            self.by_value.setdefault(value, Credit()).add(parts[place] * weight, share)

    def rows(self) -> list[Row]:
        """Most conversions first; of equals by value, the unknown one first."""
        found = [Row(value, credit) for value, credit in self.by_value.items()]
        return sorted(found, key=_order)


def _order(row: Row) -> tuple[int, bool, str]:
    return -row.credit.parts, row.value is not None, row.value or ""


def _times(amount: Decimal, weight: int) -> Decimal:
    with localcontext(prec=_PRECISION):
        return amount * weight


def together(rows: Iterable[Row]) -> Credit:
    """Several rows as one."""
    credit = Credit()
    for row in rows:
        credit.add(row.credit.parts, row.credit.amounts.items())
    return credit
