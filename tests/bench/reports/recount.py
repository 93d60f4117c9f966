"""What reports must answer: counted straight from the columns, by nothing of what is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import OF_SESSIONS, Columns, Numbers

# Nepal's clocks have been 5:45 ahead of UTC since 1986, without summer time.
KATHMANDU_MS = (5 * 60 + 45) * 60_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000

_COUNTS = {
    "impressions": "IMPRESSION",
    "views": "VIEW",
    "clicks": "CLICK",
    "conversions": "CONVERSION",
    "bounces": "BOUNCE",
    "pageViews": "PAGE_VIEW",
}
_INTERACTIONS = ("CLICK", "CONVERSION", "CUSTOM")

Value = str | None


@dataclass(frozen=True, slots=True)
class Span:
    """From start to before end, in milliseconds since 1970."""

    start: int
    end: int

    def before(self) -> "Span":
        """The one of the same length just before."""
        return Span(2 * self.start - self.end, self.start)


@dataclass(frozen=True, slots=True)
class Counted:
    """The numbers of one row. `numbers` go by their names in the API where they have one there.

    `amounts` are, by currency: cents, and how many conversions they are of.
    """

    numbers: Mapping[str, int]
    amounts: Mapping[str, tuple[int, int]]

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]


@dataclass(frozen=True, slots=True)
class Condition:
    """The dimension has one of these values."""

    dimension: str
    values: tuple[str, ...]


@dataclass(slots=True)
class _Chosen:
    """The events of a report: their columns, and the number of each one's row."""

    session: Numbers
    visitor: Numbers
    type: Numbers
    engagement: Numbers
    scroll: Numbers
    cents: Numbers
    currency: Numbers
    row: Numbers
    rows: int


@dataclass(slots=True)
class Recount:
    """Counts over the events of these columns. What was counted once is kept."""

    columns: Columns
    _kept: dict[Any, Any] = field(default_factory=dict)

    def place(self, span: Span) -> tuple[int, int]:
        """The first event of the span, and the first one after it."""
        first, end = np.searchsorted(self.columns.at, [span.start, span.end])
        return int(first), int(end)

    def total(self, span: Span, item: int | None = None) -> Counted:
        """Of all events of the span, or of those of one item."""
        place = self.place(span)
        key = ("total", place, item)
        if key not in self._kept:
            of_item = None if item is None else self._column("item", place) == item
            chosen = self._choose(place, np.zeros(place[1] - place[0], np.int64), 1, of_item)
            self._kept[key] = _rows(chosen)[0]
        found: Counted = self._kept[key]
        return found

    def days(self, span: Span) -> list[tuple[int, Counted]]:
        """Of each day in Kathmandu: when it begins, and its numbers."""
        place = self.place(span)
        first = (span.start + KATHMANDU_MS) // DAY_MS
        count = (span.end - 1 + KATHMANDU_MS) // DAY_MS - first + 1
        key = ("days", place, first, count)
        if key not in self._kept:
            day = (self._column("at", place) + KATHMANDU_MS) // DAY_MS - first
            self._kept[key] = [
                ((first + number) * DAY_MS - KATHMANDU_MS, counted)
                for number, counted in enumerate(_rows(self._choose(place, day, count)))
            ]
        found: list[tuple[int, Counted]] = self._kept[key]
        return found

    def by(
        self, span: Span, dimensions: Sequence[str], condition: Condition | None = None
    ) -> list[tuple[tuple[Value, ...], Counted]]:
        """The rows by these dimensions that have events, those with most first, then by their values."""
        place = self.place(span)
        key = ("by", place, tuple(dimensions), condition)
        if key not in self._kept:
            self._kept[key] = self._by(place, dimensions, condition)
        found: list[tuple[tuple[Value, ...], Counted]] = self._kept[key]
        return found

    def total_where(self, span: Span, condition: Condition | None) -> Counted:
        """Of the events that have what the condition asks for."""
        if condition is None:
            return self.total(span)
        place = self.place(span)
        key = ("where", place, condition)
        if key not in self._kept:
            row = np.zeros(place[1] - place[0], np.int64)
            chosen = self._choose(place, row, 1, self._fulfilling(place, condition))
            self._kept[key] = _rows(chosen)[0]
        found: Counted = self._kept[key]
        return found

    def popular(self, span: Span) -> list[tuple[str, Counted]]:
        """The items with impressions, most first, then by their ids."""
        rows = [
            (values[0], counted)
            for values, counted in self.by(span, ("ITEM",))
            if values[0] is not None and counted["impressions"]
        ]
        return sorted(rows, key=lambda row: (-row[1]["impressions"], row[0]))

    def _by(
        self, place: tuple[int, int], dimensions: Sequence[str], condition: Condition | None
    ) -> list[tuple[tuple[Value, ...], Counted]]:
        codes, tables = zip(
            *(self._dimension(dimension, place) for dimension in dimensions), strict=True
        )
        row, values = codes[0], _tuples(tables[0])
        for code, table in zip(codes[1:], tables[1:], strict=True):
            row = row * len(table) + code
            values = [(*before, value) for before in values for value in table]
        where = None if condition is None else self._fulfilling(place, condition)
        counted = _rows(self._choose(place, row, len(values), where))
        found = [pair for pair in zip(values, counted, strict=True) if pair[1]["events"]]
        return sorted(found, key=lambda pair: (-pair[1]["events"], [_order(v) for v in pair[0]]))

    def _fulfilling(self, place: tuple[int, int], condition: Condition) -> Numbers:
        code, table = self._dimension(condition.dimension, place)
        return np.isin(code, [n for n, value in enumerate(table) if value in condition.values])

    def _column(self, name: str, place: tuple[int, int]) -> Numbers:
        """A column of the events, or of their sessions."""
        column = getattr(self.columns, name)
        if name in OF_SESSIONS:
            return np.asarray(column)[self._column("session", place)]
        return np.asarray(column[slice(*place)])

    def _choose(
        self, place: tuple[int, int], row: Numbers, rows: int, where: Numbers | None = None
    ) -> _Chosen:
        names = ("session", "visitor", "type", "engagement", "scroll", "cents", "currency")
        found = {name: self._column(name, place) for name in names} | {"row": row}
        if where is not None:
            found = {name: column[where] for name, column in found.items()}
        return _Chosen(**found, rows=rows)

    def _dimension(self, name: str, place: tuple[int, int]) -> tuple[Numbers, list[Value]]:
        """A number for each event, and what the numbers stand for; no two stand for the same."""
        if name == "HOUR_OF_DAY":
            hours = (self._column("at", place) + KATHMANDU_MS) // HOUR_MS % 24
            return hours, [str(hour) for hour in range(24)]
        if name == "WEEKDAY":
            # 1 January 1970 was a Thursday.
            days = ((self._column("at", place) + KATHMANDU_MS) // DAY_MS + 3) % 7
            return days, [str(day) for day in range(1, 8)]
        column, values = _DIMENSIONS[name]
        different = list(dict.fromkeys(values))
        numbers = np.array([different.index(value) for value in values])
        return numbers[self._column(column, place).astype(np.int64)], different


_ITEMS = range(words.ITEMS)
# The column of each dimension, and the value for each of its numbers; the last one is that of -1.
_DIMENSIONS: dict[str, tuple[str, list[Value]]] = {
    "ITEM": ("item", [*map(words.item_id, _ITEMS), None]),
    "CATEGORY": ("item", [*map(words.category_of, _ITEMS), None]),
    "SOURCE": ("source", list(words.SOURCES)),
    "PAGE": ("page", [words.page_of(number) for number in range(words.PAGES)]),
    "DEVICE": ("agent", [device for _, device, _, _ in words.AGENTS]),
    "BROWSER": ("agent", [browser for _, _, browser, _ in words.AGENTS]),
    "CAMPAIGN": (
        "campaign",
        [None, *(words.campaign_fields(n)["campaign"] for n in range(1, words.CAMPAIGNS + 1))],
    ),
}


def _tuples(values: Sequence[Value]) -> list[tuple[Value, ...]]:
    return [(value,) for value in values]


def _order(value: Value) -> tuple[bool, str]:
    """None before every text."""
    return value is not None, value or ""


def _rows(chosen: _Chosen) -> list[Counted]:
    """The numbers of every row, those without events too."""
    row, rows = chosen.row, chosen.rows
    found = {"events": np.bincount(row, minlength=rows)}
    for name, kind in _COUNTS.items():
        found[name] = np.bincount(row[_is(chosen, kind)], minlength=rows)
    for name, column in (("engagement", chosen.engagement), ("scroll", chosen.scroll)):
        given = column >= 0
        found[f"{name} of"] = np.bincount(row[given], minlength=rows)
        found[name] = _sums(row[given], column[given], rows)
    found |= _distinct(chosen)
    amounts = _amounts(chosen)
    names = list(found)
    tables = zip(*(found[name].tolist() for name in names), strict=True)
    return [
        Counted(
            dict(zip(names, numbers, strict=True)),
            {
                currency: (cents[number], conversions[number])
                for currency, (cents, conversions) in amounts.items()
                if conversions[number]
            },
        )
        for number, numbers in enumerate(tables)
    ]


def _distinct(chosen: _Chosen) -> dict[str, Numbers]:
    """Visitors, users and sessions of each row, visitors who converted, and bounced sessions."""
    row, rows, visitor = chosen.row, chosen.rows, chosen.visitor
    # Of ten visitors the first three have a user, and the first two of them the same (vocabulary.py).
    has_user = visitor % 10 < 3
    converted = _is(chosen, "CONVERSION")
    page_view, interaction = _is(chosen, "PAGE_VIEW"), _is(chosen, *_INTERACTIONS)
    views = _sorted_pairs(row[page_view], chosen.session[page_view])
    first = _is_first(views)
    once = views[first & np.append(first[1:], True)]
    active = _sorted_pairs(row[interaction], chosen.session[interaction])
    bounced = np.setdiff1d(once, active[_is_first(active)], assume_unique=True)
    return {
        "uniqueVisitors": _different(row, visitor, rows),
        "convertedVisitors": _different(row[converted], visitor[converted], rows),
        "uniqueUsers": _different(row[has_user], visitor[has_user] // 2, rows),
        "uniqueSessions": _different(row, chosen.session, rows),
        "bouncedSessions": np.bincount(bounced >> 32, minlength=rows),
    }


def _amounts(chosen: _Chosen) -> dict[str, tuple[list[int], list[int]]]:
    """Cents and conversions of each row, by currency."""
    found = {}
    for number, currency in enumerate(words.CURRENCIES):
        paid = (chosen.cents >= 0) & (chosen.currency == number)
        cents = _sums(chosen.row[paid], chosen.cents[paid], chosen.rows)
        conversions = np.bincount(chosen.row[paid], minlength=chosen.rows)
        found[currency] = (cents.tolist(), conversions.tolist())
    return found


def _is(chosen: _Chosen, *types: str) -> Numbers:
    return np.isin(chosen.type, [words.TYPES.index(each) for each in types])


def _sums(row: Numbers, values: Numbers, rows: int) -> Numbers:
    """Exact: in whole numbers."""
    sums = np.zeros(rows, np.int64)
    np.add.at(sums, row, values)
    return sums


def _different(row: Numbers, values: Numbers, rows: int) -> Numbers:
    """How many different values each row has."""
    pairs = _sorted_pairs(row, values)
    return np.bincount(pairs[_is_first(pairs)] >> 32, minlength=rows)


def _sorted_pairs(row: Numbers, values: Numbers) -> Numbers:
    """One number for each row and value, which is below 2^32, in order."""
    pairs: Numbers = (row.astype(np.int64) << 32) | values
    pairs.sort()
    return pairs


def _is_first(pairs: Numbers) -> Numbers:
    """Which of them is not the same as the one before."""
    first = np.ones(len(pairs), bool)
    np.not_equal(pairs[1:], pairs[:-1], out=first[1:])
    return first
