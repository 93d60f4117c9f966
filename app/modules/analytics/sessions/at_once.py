"""The sessions of many session ids at once, from columns of their events.

The same ones as derivation.py gives where a new source does not end a session. That takes events one by
one, which takes three times as long. tests/modules/analytics/sessions/test_at_once.py holds both together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.quarters import from_ms
from app.modules.analytics.rollups.columns import (
    CODE_OF_TYPE,
    Coded,
    Codes,
    Columns,
    Mask,
    Numbers,
    once_each,
)
from app.modules.analytics.sessions.derivation import (
    CLICK,
    CONVERSION,
    FIRST_KNOWN,
    INTERACTIONS,
    MAX_PAUSE,
    PAGE_VIEW,
    SEEING,
    UTM,
    host_of,
    session_id,
)

_PAUSE_MS = MAX_PAUSE.total_seconds() * 1_000
_KNOWN = tuple(name for name in FIRST_KNOWN if name != "user")


@dataclass(frozen=True, slots=True)
class NamedEvents:
    """Counted events, and the names of which columns have but hashes: an entry an event in each."""

    columns: Columns
    ids: Sequence[str]
    sessions: Sequence[str]
    visitors: Sequence[str]
    users: Sequence[str | None]


def sessions_of(site: str, events: NamedEvents) -> dict[str, list[dict[str, Any]]]:
    """By session id: the sessions of these events, in order, as they are stored."""
    found: dict[str, list[dict[str, Any]]] = {}
    for document in _Sessions(site, events).documents() if events.sessions else ():
        found.setdefault(document["session"], []).append(document)
    return found


class _Sessions:
    """Sessions while they are counted, with the events in rows by session id and time.

    Session number n has the rows from `starts[n]` to before `starts[n + 1]`.
    """

    def __init__(self, site: str, events: NamedEvents) -> None:
        ids = _coded(events.sessions).codes
        order = _order(ids, events.columns.at, events.ids)
        ids, self._at = ids[order], events.columns.at[order]
        is_first = np.ones(len(ids), np.bool_)
        is_first[1:] = (ids[1:] != ids[:-1]) | (np.diff(self._at) > _PAUSE_MS)
        self._site = site
        self._events = events
        self._order = order
        self._type = events.columns.type[order]
        self._session = np.cumsum(is_first) - 1  # the number of each row's session
        self._starts = np.append(is_first.nonzero()[0], len(ids))
        self._number = len(self._starts) - 1

    def documents(self) -> Iterator[dict[str, Any]]:
        """As they are stored."""
        events, firsts = self._events, self._order[self._starts[:-1]].tolist()
        page_views = self._count(PAGE_VIEW)
        bounced = (page_views == 1) & (self._count(*INTERACTIONS) == 0)
        page = self._dimension("page")
        is_page, is_named = page.codes > 0, np.array([bool(each) for each in page.values])
        entered = _either(self._first(is_named[page.codes]), self._first(is_page))
        columns = {
            "session": [events.sessions[row] for row in firsts],
            "visitor": [events.visitors[row] for row in firsts],
            "start": [from_ms(at) for at in self._at[self._starts[:-1]].tolist()],
            "last": [from_ms(at) for at in self._at[self._starts[1:] - 1].tolist()],
            "events": np.diff(self._starts).tolist(),
            "page_views": page_views.tolist(),
            "conversions": self._count(CONVERSION).tolist(),
            "items_seen": self._items(*SEEING),
            "items_clicked": self._items(CLICK),
            "bounced": bounced.tolist(),
            "user": self._first_of(self._in_rows(_coded(events.users))),
            "entry_page": _values(page, entered),
            "exit_page": _values(page, self._last(is_page)),
            **{name: self._first_of(self._dimension(name)) for name in _KNOWN},
            "weight": self._weights(),
        }
        sources = self._sources(page)
        for place, values in enumerate(zip(*columns.values(), strict=True)):
            named = zip(columns, values, strict=True)
            document = {name: value for name, value in named if value is not None}
            name, start = document["session"], document["start"]
            yield {
                "_id": session_id(self._site, name, start),
                "site": self._site,
                **document,
                **sources.get(place, {}),
                "by_source": False,
            }

    def _is(self, types: Sequence[str]) -> Mask:
        return np.isin(self._type, [CODE_OF_TYPE[name] for name in types])

    def _count(self, *types: str) -> Numbers:
        return np.bincount(self._session[self._is(types)], minlength=self._number)

    def _items(self, *types: str) -> list[int]:
        """How many different items the events of these types have."""
        item = self._dimension("item")
        rows = (self._is(types) & (item.codes > 0)).nonzero()[0]
        pairs = once_each(self._session[rows] * len(item.values) + item.codes[rows])
        found: list[int] = np.bincount(pairs // len(item.values), minlength=self._number).tolist()
        return found

    def _weights(self) -> list[int | None]:
        weight = self._events.columns.weight
        if weight is None:
            return [None] * self._number
        heaviest = np.maximum.reduceat(weight[self._order], self._starts[:-1])
        return [each if each > 1 else None for each in heaviest.tolist()]

    def _dimension(self, name: str) -> Coded:
        found = self._events.columns.dimensions.get(name)
        return self._in_rows(found or Coded(np.zeros(len(self._order), np.uint32), [None]))

    def _in_rows(self, coded: Coded) -> Coded:
        return Coded(coded.codes[self._order], coded.values)

    def _last(self, mask: Mask) -> Numbers:
        """For each session the last of these rows, or -1."""
        found = np.full(self._number, -1)
        rows = mask.nonzero()[0]
        found[self._session[rows]] = rows  # the last one assigned stays
        return found

    def _first(self, mask: Mask) -> Numbers:
        """For each session the first of these rows, or -1."""
        found = np.full(self._number, -1)
        rows = mask.nonzero()[0][::-1]
        found[self._session[rows]] = rows
        return found

    def _first_of(self, coded: Coded) -> list[str | None]:
        return _values(coded, self._first(coded.codes > 0))

    def _sources(self, page: Coded) -> dict[int, dict[str, str]]:
        """By session: where its first event that says so says that its visitor came from."""
        said = {name: self._dimension(name) for name in (*UTM, "referrer")}
        is_said = np.logical_or.reduce([coded.codes > 0 for coded in said.values()])
        found: dict[int, dict[str, str]] = {}
        for row in is_said.nonzero()[0].tolist():
            session = int(self._session[row])
            if session not in found:
                named = {name: coded.values[coded.codes[row]] for name, coded in said.items()}
                event = {name: value for name, value in named.items() if value is not None}
                pages = page.codes[self._starts[session] : row + 1]
                if source := _source(event, [page.values[code] for code in pages.tolist()]):
                    found[session] = source
        return found


def _source(event: dict[str, str], pages: Sequence[str | None]) -> dict[str, str]:
    """Without a referrer that is a host on which the session was, the event's own included."""
    referrer = event.get("referrer")
    if referrer is not None and any(
        page is not None and host_of(page) == referrer for page in pages
    ):
        del event["referrer"]
    return event


def _coded(texts: Sequence[str | None]) -> Coded:
    codes = {text: code for code, text in enumerate(dict.fromkeys((None, *texts)))}
    return Coded(np.fromiter(map(codes.__getitem__, texts), np.uint32, len(texts)), list(codes))


def _values(coded: Coded, rows: Numbers) -> list[str | None]:
    """The values in these rows; None for row -1."""
    codes = np.where(rows < 0, 0, coded.codes[rows])
    return [coded.values[code] for code in codes.tolist()]


def _either(rows: Numbers, others: Numbers) -> Numbers:
    return np.where(rows < 0, others, rows)


def _order(sessions: Codes, at: Numbers, ids: Sequence[str]) -> Numbers:
    """The events by session id, time and id. Ids are compared only at the same time: texts are slow."""
    order = np.lexsort((at, sessions))
    same = (np.diff(at[order]) == 0) & (np.diff(sessions[order].astype(np.int64)) == 0)
    if not same.any():
        return order
    together = order[np.append(same, False) | np.insert(same, 0, False)].tolist()
    rank = np.zeros(len(order), np.int64)
    rank[sorted(together, key=ids.__getitem__)] = np.arange(len(together))
    return np.lexsort((rank, at, sessions))
