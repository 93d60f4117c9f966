"""Which numbers an operation selects, so that no others are computed."""

from collections.abc import Iterable, Iterator
from typing import Any

from strawberry.types.nodes import SelectedField

from app.core.context import Info
from app.modules.analytics.measures import Part

_PARTS = {
    "uniqueVisitors": Part.VISITORS,
    "visitorConversionRate": Part.VISITORS,
    "uniqueUsers": Part.USERS,
    "uniqueSessions": Part.SESSIONS,
    "bounceRate": Part.SESSIONS,
}


def selected(info: Info, *below: str) -> frozenset[str]:
    """The names of all fields that are selected below the root field, at any depth.

    With `below` only those in the fields of these names, and these names themselves.
    """
    found: set[str] = set()
    for root in info.selected_fields:
        for child in _fields(root.selections):
            if not below or child.name in below:
                found.add(child.name)
                found.update(_names(child.selections))
    return frozenset(found)


def parts(names: Iterable[str]) -> frozenset[Part]:
    """The parts of a report that these fields need. COUNTS is always among them: it is cheap."""
    return frozenset({Part.COUNTS, *(_PARTS[name] for name in names if name in _PARTS)})


def _names(selections: Iterable[Any]) -> Iterator[str]:
    for child in _fields(selections):
        yield child.name
        yield from _names(child.selections)


def _fields(selections: Iterable[Any]) -> Iterator[SelectedField]:
    """The fields among selections, those in fragments too."""
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        else:
            yield from _fields(selection.selections)
