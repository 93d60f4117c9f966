"""Goes through the rows of several files, whatever they are imported as."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from app.importing.fields import Fields
from app.importing.identity import digest, row_id
from app.importing.mapping import FileMapping, MappingError
from app.importing.reading import RowPlace, RowReader
from app.importing.rows import Row, Table
from app.importing.source import STDIN, Source

# Told a file's name and how many of its bytes were read.
Advance = Callable[[str, int], None]

ROWS_BETWEEN_ADVANCES = 256


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One row, and all that is needed to read it."""

    file: str
    row: Row
    place: RowPlace
    reader: RowReader


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files that are imported into one site with one mapping.

    `needed` are fields without which no row could be read. `source_name` is what the files are
    known by instead of how they begin.
    """

    site: str
    fields: Fields
    mapping: FileMapping
    needed: tuple[str, ...] = ()
    source_name: str | None = None

    def check(self, paths: Iterable[str]) -> None:
        """Whether the files are there and go with the mapping, before anything is written.

        Raises MappingError and BrokenSourceError. Standard input can be read only once and is not
        checked.
        """
        for path in paths:
            if path != STDIN:
                with Source(path) as source:
                    self._open(source)

    def rows(self, paths: Iterable[str], advance: Advance) -> Iterator[FoundRow]:
        """The rows of all files. Raises BrokenSourceError where a file cannot be read on."""
        for path in paths:
            with Source(path) as source:
                table, reader = self._open(source)
                for number, row in enumerate(table.rows()):
                    yield FoundRow(source.name, row, self._place(row, table, source), reader)
                    if number % ROWS_BETWEEN_ADVANCES == 0:
                        advance(source.name, source.position)
                advance(source.name, source.position)

    def _open(self, source: Source) -> tuple[Table, RowReader]:
        table = Table(source, self.mapping.format, self.mapping.delimiter)
        try:
            return table, RowReader(self.fields, self.mapping, table, self.needed)
        except MappingError as error:
            raise MappingError(f"{source.name}: {error}") from None

    def _place(self, row: Row, table: Table, source: Source) -> RowPlace:
        known_by = digest("name", self.source_name) if self.source_name else table.opening
        return RowPlace(row.line, row_id(self.site, known_by, row.line, row.content), source.stem)
