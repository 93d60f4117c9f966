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
    ALL,
    BOUNCED,
    SeenSessions,
    bounced,
    bounced_in,
    bounces,
    enough,
    read_sessions,
    seen,
    share_bounced,
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
        return int(self.places([key])[0])

    def places(self, keys: Iterable[Key]) -> Keys:
        """The places of keys, which are there from now on."""
        known = self._places
        found = np.array([known.setdefault(key, len(known)) for key in keys], np.int64)
        if len(known) > len(self._counts):
            more = np.zeros((max(64, len(known)), len(COUNTS)), np.int64)
            self._counts = np.concatenate([self._counts, more])
        return found

    def add_events(self, columns: Columns, keys: Keys) -> None:
        """Add events, each to the key at its place."""
        size = len(self._places)
        self._counts[:size] += counts_by(keys, size, columns)
        amounts = columns.amounts
        with exactly():
            for row, currency, value in zip(
                amounts.rows.tolist(), amounts.currencies, amounts.values, strict=True
            ):
                times = 1 if columns.weight is None else int(columns.weight[row])
                self._add_amount(int(keys[row]), currency, value * times, times)
        for name, pairs in self._pairs.items():
            self._add_ids(name, pairs, columns, keys)

    def add_counts(self, places: Keys, counts: Numbers) -> None:
        """Add rows of COUNTS to the keys at these places, among which one may come again."""
        np.add.at(self._counts, places, counts)

    def add_amounts(self, place: int, amounts: Iterable[Mapping[str, Any]]) -> None:
        """Add to a key what conversions were worth, as a cell or a table has it."""
        with exactly():
            for one in amounts:
                self._add_amount(place, one["currency"], Decimal(one["value"]), one["conversions"])

    def _add_amount(self, place: int, currency: str | None, value: Decimal, number: int) -> None:
        known, conversions = self._amounts.get((place, currency), (Decimal(0), 0))
        self._amounts[place, currency] = known + value, conversions + number

    def add_stored(self, place: int, name: str, stored: dict[str, Any] | None) -> None:
        """Add a stored set of ids to a key."""
        if stored is not None and name in self._stored:
            self._stored[name].setdefault(place, []).append(stored)

    def add_ids(
        self,
        name: str,
        places: Keys,
        ids: Hashes,
        states: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None = None,
    ) -> None:
        """Add ids to a set, each to the key at its place. `states` are the page views and interactions
        of sessions."""
        if not len(places):
            return
        pairs = self._pairs[name]
        pairs.keys.append(places)
        pairs.ids.append(ids)
        if states is not None:
            pairs.page_views.append(states[0])
            pairs.interactions.append(states[1])

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
        with exactly():
            for (place, given), (value, number) in self._amounts.items():
                amounts = by_place.setdefault(place, {})
                currency = given or site_currency
                known, conversions = amounts.get(currency, (Decimal(0), 0))
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


def counts_by(codes: npt.NDArray[Any], size: int, columns: Columns) -> Numbers:
    """A row of COUNTS for every code up to `size`: what the events add to it that have it."""
    counts = np.zeros((size, len(COUNTS)), np.int64)
    codes = codes.astype(np.int64)
    weight = columns.weight
    of_types = np.bincount(codes * len(TYPES) + columns.type, weight, size * len(TYPES))
    by_type = np.rint(of_types).astype(np.int64).reshape(size, len(TYPES))
    counts[:, 0] = by_type.sum(1)
    for name, event_type in _COUNTED_TYPE.items():
        counts[:, COUNTS.index(name)] = by_type[:, CODE_OF_TYPE[event_type.value]]
    for name, numbers in (
        ("engagement", columns.engagement),
        ("scroll_depth", columns.scroll_depth),
    ):
        if numbers is None:
            continue
        rows = (numbers >= 0).nonzero()[0]
        times = np.ones(len(rows)) if weight is None else weight[rows].astype(np.float64)
        column = COUNTS.index(name)
        for place, added in ((column, numbers[rows] * times), (column + 1, times)):
            counts[:, place] = np.rint(np.bincount(codes[rows], added, size)).astype(np.int64)
    return counts


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
    """The ids of one key, which may be there more than once."""

    ids: Hashes
    weights: Numbers | None = None
    page_views: npt.NDArray[np.uint8] | None = None
    interactions: npt.NDArray[np.uint8] | None = None

    def sessions(self, below: int = ALL) -> SeenSessions:
        """The sessions whose hashes are at most this."""
        if self.page_views is None or self.interactions is None:
            raise ValueError("these ids are not of sessions")
        return seen(self.ids, self.page_views, self.interactions, below)


def _grouped(pairs: _Pairs, wanted: Collection[int], *, with_states: bool) -> dict[int, _Group]:
    """The ids of every key that is wanted."""
    if not pairs.keys or not wanted:
        return {}
    keys = np.concatenate(pairs.keys)
    ids = np.concatenate(pairs.ids)
    is_wanted = np.zeros(int(max(keys.max(), max(wanted))) + 1, np.bool_)
    is_wanted[list(wanted)] = True
    rows = is_wanted[keys].nonzero()[0]
    order = rows[np.argsort(_narrow(keys[rows]), kind="stable")]
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
        groups[int(keys[rows[0]])] = _Group(
            ids[rows],
            None if weights is None else weights[rows],
            None if views is None else views[rows],
            None if acted is None else acted[rows],
        )
    return groups


def _narrow(keys: Keys) -> npt.NDArray[Any]:
    """The same numbers in two bytes where they fit: those are sorted ten times as fast."""
    return keys.astype(np.uint16) if keys.max(initial=0) < 2**16 else keys


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
    number = count_stored(stored, () if group is None else (group.ids,))
    if number.exact and group is None and len(stored) == 1 and "bounced" in stored[0]:
        measures.bounced_sessions = stored[0]["bounced"]
    else:
        numbers = [bounced_in(part) for part in stored]
        parts = [read_sessions(part) for part in stored]
        if group is not None:
            parts.append(group.sessions())
            numbers.append(bounces(parts[-1]))
        wanted = parts if None in numbers else enough(parts)
        known = together(wanted)
        if known.are_all:  # no estimate then, of which more might have bounced than there are
            number = Distinct(len(known.ids))
        found = bounced(known, numbers, wanted)
        if found is None or bounces(known) == len(known.ids):
            found = share_bounced(known, number.count)
        measures.bounced_sessions = min(found, number.count)
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
    if group.page_views is not None:
        measures.sessions = total
        measures.bounced_sessions = int(heaviest[group.sessions().states == BOUNCED].sum())
    else:
        _set(name, measures, Distinct(total))
