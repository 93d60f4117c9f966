"""What is counted of events, by key, in parts that can be added up: of events and of rollups."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.event_types import EventType
from app.modules.analytics.measures import Amount, Measures, Part, exactly
from app.modules.analytics.pipelines.passes import INTERACTIONS
from app.modules.analytics.rollups.columns import CODE_OF_TYPE, TYPES, Columns, Hashes, Numbers
from app.modules.analytics.rollups.distinct import Distinct, count_stored
from app.modules.analytics.rollups.sessions_seen import (
    SeenSessions,
    bounced,
    read_sessions,
    seen,
    together,
)

Key = tuple[Any, ...]  # the bucket's key, then the dimensions' values
Keys = npt.NDArray[np.int64]  # a place in a tally's keys for each event

COUNTS = (
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
)
_COUNTED_TYPE = {
    "impressions": EventType.IMPRESSION,
    "views": EventType.VIEW,
    "clicks": EventType.CLICK,
    "conversions": EventType.CONVERSION,
    "bounces": EventType.BOUNCE,
    "page_views": EventType.PAGE_VIEW,
}
# Which sets of ids a part of a report needs.
SETS = {
    Part.VISITORS: ("visitors", "converted"),
    Part.USERS: ("users",),
    Part.SESSIONS: ("sessions",),
}
ID_OF_SET = {"visitors": "visitor", "converted": "visitor", "users": "user", "sessions": "session"}

_CONVERSION = CODE_OF_TYPE[EventType.CONVERSION.value]
PAGE_VIEW = CODE_OF_TYPE[EventType.PAGE_VIEW.value]
INTERACTION = np.array([name in [t.value for t in INTERACTIONS] for name in TYPES], np.uint8)


@dataclass(slots=True)
class _Pairs:
    """Ids of events with their keys; the same pair may be there more than once."""

    keys: list[Keys] = field(default_factory=list)
    ids: list[Hashes] = field(default_factory=list)
    weights: list[Numbers] = field(default_factory=list)
    page_views: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    interactions: list[npt.NDArray[np.uint8]] = field(default_factory=list)


class Tally:
    """Counts by key. `parts` are the parts of a report that are wanted; COUNTS always is."""

    def __init__(self, parts: Iterable[Part], *, weighted: bool = False) -> None:
        self._parts = [part for part in Part if part in parts]
        self._weighted = weighted
        self._places: dict[Key, int] = {}
        self._counts: Numbers = np.zeros((0, len(COUNTS)), np.int64)
        self._amounts: dict[tuple[int, str | None], tuple[Decimal, int]] = {}
        self._pairs = {name: _Pairs() for part in self._parts for name in SETS.get(part, ())}
        self._stored: dict[str, dict[int, list[dict[str, Any]]]] = {
            name: {} for name in self._pairs
        }

    @property
    def keys(self) -> list[Key]:
        """All keys, in the order of their places."""
        return list(self._places)

    @property
    def counts(self) -> Numbers:
        """A row of COUNTS for every key."""
        counts: Numbers = self._counts[: len(self._places)]
        return counts

    @property
    def amounts(self) -> Mapping[tuple[int, str | None], tuple[Decimal, int]]:
        """By place and currency (None: the site's): what conversions were worth, and how many."""
        return self._amounts

    @property
    def sets(self) -> Sequence[str]:
        """The sets of ids that are wanted."""
        return list(self._pairs)

    def place(self, key: Key) -> int:
        """The place of a key, which is there from now on."""
        place = self._places.setdefault(key, len(self._places))
        if place >= len(self._counts):
            more = np.zeros((max(64, len(self._counts)), len(COUNTS)), np.int64)
            self._counts = np.concatenate([self._counts, more])
        return place

    def add_events(self, columns: Columns, keys: Keys) -> None:
        """Add events, each to the key at its place."""
        size = len(self._places)
        weight = columns.weight if columns.weight is not None else 1
        for column, numbers in enumerate(counted(columns)):
            sums = np.bincount(keys, weights=numbers * weight, minlength=size)
            self._counts[:size, column] += np.rint(sums).astype(np.int64)
        amounts = columns.amounts
        for row, currency, value in zip(
            amounts.rows.tolist(), amounts.currencies, amounts.values, strict=True
        ):
            times = 1 if columns.weight is None else int(columns.weight[row])
            with exactly():
                self.add_amount(int(keys[row]), currency, value * times, times)
        for name, pairs in self._pairs.items():
            self._add_ids(name, pairs, columns, keys)

    def add_counts(self, places: Keys, counts: Numbers) -> None:
        """Add rows of COUNTS to the keys at these places, among which one may come again."""
        np.add.at(self._counts, places, counts)

    def add_amount(self, place: int, currency: str | None, value: Decimal, number: int) -> None:
        """Add what so many conversions were worth."""
        known, conversions = self._amounts.get((place, currency), (Decimal(0), 0))
        with exactly():
            self._amounts[place, currency] = known + value, conversions + number

    def add_stored(self, place: int, name: str, stored: dict[str, Any] | None) -> None:
        """Add a stored set of ids to a key."""
        if stored is not None and name in self._stored:
            self._stored[name].setdefault(place, []).append(stored)

    def _add_ids(self, name: str, pairs: _Pairs, columns: Columns, keys: Keys) -> None:
        ids = columns.ids[ID_OF_SET[name]]
        rows = rows_of_set(name, columns)
        if not len(rows):
            return
        pairs.keys.append(keys[rows])
        pairs.ids.append(ids[rows])
        if self._weighted:
            ones = np.ones(len(rows), np.int64)
            pairs.weights.append(ones if columns.weight is None else columns.weight[rows])
        if name == "sessions":
            pairs.page_views.append((columns.type[rows] == PAGE_VIEW).astype(np.uint8))
            pairs.interactions.append(INTERACTION[columns.type[rows]])

    def measures(self, site_currency: str, places: Sequence[int] | None = None) -> list[Measures]:
        """The measures of all keys in their order, or of those at these places."""
        wanted = range(len(self._places)) if places is None else places
        found = {place: self._counted(place) for place in wanted}
        self._set_amounts(found, site_currency)
        for name in self._pairs:
            self._set_distinct(name, found)
        return [found[place] for place in wanted]

    def _counted(self, place: int) -> Measures:
        measures = Measures.none(self._parts)
        for name, number in zip(COUNTS, self._counts[place].tolist(), strict=True):
            setattr(measures, name, number)
        return measures

    def _set_amounts(self, found: Mapping[int, Measures], site_currency: str) -> None:
        by_place: dict[int, dict[str, tuple[Decimal, int]]] = {}
        for (place, given), (value, number) in self._amounts.items():
            amounts = by_place.setdefault(place, {})
            currency = given or site_currency
            known, conversions = amounts.get(currency, (Decimal(0), 0))
            with exactly():
                amounts[currency] = known + value, conversions + number
        for place, amounts in by_place.items():
            if place in found:
                found[place].amounts = [
                    Amount(currency, *amounts[currency]) for currency in sorted(amounts)
                ]

    def _set_distinct(self, name: str, found: Mapping[int, Measures]) -> None:
        groups = _grouped(self._pairs[name], found, with_states=name == "sessions")
        stored = self._stored[name]
        for place, measures in found.items():
            group = groups.get(place)
            parts = stored.get(place, ())
            if self._weighted:
                _set_weighted(name, measures, group)
            elif name == "sessions":
                _set_sessions(measures, group, parts)
            else:
                live = () if group is None else (group.ids,)
                _set(name, measures, count_stored(parts, live))


def counted(columns: Columns) -> list[npt.NDArray[Any]]:
    """For every number of COUNTS what each event adds to it."""
    of_type = [
        columns.type == CODE_OF_TYPE[_COUNTED_TYPE[name].value]
        for name in COUNTS
        if name in _COUNTED_TYPE
    ]
    nothing = np.zeros(len(columns), np.int64)
    sums = []
    for numbers in (columns.engagement, columns.scroll_depth):
        there = nothing if numbers is None else (numbers >= 0).astype(np.int64)
        sums += [nothing if numbers is None else numbers * there, there]
    return [np.ones(len(columns), np.int64), *of_type, *sums]


def rows_of_set(name: str, columns: Columns) -> Numbers:
    """Which events count for a set of ids."""
    if name == "users":
        return columns.ids["user"].nonzero()[0]
    if name == "converted":
        rows: Numbers = (columns.type == _CONVERSION).nonzero()[0]
        return rows
    return np.arange(len(columns))


@dataclass(frozen=True, slots=True)
class _Group:
    """The ids of one key. Without states and weights each is there once."""

    ids: Hashes
    weights: Numbers | None = None
    sessions: SeenSessions | None = None


def _grouped(pairs: _Pairs, wanted: Collection[int], *, with_states: bool) -> dict[int, _Group]:
    """The ids of every key that is wanted."""
    if not pairs.keys or not wanted:
        return {}
    keys = np.concatenate(pairs.keys)
    ids = np.concatenate(pairs.ids)
    is_wanted = np.zeros(int(max(keys.max(), max(wanted))) + 1, np.bool_)
    is_wanted[list(wanted)] = True
    rows = is_wanted[keys].nonzero()[0]
    order = rows[np.argsort(keys[rows], kind="stable")]
    if not len(order):
        return {}
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    ends = [*starts[1:].tolist(), len(order)]
    weights = np.concatenate(pairs.weights) if pairs.weights else None
    views = np.concatenate(pairs.page_views) if with_states else None
    acted = np.concatenate(pairs.interactions) if with_states else None
    groups = {}
    for start, end in zip(starts.tolist(), ends, strict=True):
        rows = order[start:end]
        sessions = None
        if views is not None and acted is not None:
            sessions = seen(ids[rows], views[rows], acted[rows])
        groups[int(keys[rows[0]])] = _Group(
            ids[rows], None if weights is None else weights[rows], sessions
        )
    return groups


def _set(name: str, measures: Measures, number: Distinct) -> None:
    if name == "visitors":
        measures.visitors = number.count
    elif name == "converted":
        measures.converted_visitors = number.count
    else:
        measures.users = number.count
    measures.exact = measures.exact and number.exact


def _set_sessions(
    measures: Measures, group: _Group | None, stored: Sequence[dict[str, Any]]
) -> None:
    live = [group.sessions] if group is not None and group.sessions is not None else []
    number = count_stored(stored, [one.ids for one in live])
    if number.exact and not live and len(stored) == 1 and "bounced" in stored[0]:
        measures.bounced_sessions = stored[0]["bounced"]
    else:
        known = together([*live, *map(read_sessions, stored)])
        if known.are_all:  # no estimate then, of which more might have bounced than there are
            number = Distinct(len(known.ids))
        measures.bounced_sessions = bounced(known, number)
    measures.sessions = number.count
    measures.exact = measures.exact and number.exact


def _set_weighted(name: str, measures: Measures, group: _Group | None) -> None:
    """An id stands for as many as the heaviest of its events."""
    if group is None or group.weights is None:
        return
    order = np.lexsort((group.weights, group.ids))
    last = np.flatnonzero(np.diff(group.ids[order], append=np.uint64(0)))
    heaviest = group.weights[order][last]
    total = int(heaviest.sum())
    if group.sessions is not None:
        measures.sessions = total
        measures.bounced_sessions = int(heaviest[group.sessions.states == 1].sum())
    else:
        _set(name, measures, Distinct(total))
