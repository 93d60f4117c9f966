"""Made-up events as columns of numbers, in order of time: all that is known of them, from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.reports import vocabulary as words

Numbers = NDArray[Any]

SEED = 20_260_301
SESSION_EVENTS = 8  # on average
GAP_MS = 25_000  # between two events of a session, on average
LONGEST_GAP_MS = 20 * 60_000
MOST_POSITION = 40
HALF_HOUR_MS = 1_800_000
# How much is going on in each hour of the day, UTC.
_HOURS = (6, 4, 3, 3, 3, 5, 9, 14, 19, 22, 24, 25, 27, 26, 24, 23, 24, 27, 31, 34, 33, 27, 18, 11)
_WEEKEND = 0.8
# Rank r of popularity has the weight 1 / (r + this): the first ranks are not all there is.
_ITEM_HEAD, _PAGE_HEAD = 10, 5

# The columns that have one number a session, and not one an event.
OF_SESSIONS = frozenset({"visitor", "agent", "locale", "referrer", "campaign", "variant"})


def milliseconds(instant: datetime) -> int:
    """Since 1970."""
    return (instant - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


FIRST_MS = milliseconds(words.FIRST)
LENGTH_MS = words.LENGTH // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Columns:
    """One number an event, or one a session: indexes into the tables of vocabulary.py.

    0 is "none" where the table begins with None; -1 is "none" of `item`, `engagement`, `scroll` and
    `cents`. `at` is in milliseconds since 1970 and ascends.
    """

    at: Numbers
    session: Numbers
    type: Numbers
    name: Numbers
    item: Numbers
    page: Numbers
    source: Numbers
    position: Numbers
    engagement: Numbers
    scroll: Numbers
    conversion: Numbers
    cents: Numbers
    currency: Numbers
    # Of each session: OF_SESSIONS.
    visitor: Numbers
    agent: Numbers
    locale: Numbers
    referrer: Numbers
    campaign: Numbers
    variant: Numbers

    @property
    def events(self) -> int:
        return len(self.at)

    @property
    def sessions(self) -> int:
        return len(self.visitor)

    def save(self, folder: Path) -> None:
        """One file a column, so that other processes read only what they need of them."""
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def load(cls, folder: Path) -> "Columns":
        return cls(
            **{
                field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r")
                for field in fields(cls)
            }
        )


def make_columns(events: int, seed: int = SEED) -> Columns:
    """So many events; the same ones for the same seed and number."""
    chance = np.random.default_rng([seed, events])
    session = _sessions(chance, events)
    count = int(session[-1]) + 1
    at = _times(chance, session, count)
    in_time = np.argsort(at, kind="stable")
    of_sessions = _of_sessions(chance, count)
    first = np.diff(session, prepend=-1) != 0
    of_events = _of_events(chance, first)
    return Columns(
        at=at[in_time],
        session=session[in_time],
        **{name: column[in_time] for name, column in of_events.items()},
        **of_sessions,
    )


def _sessions(chance: np.random.Generator, events: int) -> Numbers:
    """The session of each event, one session after the other."""
    sizes = chance.geometric(1 / SESSION_EVENTS, size=2 * events // SESSION_EVENTS + 100)
    ends = np.cumsum(sizes)
    count = int(np.searchsorted(ends, events)) + 1
    if count > len(sizes):
        raise ValueError("too few sessions were drawn")
    return np.repeat(np.arange(count, dtype=np.int32), sizes[:count])[:events]


def _times(chance: np.random.Generator, session: Numbers, count: int) -> Numbers:
    """When each event happened. A session that would go on beyond the end begins earlier."""
    half_hours = np.arange(LENGTH_MS // HALF_HOUR_MS)
    weekend = (half_hours // 48 + words.FIRST.weekday()) % 7 >= 5
    busy = np.array(_HOURS, float)[half_hours // 2 % 24] * np.where(weekend, _WEEKEND, 1)
    begin = HALF_HOUR_MS * _choose(chance, busy, count).astype(np.int64)
    begin += chance.integers(0, HALF_HOUR_MS, count)
    gaps = np.minimum(chance.exponential(GAP_MS, len(session)), LONGEST_GAP_MS).astype(np.int64)
    first = np.flatnonzero(np.diff(session, prepend=-1))
    gaps[first] = 0
    since = np.cumsum(gaps)
    since -= since[first][session]
    last = np.append(first[1:], len(session)) - 1
    begin = np.maximum(np.minimum(begin, LENGTH_MS - 1 - since[last]), 0)
    at: Numbers = FIRST_MS + np.minimum(begin[session] + since, LENGTH_MS - 1)
    return at


def _of_sessions(chance: np.random.Generator, count: int) -> dict[str, Numbers]:
    """Who it was, with what, and from where. Some visitors come far more often than others."""
    campaign = chance.integers(1, words.CAMPAIGNS + 1, count)
    campaign = np.minimum(campaign, chance.integers(1, words.CAMPAIGNS + 1, count))
    campaign[chance.random(count) >= words.CAMPAIGN_SHARE] = 0
    return {
        "visitor": (words.VISITORS * chance.random(count) ** 1.5).astype(np.int32),
        "agent": _choose(chance, words.AGENT_SHARES, count),
        "locale": _choose(chance, words.LOCALE_SHARES, count),
        "referrer": _choose(chance, words.REFERRER_SHARES, count),
        "campaign": campaign.astype(np.int8),
        "variant": _choose(chance, words.VARIANT_SHARES, count),
    }


def _of_events(chance: np.random.Generator, first: Numbers) -> dict[str, Numbers]:
    """What each event is and carries; `first` says which begin a session."""
    count = len(first)
    kind = _choose(chance, words.TYPE_SHARES, count)
    kind[first] = _choose(chance, words.FIRST_TYPE_SHARES, int(first.sum()))
    no_item = chance.random(count) < np.where(_is(kind, "PAGE_VIEW"), 0.6, 0.5)
    no_item &= _is(kind, "PAGE_VIEW", "CUSTOM")
    rank = _choose(chance, 1 / (np.arange(words.ITEMS) + _ITEM_HEAD + 1), count)
    number = np.array([words.item_of_rank(each) for each in range(words.ITEMS)])
    item = np.where(no_item, -1, number[rank]).astype(np.int16)
    source = _choose(chance, words.SOURCE_SHARES, count)
    source[_is(kind, "PAGE_VIEW", "CUSTOM", "CONVERSION")] = 0
    position = 1 + (MOST_POSITION * chance.random(count) ** 2).astype(np.int8)
    position[source == 0] = 0
    return {
        "type": kind,
        "name": _only(kind, ("CUSTOM",), chance.integers(1, len(words.NAMES), count), 0, np.int8),
        "item": item,
        "page": _choose(chance, 1 / (np.arange(words.PAGES) + _PAGE_HEAD + 1), count),
        "source": source,
        "position": position,
        **_engagement(chance, kind),
        **_conversions(chance, kind),
    }


def _engagement(chance: np.random.Generator, kind: Numbers) -> dict[str, Numbers]:
    """Milliseconds and percent; some page views say how far was scrolled, too."""
    count = len(kind)
    length = np.minimum(chance.lognormal(9, 1.2, count), 1_800_000)
    scroll = chance.integers(0, 101, count)
    scroll[_is(kind, "PAGE_VIEW") & (chance.random(count) < 0.4)] = -1
    return {
        "engagement": _only(kind, ("ENGAGEMENT",), length, -1, np.int32),
        "scroll": _only(kind, ("ENGAGEMENT", "PAGE_VIEW"), scroll, -1, np.int8),
    }


def _conversions(chance: np.random.Generator, kind: Numbers) -> dict[str, Numbers]:
    """Who signs up spends nothing; a quarter of the others pay in another currency."""
    count = len(kind)
    conversion = _choose(chance, (60.0, 25.0, 15.0), count)
    cents = np.minimum(chance.lognormal(9, 1.5, count), 50_000_000)
    cents[conversion == words.CONVERSION_TYPES.index("signup")] = -1
    return {
        "conversion": conversion,
        "cents": _only(kind, ("CONVERSION",), cents, -1, np.int32),
        "currency": (chance.random(count) < 0.25).astype(np.int8),
    }


def _is(kind: Numbers, *types: str) -> Numbers:
    """Which events are of one of these types."""
    return np.isin(kind, [words.TYPES.index(each) for each in types])


def _only(
    kind: Numbers, types: Sequence[str], values: Numbers, otherwise: int, kept_as: type[Any]
) -> Numbers:
    """These values for events of these types, another for all others."""
    return np.where(_is(kind, *types), values, otherwise).astype(kept_as)


def _choose(chance: np.random.Generator, shares: Sequence[float] | Numbers, count: int) -> Numbers:
    """So many indexes into these shares, each as often as its share says."""
    ends = np.cumsum(shares)
    found: Numbers = np.searchsorted(ends, chance.random(count) * ends[-1], side="right")
    # A random number just below 1 may be rounded to the end itself.
    found = np.minimum(found, len(ends) - 1)
    return found.astype(np.int8 if len(ends) <= np.iinfo(np.int8).max else np.int32)
