"""Sessions with what tells whether they bounced, that can be added up over any periods.

A session's state is a byte: its page views (0, 1, or 2 for more) and, in a bit above, whether it
interacted. Beyond EXACT sessions the number is a sketch's, and so many bounced as did in each period,
less those that went on in another one: of how many that is so a sample says, the sessions with the
smallest hashes, which are the same whatever is added up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.modules.analytics.rollups.columns import Hashes
from app.modules.analytics.rollups.distinct import (
    Stored,
    exact_ids,
    sketch_of_all,
    stored_set,
)
from app.modules.analytics.rollups.registers import Coupons

States = npt.NDArray[np.uint8]

MOST_PAGE_VIEWS = 2
INTERACTED = 4
BOUNCED = 1  # one page view, no interaction
SAMPLE = 4_096
MANY = 2 * SAMPLE  # of which a session may be in two periods
ALL = 2**64 - 1


@dataclass(frozen=True, slots=True)
class SeenSessions:
    """Sessions by their hashes, each with a state; all of them have hashes up to `below`."""

    ids: Hashes
    states: States
    below: int = ALL

    @property
    def are_all(self) -> bool:
        """Whether none is missing."""
        return self.below == ALL


def seen(ids: Hashes, page_views: States, interactions: States, below: int = ALL) -> SeenSessions:
    """The sessions of events: `page_views` and `interactions` are 1 for an event that is one.

    Only those whose hashes are up to `below`.
    """
    order = (ids <= np.uint64(below)).nonzero()[0] if below < ALL else np.arange(len(ids))
    order = order[np.argsort(ids[order])]
    ids = ids[order]
    if not len(ids):
        return SeenSessions(ids, np.empty(0, np.uint8), below)
    first = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    views = np.add.reduceat(page_views[order].astype(np.int64), first)
    acted = np.maximum.reduceat(interactions[order], first)
    states = np.minimum(views, MOST_PAGE_VIEWS) + acted.astype(np.int64) * INTERACTED
    return SeenSessions(ids[first], states.astype(np.uint8), below)


def together(parts: Sequence[SeenSessions]) -> SeenSessions:
    """The sessions of all parts, as far down as each part goes."""
    below = min((part.below for part in parts), default=ALL)
    ids = np.concatenate([part.ids for part in parts] or [np.empty(0, np.uint64)])
    states = np.concatenate([part.states for part in parts] or [np.empty(0, np.uint8)])
    return seen(ids, page_views_of(states), interactions_of(states), below)


def page_views_of(states: States) -> States:
    """How many page views these states stand for, at most MOST_PAGE_VIEWS."""
    return states & np.uint8(INTERACTED - 1)


def interactions_of(states: States) -> States:
    """1 for each of these states that interacted."""
    return ((states & np.uint8(INTERACTED)) > 0).astype(np.uint8)


def enough(parts: Sequence[SeenSessions]) -> Sequence[SeenSessions]:
    """As much of these parts as an estimate takes: MANY of their sessions, those with the smallest hashes.

    Hashes are spread evenly, so that it need not be counted where those are.
    """
    below = min((part.below for part in parts), default=ALL)
    number = sum(_up_to(part, below) for part in parts)
    if number <= MANY:
        return parts
    below = below * MANY // number
    return [
        SeenSessions(part.ids[:end], part.states[:end], below)
        for part in parts
        for end in (_up_to(part, below),)
    ]


def _up_to(sessions: SeenSessions, below: int) -> int:
    """How many of these sessions have hashes up to this."""
    return int(np.searchsorted(sessions.ids, np.uint64(below), "right"))


def _smallest(sessions: SeenSessions) -> SeenSessions:
    """The SAMPLE sessions with the smallest hashes, or all where they are not more."""
    if len(sessions.ids) <= SAMPLE:
        return sessions
    last = int(sessions.ids[SAMPLE - 1])
    return SeenSessions(sessions.ids[:SAMPLE], sessions.states[:SAMPLE], last)


def stored_sessions(sessions: SeenSessions, coupons: Coupons | None = None) -> Stored:
    """How sessions are stored, none of which is missing. `coupons` are theirs, where they are known."""
    stored = stored_set(sessions.ids, coupons)
    if "ids" in stored:
        return {**stored, "states": sessions.states.tobytes()}
    known = {"bounced": int(np.count_nonzero(sessions.states == BOUNCED))}
    return {**stored, **known, **_sample(sessions)}


def merged_sessions(parts: Sequence[Stored]) -> Stored:
    """The stored sessions of all of these."""
    known = [read_sessions(part) for part in parts]
    merged = together(known)
    if exact_ids(parts) is not None:
        return stored_sessions(merged)
    found = bounced(merged, [bounced_in(part) for part in parts], known)
    about = {} if found is None else {"about": found}
    return {"sketch": sketch_of_all(parts), **about, **_sample(merged)}


def _sample(sessions: SeenSessions) -> Stored:
    smallest = _smallest(sessions)
    stored: Stored = {
        "sample": smallest.ids.astype("<u8").tobytes(),
        "states": smallest.states.tobytes(),
    }
    if not smallest.are_all:
        stored["below"] = smallest.below.to_bytes(8, "little")
    return stored


def read_sessions(stored: Stored) -> SeenSessions:
    """What of `stored_sessions` is known session by session."""
    below = int.from_bytes(stored["below"], "little") if "below" in stored else ALL
    ids = np.frombuffer(stored.get("ids") or stored.get("sample") or b"", "<u8")
    return SeenSessions(ids, np.frombuffer(stored["states"], np.uint8), below)


def bounced_in(stored: Stored) -> int | None:
    """How many of stored sessions bounced, or about how many; None where an earlier version has merged them."""
    if "ids" in stored:
        return bounces(read_sessions(stored))
    known: int | None = stored.get("bounced", stored.get("about"))
    return known


def bounces(sessions: SeenSessions) -> int:
    """How many of those that are known session by session bounced."""
    return int(np.count_nonzero(sessions.states == BOUNCED))


def bounced(
    merged: SeenSessions, numbers: Sequence[int | None], parts: Sequence[SeenSessions]
) -> int | None:
    """How many sessions of all parts bounced: `numbers` are how many did in each, `merged` all together.

    Where not all are known one by one, those that have bounced in a part are counted, and what share of
    them bounced in the whole is that of the sample: next to all, so that the sample need not be large.
    None where a number is not known.
    """
    if merged.are_all:
        return bounces(merged)
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None
    in_parts = sum(
        int(np.count_nonzero(part.states[: _up_to(part, merged.below)] == BOUNCED))
        for part in parts
    )
    return round(sum(known) * bounces(merged) / in_parts) if in_parts else 0


def share_bounced(sessions: SeenSessions, number: int) -> int:
    """How many of so many sessions bounced, by the share of those that are known."""
    return round(number * bounces(sessions) / len(sessions.ids)) if len(sessions.ids) else 0
