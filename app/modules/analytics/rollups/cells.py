"""Rollups of a period: what was counted for the whole site and for every value of a dimension.

A cell is one value's counts and sets of ids. A table is the counts of all values of a dimension,
in columns, for reports that look at all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from app.core.quarters import DAY_MS, from_ms
from app.modules.analytics.measures import exactly
from app.modules.analytics.pipelines.dimensions import FIELDS
from app.modules.analytics.query import Dimension
from app.modules.analytics.rollups.columns import (
    Coded,
    Codes,
    Columns,
    Hashes,
    Numbers,
    hash_of,
    numbers_from,
    numbers_to,
    once_each,
)
from app.modules.analytics.rollups.distinct import stored_set
from app.modules.analytics.rollups.registers import Coupons, coupons_of
from app.modules.analytics.rollups.sessions_seen import SeenSessions, seen, stored_sessions
from app.modules.analytics.rollups.tally import (
    COUNTS,
    ID_OF_SET,
    INTERACTION,
    PAGE_VIEW,
    counts_by,
    rows_of_set,
)

SITE = "SITE"  # in the place of a dimension: everything
DIMENSIONS = (SITE, *FIELDS)
FOUR_WEEKS, WEEK, DAY, QUARTER = "four-weeks", "week", "day", "quarter"
WEEK_MS = 7 * DAY_MS
FOUR_WEEKS_MS = 4 * WEEK_MS
TABLE = "table"
MOST_HASHES = 100_000  # of values that are remembered
_FAR = 10**14  # makes all times since 1900 numbers of one length, whose order is that of the texts


@dataclass(frozen=True, slots=True)
class Period:
    """One period of a level of a site, from `start` in milliseconds.

    That of a part of a day is the day's, and its level says which part (parts.py).
    """

    site: str
    level: str
    start: int

    def prefix(self, dimension: str) -> str:
        """What the ids of its rollups of a dimension begin with."""
        return f"{self.site}|{dimension}|{self.level}|{self.start + _FAR}|"

    @property
    def _expires_with(self) -> int:
        """When the week or day began with whose rollups it goes: four weeks stay as long as the last one."""
        return self.start + (FOUR_WEEKS_MS - WEEK_MS if self.level == FOUR_WEEKS else 0)

    def cell_id(self, dimension: str, value: str | None) -> str:
        return self.prefix(dimension) + f"{hash_of_value(value):016x}"

    def table_id(self, dimension: str) -> str:
        return self.prefix(dimension) + TABLE

    def document(self, rollup_id: str, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "_id": rollup_id,
            "site": self.site,
            "start": from_ms(self._expires_with),
            "content": content,
        }


class Counting:
    """The events of a period, with what all of its rollups need of them."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._numbered: dict[str, Numbered] = {}

    def rollups(self, period: Period, dimension: str) -> Iterator[dict[str, Any]]:
        """The cells of a dimension, and their table. None of no events."""
        if not len(self.columns):
            return
        coded = coded_values(dimension, self.columns)
        size = len(coded.values)
        counts = counts_by(coded.codes, size, self.columns)
        amounts = amounts_by(coded.codes, self.columns)
        sets = {name: self._sets(name, coded.codes, size) for name in ID_OF_SET}
        cells = []
        for place in counts[:, 0].nonzero()[0].tolist():
            cell = {"counts": counts[place].tolist(), "value": coded.values[place]}
            if place in amounts:
                cell["amounts"] = amounts[place]
            cell |= {name: found[place] for name, found in sets.items() if place in found}
            yield period.document(period.cell_id(dimension, cell["value"]), cell)
            cells.append(cell)
        if dimension != SITE:
            yield period.document(period.table_id(dimension), table_of(cells))

    def _sets(self, name: str, codes: Codes, size: int) -> dict[int, dict[str, Any]]:
        """By code: the stored set of ids."""
        rows = rows_of_set(name, self.columns)
        if not len(rows):
            return {}
        all_of = self.ids(ID_OF_SET[name])
        number = len(all_of.ids)
        # A code and an id are one number, which is quickly sorted.
        pairs = codes[rows].astype(np.int64) * number + all_of.numbers[rows]
        if name != "sessions":
            unique = once_each(pairs)
            return {
                code: stored_set(*all_of.at(unique[part] % number))
                for code, part in _slices(unique // number, size)
            }
        sessions = seen(
            pairs.astype(np.uint64),
            (self.columns.type == PAGE_VIEW).astype(np.uint8),
            INTERACTION[self.columns.type],
        )
        unique = sessions.ids.astype(np.int64)
        found = {}
        for code, part in _slices(unique // number, size):
            ids, coupons = all_of.at(unique[part] % number)
            found[code] = stored_sessions(SeenSessions(ids, sessions.states[part]), coupons)
        return found

    def ids(self, name: str) -> "Numbered":
        """All ids of a field of the events."""
        if name not in self._numbered:
            ids, numbers = np.unique(self.columns.ids[name], return_inverse=True)
            self._numbered[name] = Numbered(ids, numbers.astype(np.int64), coupons_of(ids))
        return self._numbered[name]


@dataclass(frozen=True, slots=True)
class Numbered:
    """The distinct ids in order, for each event the place of its own, and for each id its coupon."""

    ids: Hashes
    numbers: Numbers
    coupons: Coupons

    def at(self, places: Numbers) -> tuple[Hashes, Coupons]:
        return self.ids[places], self.coupons[places]


def coded_values(dimension: str, columns: Columns) -> Coded:
    """The values of a dimension; of SITE all events have none."""
    coded = None
    if dimension != SITE:
        coded = columns.dimensions.get(FIELDS[Dimension(dimension)])
    return coded or Coded(np.zeros(len(columns), np.uint32), [None])


def amounts_by(codes: Codes | Numbers, columns: Columns) -> dict[int, list[dict[str, Any]]]:
    """By code: what the conversions in each currency were worth, and how many they are."""
    found: dict[int, list[dict[str, Any]]] = {}
    given = columns.amounts
    for row, currency, value in zip(given.rows, given.currencies, given.values, strict=True):
        amount = {"currency": currency, "value": str(value), "conversions": 1}
        found.setdefault(int(codes[row]), []).append(amount)
    return {code: merged_amounts(amounts) for code, amounts in found.items()}


def merged_amounts(amounts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One amount for each currency. Values are texts: a sum may have more digits than Decimal128."""
    values: dict[str | None, Decimal] = {}
    conversions: dict[str | None, int] = {}
    with exactly():
        for amount in amounts:
            currency = amount["currency"]
            values[currency] = values.get(currency, Decimal(0)) + Decimal(amount["value"])
            conversions[currency] = conversions.get(currency, 0) + amount["conversions"]
    return [
        {"currency": currency, "value": str(value), "conversions": conversions[currency]}
        for currency, value in values.items()
    ]


def _slices(codes: Numbers, size: int) -> list[tuple[int, slice]]:
    """Where each code is among codes in order."""
    bounds = np.searchsorted(codes, np.arange(size + 1)).tolist()
    return [
        (code, slice(start, end))
        for code, (start, end) in enumerate(pairwise(bounds))
        if start < end
    ]


def table_of(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The content of the table of these cells, which are all of a dimension and a period."""
    # In the order of their hashes, by which tables are quickly put together.
    cells = sorted(cells, key=lambda cell: hash_of_value(cell["value"]))
    return table_content(
        [cell["value"] for cell in cells],
        np.array([cell["counts"] for cell in cells], np.int64),
        {place: cell["amounts"] for place, cell in enumerate(cells) if "amounts" in cell},
    )


def table_content(
    values: Sequence[str | None], counts: Numbers, amounts: Mapping[int, list[dict[str, Any]]]
) -> dict[str, Any]:
    """The content of a table: `counts` has a row of COUNTS for each value, `amounts` are by row."""
    hashes = [hash_of_value(value) for value in values]
    return {
        "values": orjson.dumps(values),
        "hashes": np.array(hashes, "<u8").tobytes(),
        "counts": {
            name: numbers_to(counts[:, column])
            for column, name in enumerate(COUNTS)
            if counts[:, column].any()
        },
        "amounts": [{"place": place, "in": found} for place, found in amounts.items()],
        # Of all values but none, and of none.
        "currencies": _currencies(values, amounts, of_none=False),
        "other_currencies": _currencies(values, amounts, of_none=True),
    }


def _currencies(
    values: Sequence[str | None], amounts: Mapping[int, list[dict[str, Any]]], *, of_none: bool
) -> list[str | None]:
    return list(
        {
            amount["currency"]
            for place, found in amounts.items()
            if (values[place] is None) == of_none
            for amount in found
        }
    )


def counts_of_table(content: Mapping[str, Any], names: Sequence[str], rows: Numbers) -> Numbers:
    """A row of these COUNTS for each of these rows of a table."""
    counts = np.zeros((len(rows), len(names)), np.int64)
    for column, name in enumerate(names):
        if name in content["counts"]:
            counts[:, column] = numbers_from(content["counts"][name])[rows]
    return counts


def values_of_table(content: Mapping[str, Any]) -> list[str | None]:
    """The values of a table, in its order."""
    values: list[str | None] = orjson.loads(content["values"])
    return values


@lru_cache(MOST_HASHES)
def hash_of_value(value: str | None) -> int:
    """The hash that a value has in ids of cells and in tables; 0 for none."""
    return 0 if value is None else hash_of(value)
