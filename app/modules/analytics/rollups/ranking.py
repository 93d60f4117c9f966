"""Which rows of a report come first: found by the counts of all values, of which few need a name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from app.modules.analytics.measures import exactly
from app.modules.analytics.query import Rank, ReportQuery
from app.modules.analytics.rollups.cells import counts_of_table, hash_of_value, values_of_table
from app.modules.analytics.rollups.columns import Hashes, Numbers, once_each
from app.modules.analytics.rollups.tally import COUNTS, Tally

Table = Mapping[str, Any]  # the content of a table (cells.py)

_UNKNOWN = object()  # a name, which may be None

_RANKED = {
    Rank.EVENTS: "events",
    Rank.IMPRESSIONS: "impressions",
    Rank.VIEWS: "views",
    Rank.CLICKS: "clicks",
    Rank.CONVERSIONS: "conversions",
}


@dataclass(frozen=True, slots=True)
class Ranking:
    """The places in a tally of the first rows of a report, in order, and how many rows there are."""

    places: Sequence[int]
    number: int


def ranking(tally: Tally, query: ReportQuery, limit: int | None) -> Ranking:
    """The rows of a tally that has all of them."""
    ranks = _ranks(tally, query)
    are_rows = tally.counts[:, 0] > 0
    if query.only_ranked:
        are_rows &= ranks > 0
    rows = are_rows.nonzero()[0]
    first = rows
    if query.timeline is None:  # else rows are in the order of their buckets first
        first = rows[_are_highest(ranks[rows], limit)]
    return Ranking(_in_order(tally, ranks, first)[:limit], len(rows))


def add_tables(
    tally: Tally,
    query: ReportQuery,
    limit: int | None,
    tables: Mapping[Any, Sequence[Table]],
    *,
    without_none: bool,
) -> Ranking:
    """The rows of a tally and of the tables of each bucket's key together.

    The tally gets what the tables have of the rows that may be among the first, and of no others.
    """
    number = 0
    first: list[int] = []
    in_tally = _by_bucket(tally)
    for bucket in dict.fromkeys([*tables, *in_tally]):
        places = in_tally.get(bucket, {})
        of_bucket = _Values(places, tables.get(bucket, ()), without_none)
        ranks = of_bucket.ranks(tally, query.rank)
        rows = np.arange(len(ranks))
        if query.only_ranked and query.rank is not Rank.REVENUE:
            rows = (ranks > 0).nonzero()[0]
        number += len(rows)
        if query.rank is not Rank.REVENUE:
            rows = rows[_are_highest(ranks[rows], limit)]
        first += of_bucket.add_to(tally, bucket, rows, with_amounts=query.rank is Rank.REVENUE)
    if query.rank is Rank.REVENUE:  # all rows have been named and are in the tally
        return ranking(tally, query, limit)
    return Ranking(_in_order(tally, _ranks(tally, query), first)[:limit], number)


def _by_bucket(tally: Tally) -> dict[Any, dict[int, int]]:
    """By bucket: the places of its keys, by the hashes of their values."""
    found: dict[Any, dict[int, int]] = {}
    for place, (bucket, value) in enumerate(tally.keys):
        found.setdefault(bucket, {})[hash_of_value(value)] = place
    return found


class _Values:
    """The values of one bucket, numbered: those of its keys in a tally and those of its tables."""

    def __init__(
        self, places: Mapping[int, int], tables: Sequence[Table], without_none: bool
    ) -> None:
        """`places` in the tally by the hashes of the values."""
        # Large ones first: they have most names.
        self._tables = sorted(tables, key=lambda table: -len(table["hashes"]))
        hashes = [np.frombuffer(table["hashes"], "<u8") for table in self._tables]
        own = np.fromiter(places, np.uint64, len(places))
        self._hashes: Hashes = once_each(np.concatenate([own, *hashes]))
        if without_none:
            self._hashes = self._hashes[self._hashes > 0]
        self._own = np.searchsorted(self._hashes, own)
        self._places = np.fromiter(places.values(), np.int64, len(places))
        # Of each table: which of its rows are of these values, and of which.
        self._rows = [
            (one > 0).nonzero()[0] if without_none else np.arange(len(one)) for one in hashes
        ]
        self._numbers = [
            np.searchsorted(self._hashes, one[rows])
            for one, rows in zip(hashes, self._rows, strict=True)
        ]

    def ranks(self, tally: Tally, rank: Rank) -> Numbers:
        """What each value is ordered by; zeros for amounts."""
        ranks = np.zeros(len(self._hashes), np.int64)
        if rank is not Rank.REVENUE:
            ranks[self._own] = tally.counts[self._places, COUNTS.index(_RANKED[rank])]
            for table, rows, numbers in zip(self._tables, self._rows, self._numbers, strict=True):
                column = counts_of_table(table, (_RANKED[rank],), rows)
                ranks[numbers] += column[:, 0]
        return ranks

    def add_to(
        self, tally: Tally, bucket: Any, wanted: Numbers, *, with_amounts: bool
    ) -> list[int]:
        """Add what the tables count of these values to a tally; the places of their keys."""
        own = dict(zip(self._own.tolist(), self._places.tolist(), strict=True))
        keys = tally.keys
        names: list[Any] = [
            keys[own[number]][1] if number in own else _UNKNOWN for number in wanted.tolist()
        ]
        is_named = np.array([name is not _UNKNOWN for name in names], np.bool_)
        order = np.full(len(self._hashes), -1)
        order[wanted] = np.arange(len(wanted))
        counts = np.zeros((len(wanted), len(COUNTS)), np.int64)
        of_tables = []
        for table, rows, numbers in zip(self._tables, self._rows, self._numbers, strict=True):
            there = (order[numbers] >= 0).nonzero()[0]
            rows, found = rows[there], order[numbers[there]]
            counts[found] += counts_of_table(table, COUNTS, rows)
            of_tables.append((table, rows, found))
            new = (~is_named[found]).nonzero()[0]
            if len(new):
                values = values_of_table(table)
                for row, place in zip(rows[new].tolist(), found[new].tolist(), strict=True):
                    names[place] = values[row]
                is_named[found] = True
        places = tally.places([(bucket, name) for name in names])
        tally.add_counts(places, counts)
        if with_amounts:
            for table, rows, found in of_tables:
                place_of = dict(zip(rows.tolist(), places[found].tolist(), strict=True))
                for amounts in table.get("amounts", ()):
                    if amounts["place"] in place_of:
                        tally.add_amounts(place_of[amounts["place"]], amounts["in"])
        return list(map(int, places))


def _are_highest(ranks: Any, limit: int | None) -> Any:
    """Which of these may be among the first so many: more than so many where the last are equal."""
    if limit is None or limit >= len(ranks):
        return np.ones(len(ranks), np.bool_)
    return ranks >= np.sort(ranks)[-limit]


def _in_order(tally: Tally, ranks: Any, places: Iterable[int]) -> list[int]:
    """These places in the order of a report's rows."""
    keys = tally.keys

    def order(place: int) -> tuple[Any, ...]:
        bucket, *values = keys[place]
        by_value = tuple((value is not None, value or "") for value in values)
        return (0 if bucket is None else bucket.timestamp(), -ranks[place], by_value)

    return sorted(map(int, places), key=order)


def _ranks(tally: Tally, query: ReportQuery) -> Any:
    """What the keys are ordered by, descending."""
    if query.rank is not Rank.REVENUE:
        return tally.counts[:, COUNTS.index(_RANKED[query.rank])]
    ranks = np.full(len(tally.keys), Decimal(0), object)
    for (place, currency), (value, _) in tally.amounts.items():
        if (currency or query.site_currency) == query.rank_currency:
            with exactly():
                ranks[place] += value
    return ranks
