"""What the log of admin actions learns of an action while it is under way (AdminLog in core/ports.py).

Services say what they do with `note_...`. Where nothing is being recorded, as for what an admin may do
all day long, that does nothing.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app.core.names import camel_case
from app.core.scalars import format_instant

# What is not shown of a change: it names people or their devices.
_HIDDEN = frozenset({"excludedAddresses"})
LONGEST_VALUE = 2_000  # bytes as JSON; of a longer value only the name is kept
LONGEST_TARGET = 256


@dataclass(frozen=True, slots=True)
class NotedChange:
    """A setting that changes; `is_shown` is whether its values are kept."""

    name: str
    old: Any = None
    new: Any = None
    is_shown: bool = True


@dataclass(slots=True)
class ActionNotes:
    """What is known of one action."""

    id: str
    target: str | None = None
    site: str | None = None
    changes: list[NotedChange] = field(default_factory=list)


_under_way: ContextVar[ActionNotes | None] = ContextVar("admin_action", default=None)


@contextmanager
def under_way(notes: ActionNotes) -> Iterator[None]:
    """What is noted inside is noted here."""
    token = _under_way.set(notes)
    try:
        yield
    finally:
        _under_way.reset(token)


def note_target(target: str, site: str | None = None) -> None:
    """What is acted on, by its id; and on which site, where that is not the one that was asked."""
    notes = _under_way.get()
    if notes is not None:
        notes.target = target[:LONGEST_TARGET]
        notes.site = site or notes.site


def note_person(kind: str, person: str) -> None:
    """The same where the id is a person's: a hash is kept, which the action's own id salts.

    Who knows the person's id can tell whether an action was about them; nobody can read it.
    """
    notes = _under_way.get()
    if notes is not None:
        notes.target = target_of_person(notes.id, kind, person)


def target_of_person(action_id: str, kind: str, person: str) -> str:
    """What is kept of a person in an action of this id."""
    salted = f"{action_id}:{person}".encode("utf-8", "surrogatepass")
    return f"{kind} sha256:{hashlib.sha256(salted).hexdigest()}"


def note_change(name: str, old: Any, new: Any) -> None:
    """A setting's value before and after, unless they are the same. Never note keys."""
    notes = _under_way.get()
    if notes is None or old == new:
        return
    shown_name = camel_case(name)
    before, after = _as_json(old), _as_json(new)
    if shown_name in _HIDDEN or max(len(orjson.dumps(v)) for v in (before, after)) > LONGEST_VALUE:
        notes.changes.append(NotedChange(shown_name, is_shown=False))
    else:
        notes.changes.append(NotedChange(shown_name, before, after))


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    return orjson.loads(orjson.dumps(value, default=str))
