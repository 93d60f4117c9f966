"""Exporting what is stored of a visitor or user: exactly what erasing them would remove."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import BadInputError
from app.core.json_values import CONTROL_CHARACTERS, plain
from app.core.ports import ComputedOfEvents
from app.core.quarters import QUARTER, from_ms, to_ms
from app.core.subjects import Subject
from app.modules.privacy.erasing import GONE_EVENTS
from app.repositories.base import Raw
from app.repositories.personal_data import PersonalData

MAX_PAGE = 1_000
LONGEST_ID = 512  # of a document: its site, and the caller's id
_IS_TIME = re.compile(r"-?\d{1,13}")


@dataclass(frozen=True, slots=True)
class Record:
    """Something stored. `kind` is one of `personal_data`, or GONE_EVENTS."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Records, and the cursor of the next page."""

    records: list[Record]
    next_cursor: str | None


class ExportService:
    """Answers what is stored of somebody."""

    def __init__(self, data: Mapping[str, PersonalData[Any]], computed: ComputedOfEvents) -> None:
        self._data = data
        self._computed = computed

    async def page(self, site: str, subject: Subject, limit: int, cursor: str | None) -> Page:
        """A page of what is stored of them. Raises BadInputError for a limit or cursor that is none.

        What arrives while pages are asked for may be on one of the later ones, or not.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise BadInputError(f"must be from 1 to {MAX_PAGE}", "limit")
        kinds = [*self._data, GONE_EVENTS]
        begun, after = _position(cursor, kinds)
        records: list[Record] = []
        last: str | None = None
        for kind in kinds[kinds.index(begun) :]:
            async for place, data in self._found(site, subject, kind, limit + 1, after):
                if len(records) == limit:
                    return Page(records, last)
                records.append(Record(kind, data))
                last = f"{kind}|{place}"
            after = None
        return Page(records, None)

    async def _found(
        self, site: str, subject: Subject, kind: str, limit: int, after: str | None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """At most so many of a kind after a place, in order, each with its place."""
        if kind == GONE_EVENTS:
            since = None if after is None else from_ms(int(after)) + QUARTER
            async for gone in self._computed.kept(site, subject, since):
                yield str(to_ms(gone.start)), {"events": plain(gone.events)}
            return
        for document in await self._data[kind].page(site, subject, limit, after):
            yield document["_id"], _readable(site, document)


def _position(cursor: str | None, kinds: Sequence[str]) -> tuple[str, str | None]:
    """The kind and the place in it after which a page begins."""
    if cursor is None:
        return kinds[0], None
    kind, _, place = cursor.partition("|")
    usable = _IS_TIME.fullmatch(place) if kind == GONE_EVENTS else _is_id(place)
    if kind not in kinds or not usable:
        raise BadInputError("must be a nextCursor that was answered before", "after")
    return kind, place


def _is_id(place: str) -> bool:
    return len(place) <= LONGEST_ID and not CONTROL_CHARACTERS.search(place)


def _readable(site: str, document: Raw) -> dict[str, Any]:
    """A document with its id as the API has it."""
    found = {name: value for name, value in document.items() if name not in ("_id", "site")}
    if "document" in found:  # what an admin may release
        found["document"] = _readable(site, found["document"])
    data: dict[str, Any] = plain({"id": document["_id"].removeprefix(f"{site}:"), **found})
    return data
