"""Sessions with what tells whether they bounced, that can be added up over any periods.

A session's state is a byte: its page views (0, 1, or 2 for more) and, in a bit above, whether it
interacted. Beyond EXACT sessions the number is a sketch's, and the share that bounced is that of a
sample: the sessions with the smallest hashes, which are the same whatever is added up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.modules.analytics.rollups.columns import Hashes
from app.modules.analytics.rollups.distinct import (
    Distinct,
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
    acted = ((states & INTERACTED) > 0).astype(np.uint8)
    return seen(ids, (states & np.uint8(3)).astype(np.uint8), acted, below)


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


def _merged(ids: Hashes, states: States, below: int) -> SeenSessions:
    acted = ((states & INTERACTED) > 0).astype(np.uint8)
    return seen(ids, (states & np.uint8(3)).astype(np.uint8), acted, below)


def stored_sessions(sessions: SeenSessions, coupons: Coupons | None = None) -> Stored:
    """How sessions are stored, none of which is missing. `coupons` are theirs, where they are known."""
    stored = stored_set(sessions.ids, coupons)
    if "ids" in stored:
        return {**stored, "states": sessions.states.tobytes()}
    known = {"bounced": int(np.count_nonzero(sessions.states == BOUNCED))}
    return {**stored, **known, **_sample(sessions)}


def merged_sessions(parts: Sequence[Stored]) -> Stored:
    """The stored sessions of all of these."""
    merged = together([read_sessions(part) for part in parts])
    if exact_ids(parts) is not None:
        return stored_sessions(merged)
    return {"sketch": sketch_of_all(parts), **_sample(merged)}


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


def bounced(sessions: SeenSessions, number: Distinct) -> int:
    """How many of so many sessions bounced; from the sample where not all are known."""
    found = int(np.count_nonzero(sessions.states == BOUNCED))
    if sessions.are_all:
        return found
    return round(number.count * found / len(sessions.ids)) if len(sessions.ids) else 0
