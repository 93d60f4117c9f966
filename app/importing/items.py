"""Imports items: each row is a CreateItemInput."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import BadInputError, ConflictError
from app.importing.feed import feed
from app.importing.fields import Fields
from app.importing.files import Advance, FileSet, FoundRow
from app.importing.mapping import FileMapping
from app.importing.reading import UnreadableRowError
from app.importing.tally import Tally
from app.modules.items.inputs import CreateItemInput, UpdateItemInput, fields_of
from app.modules.items.service import ItemService

ITEM_FIELDS = Fields(CreateItemInput)
EXISTS, CHANGED = "EXISTS", "CHANGED"
INVALID = "INVALID"


@dataclass(frozen=True, slots=True)
class _Numbered:
    """What a row says of an item, and where it stands."""

    values: dict[str, Any]
    file: str
    line: int


def item_files(site: str, mapping: FileMapping, source_name: str | None = None) -> FileSet:
    """Files of items."""
    return FileSet(site, ITEM_FIELDS, mapping, ("title",), source_name)


class ItemImport:
    """Imports files into the catalogue of one site.

    An item that is there already stays as it is, or with `change` gets what its row says: fields
    that the row leaves empty stay. Rows without an id get the same one each time.
    """

    def __init__(self, items: ItemService, files: FileSet, *, change: bool = False) -> None:
        self._items = items
        self._files = files
        self._change = change
        self.tally = Tally(things="items")

    async def run(
        self, paths: Sequence[str], advance: Advance = lambda name, position: None
    ) -> None:
        """Import the files; `self.tally` has the counts. Raises as `EventImport.run` does."""
        self._files.check(paths)
        await feed(self._rows(self._files.rows(paths, advance)), self._send, size=1)

    def _rows(self, rows: Iterable[FoundRow]) -> Iterator[_Numbered]:
        for found in rows:
            self.tally.rows += 1
            line = found.row.line
            try:
                values = found.reader.read(found.row, found.place)
            except UnreadableRowError as error:
                self.tally.reject(INVALID, str(error), found.file, line)
            else:
                values["id"] = values.get("id") or found.place.row_id
                yield _Numbered(values, found.file, line)

    async def _send(self, batch: Sequence[_Numbered]) -> None:
        [numbered] = batch
        try:
            await self._store(numbered.values)
        except BadInputError as error:
            message = str(error).removeprefix("input.")
            self.tally.reject(INVALID, message, numbered.file, numbered.line)

    async def _store(self, values: dict[str, Any]) -> None:
        if not values.get("title"):
            raise BadInputError("is needed", "title")
        try:
            await self._items.create(self._files.site, fields_of(CreateItemInput(**values)))
        except ConflictError:
            if self._change:
                changes = {name: value for name, value in values.items() if name != "id"}
                given = fields_of(UpdateItemInput(**changes))
                await self._items.update(self._files.site, values["id"], given)
            self.tally.duplicates[CHANGED if self._change else EXISTS] += 1
        else:
            self.tally.accepted += 1
