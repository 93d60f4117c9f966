"""Events in columns: what reports read of them, as arrays with one entry an event.

Ids of visitors, sessions and users are hashes of 64 bits; 0 is none. The values of a dimension are
numbered, and 0 is none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from bson import Decimal128

from app.core.event_types import EventType
from app.modules.analytics.pipelines.dimensions import FIELDS

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]

TYPES = tuple(event_type.value for event_type in EventType)
CODE_OF_TYPE = {name: code for code, name in enumerate(TYPES)}
ID_FIELDS = ("visitor", "session", "user")
FIELD_NAMES = tuple(FIELDS.values())
# What is read of an event.
_READ = (
    "type",
    *ID_FIELDS,
    *FIELD_NAMES,
    "engagement",
    "scroll_depth",
    "weight",
    "value",
    "currency",
)
_NOT_THERE = -1


def hash_of(text: str) -> int:
    """A 64-bit hash that is the same everywhere and never 0."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


@dataclass(frozen=True, slots=True)
class Coded:
    """A dimension's values, numbered: `values[codes[i]]` is that of event i; `values[0]` is None."""

    codes: Codes
    values: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Amounts:
    """The conversions with a value: which event, in which currency (None: the site's), how much."""

    rows: Numbers
    currencies: Sequence[str | None]
    values: Sequence[Decimal]

    def of(self, rows: Numbers) -> "Amounts":
        """Those of these rows, numbered by their place among them. `rows` are in order."""
        places = np.searchsorted(rows, self.rows)
        found = (places < len(rows)).nonzero()[0]
        kept = found[rows[places[found]] == self.rows[found]]
        return Amounts(
            places[kept].astype(np.int64),
            [self.currencies[place] for place in kept],
            [self.values[place] for place in kept],
        )


NO_AMOUNTS = Amounts(np.empty(0, np.int64), (), ())


@dataclass(frozen=True, slots=True)
class Columns:
    """Events, of which any order will do. A dimension that is not there has no value of any event."""

    at: Numbers  # milliseconds since 1970
    type: npt.NDArray[np.uint8]  # a place in TYPES
    ids: Mapping[str, Hashes]
    dimensions: Mapping[str, Coded] = field(default_factory=dict)
    engagement: Numbers | None = None  # milliseconds, -1 for none
    scroll_depth: Numbers | None = None  # percent, -1 for none
    weight: Numbers | None = None  # None: all stand for themselves
    amounts: Amounts = NO_AMOUNTS

    def __len__(self) -> int:
        return len(self.at)

    def rows(self, rows: Numbers) -> "Columns":
        """The events at these places, in this order; places must ascend."""
        return Columns(
            self.at[rows],
            self.type[rows],
            {name: ids[rows] for name, ids in self.ids.items()},
            {name: _narrowed(coded, rows) for name, coded in self.dimensions.items()},
            _taken(self.engagement, rows),
            _taken(self.scroll_depth, rows),
            _taken(self.weight, rows),
            self.amounts.of(rows),
        )


def once_each(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Each of these numbers once, in order: 20 times as fast as np.unique, which hashes them."""
    in_order = np.sort(numbers)
    is_first = np.ones(len(in_order), np.bool_)
    np.not_equal(in_order[1:], in_order[:-1], out=is_first[1:])
    return in_order[is_first]


def _taken(numbers: Numbers | None, rows: Numbers) -> Numbers | None:
    return None if numbers is None else numbers[rows]


def _narrowed(coded: Coded, rows: Numbers) -> Coded:
    """Only the values that occur."""
    seen, codes = np.unique(coded.codes[rows], return_inverse=True)
    if not len(seen) or seen[0] != 0:
        seen, codes = np.concatenate([[np.uint32(0)], seen]), codes + 1
    return Coded(codes.astype(np.uint32), [coded.values[code] for code in seen])


def column_stages(**further: Any) -> list[dict[str, Any]]:
    """Stages that make columns of events in the database: a document of the events of a quarter of an
    hour, of fifteen seconds, and of a part of those.

    The first costs least, and reading its documents takes a third of what reading as many events takes
    (docs/performance.md). The next is for where they would be too large, which is never so with the last.
    `further` are columns, by their names, of which `columns_of` knows nothing.
    """
    fields = {name: f"${name}" for name in _READ} | further
    columns = {name: {"$push": {"$ifNull": [field, None]}} for name, field in fields.items()}
    quarter, seconds = (
        {"$dateTrunc": {"date": "$at", "unit": unit, "binSize": 15}}
        for unit in ("minute", "second")
    )
    part = {"$mod": [{"$toHashedIndexKey": "$_id"}, 256]}
    return [
        {"$group": {"_id": group, "at": {"$push": {"$toLong": "$at"}}, **columns}}
        for group in (quarter, seconds, {"time": seconds, "part": part})
    ]


def columns_of(group: Mapping[str, Any]) -> Columns:
    """The columns of a document that one of `column_stages` made."""
    weight = group["weight"]
    return Columns(
        np.array(group["at"], np.int64),
        np.fromiter(map(CODE_OF_TYPE.__getitem__, group["type"]), np.uint8, len(group["type"])),
        {name: _hashed(group[name]) for name in ID_FIELDS},
        _dimensions(group),
        _numbers(group["engagement"]),
        _numbers(group["scroll_depth"]),
        None if set(weight) <= {None, 1} else np.array([each or 1 for each in weight], np.int64),
        _amounts(group["type"], group["value"], group["currency"]),
    )


def _hashed(texts: Sequence[str | None]) -> Hashes:
    hashes = {text: 0 if text is None else hash_of(text) for text in set(texts)}
    return np.fromiter(map(hashes.__getitem__, texts), np.uint64, len(texts))


def _dimensions(columns: Mapping[str, Sequence[Any]]) -> dict[str, Coded]:
    found = {}
    for name in FIELD_NAMES:
        codes = {None: 0}
        codes.update((value, code) for code, value in enumerate(set(columns[name]) - {None}, 1))
        if len(codes) > 1:
            found[name] = Coded(
                np.fromiter(map(codes.__getitem__, columns[name]), np.uint32, len(columns[name])),
                [None, *map(str, list(codes)[1:])],
            )
    return found


def _numbers(values: Sequence[int | None]) -> Numbers | None:
    if set(values) <= {None}:
        return None
    return np.array([_NOT_THERE if value is None else value for value in values], np.int64)


def _amounts(
    types: Sequence[str], values: Sequence[Any], currencies: Sequence[str | None]
) -> Amounts:
    conversion = EventType.CONVERSION.value
    rows = [
        row for row, value in enumerate(values) if value is not None and types[row] == conversion
    ]
    return Amounts(
        np.array(rows, np.int64),
        [currencies[row] for row in rows],
        [values[row].to_decimal() for row in rows],
    )


def joined(parts: Sequence[Columns]) -> Columns:
    """The events of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0, *(len(part) for part in parts)])[:-1]
    names = {name for part in parts for name in part.dimensions}
    return Columns(
        np.concatenate([part.at for part in parts] or [np.empty(0, np.int64)]),
        np.concatenate([part.type for part in parts] or [np.empty(0, np.uint8)]),
        {
            name: np.concatenate([part.ids[name] for part in parts] or [np.empty(0, np.uint64)])
            for name in (parts[0].ids if parts else ID_FIELDS)
        },
        {name: _joined_dimension(name, parts) for name in names},
        _joined_numbers([part.engagement for part in parts], parts, _NOT_THERE),
        _joined_numbers([part.scroll_depth for part in parts], parts, _NOT_THERE),
        _joined_numbers([part.weight for part in parts], parts, 1),
        Amounts(
            np.concatenate(
                [p.amounts.rows + o for p, o in zip(parts, offsets, strict=True)]
                or [np.empty(0, np.int64)]
            ),
            [currency for part in parts for currency in part.amounts.currencies],
            [value for part in parts for value in part.amounts.values],
        ),
    )


def _joined_dimension(name: str, parts: Sequence[Columns]) -> Coded:
    found = [part.dimensions.get(name) for part in parts]
    listed = chain.from_iterable(coded.values for coded in found if coded is not None)
    numbers = {value: number for number, value in enumerate(dict.fromkeys(chain((None,), listed)))}
    codes = [
        np.zeros(len(part), np.uint32)
        if coded is None
        else np.array([numbers[value] for value in coded.values], np.uint32)[coded.codes]
        for coded, part in zip(found, parts, strict=True)
    ]
    return Coded(np.concatenate(codes), list(numbers))


def _joined_numbers(
    found: Sequence[Numbers | None], parts: Sequence[Columns], default: int
) -> Numbers | None:
    if all(numbers is None for numbers in found):
        return None
    return np.concatenate(
        [
            np.full(len(part), default, np.int64) if numbers is None else numbers
            for numbers, part in zip(found, parts, strict=True)
        ]
    )


def packed(columns: Columns) -> dict[str, Any]:
    """The columns as a document stores them. Times are relative to the first one."""
    start = int(columns.at.min()) if len(columns) else 0
    stored: dict[str, Any] = {
        "start": start,
        "end": int(columns.at.max()) if len(columns) else 0,
        "at": numbers_to(columns.at - start),
        "type": columns.type.tobytes(),
        **{name: ids.astype("<u8").tobytes() for name, ids in columns.ids.items() if ids.any()},
    }
    for name in ("engagement", "scroll_depth", "weight"):
        numbers = getattr(columns, name)
        if numbers is not None:
            stored[name] = numbers_to(numbers - _NOT_THERE)
    for name, coded in columns.dimensions.items():
        if len(coded.values) > 1:
            stored[name] = {"codes": numbers_to(coded.codes), "values": list(coded.values[1:])}
    if len(columns.amounts.rows):
        stored["amounts"] = {
            "rows": columns.amounts.rows.tolist(),
            "currencies": list(columns.amounts.currencies),
            "values": [Decimal128(value) for value in columns.amounts.values],
        }
    return stored


def unpacked(stored: Mapping[str, Any], events: int) -> Columns:
    """What `packed` made, of so many events; ids and dimensions that were not read are of none."""
    amounts = stored.get("amounts")
    return Columns(
        numbers_from(stored["at"]) + stored["start"],
        np.frombuffer(stored["type"], np.uint8),
        {
            name: np.frombuffer(stored[name], "<u8")
            if name in stored
            else np.zeros(events, np.uint64)
            for name in ID_FIELDS
        },
        {
            name: Coded(
                numbers_from(stored[name]["codes"]).astype(np.uint32),
                [None, *stored[name]["values"]],
            )
            for name in FIELD_NAMES
            if name in stored
        },
        _stored_numbers(stored, "engagement"),
        _stored_numbers(stored, "scroll_depth"),
        _stored_numbers(stored, "weight"),
        NO_AMOUNTS
        if amounts is None
        else Amounts(
            np.array(amounts["rows"], np.int64),
            amounts["currencies"],
            [value.to_decimal() for value in amounts["values"]],
        ),
    )


def _stored_numbers(stored: Mapping[str, Any], name: str) -> Numbers | None:
    return numbers_from(stored[name]) + _NOT_THERE if name in stored else None


_WIDTHS = ("<u1", "<u2", "<u4", "<u8")


def numbers_to(numbers: npt.NDArray[Any]) -> bytes:
    """Numbers from 0 in as few bytes as the largest one needs; the first byte says how many."""
    largest = int(numbers.max()) if len(numbers) else 0
    place = next(p for p, width in enumerate(_WIDTHS) if largest <= np.iinfo(width).max)
    return bytes([place]) + numbers.astype(_WIDTHS[place]).tobytes()


def numbers_from(stored: bytes) -> Numbers:
    return np.frombuffer(stored, _WIDTHS[stored[0]], offset=1).astype(np.int64)
