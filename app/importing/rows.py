"""The rows of a file: objects of NDJSON, or lines of CSV under a header."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any

import orjson

from app.importing.source import BrokenSourceError, Source


class Format(StrEnum):
    """How a file is written."""

    NDJSON = "ndjson"
    CSV = "csv"


@dataclass(slots=True)
class Row:
    """One row. `line` is where it begins in the file, from 1; `content` is what its id is made from."""

    line: int
    content: bytes
    # Texts in CSV, JSON values in NDJSON; empty where there is a problem.
    values: dict[str, Any] = field(default_factory=dict)
    # Why the row cannot be read at all.
    problem: str | None = None


class Table:
    """The rows of a source, and what they have in common."""

    def __init__(
        self, source: Source, table_format: Format | None = None, delimiter: str = ","
    ) -> None:
        """Look at the beginning. Without a format it is told from there: NDJSON begins with `{`.

        Raises BrokenSourceError where the file cannot be read.
        """
        self._lines = _Lines(source)
        begins = self._lines.first_byte()
        if begins == b"[" and table_format is not Format.CSV:
            raise BrokenSourceError(
                f"{source.name}: is a JSON array; NDJSON has one object a line, without brackets."
            )
        guessed = Format.NDJSON if begins == b"{" else Format.CSV
        self.format = table_format or guessed
        self._csv = csv.reader(self._lines.texts(), delimiter=delimiter, strict=True)
        # The column names of a CSV file; none for NDJSON, where each row has its own.
        self.columns: list[str] = []
        if self.format is Format.CSV and begins:
            self.columns = self._header(source)
        # What the file is known by: its header and first row. There once the first row was read.
        self.opening = b""

    def rows(self) -> Iterator[Row]:
        """All rows, blank lines left out. Raises BrokenSourceError where the file breaks off."""
        rows = self._ndjson_rows() if self.format is Format.NDJSON else self._csv_rows()
        first = next(rows, None)
        if first is None:
            return
        self.opening = self._lines.stop_recording()
        yield from chain([first], rows)

    def _header(self, source: Source) -> list[str]:
        try:
            header = next(self._csv)
            while not header:
                header = next(self._csv)
        except (csv.Error, _LongLineError):
            raise BrokenSourceError(f"{source.name}: its first line is no CSV header.") from None
        return [name.strip() for name in header]

    def _csv_rows(self) -> Iterator[Row]:
        if not self.columns:
            return
        while True:
            line = self._lines.number + 1
            try:
                cells = next(self._csv)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, b"", problem=f"is not CSV ({error})")
            except _LongLineError:
                yield Row(line, b"", problem="is too long")
            else:
                if cells:
                    yield self._csv_row(line, cells)

    def _csv_row(self, line: int, cells: list[str]) -> Row:
        joined = "\x1f".join(cells)
        try:
            content = joined.encode()
        except UnicodeEncodeError:
            content = joined.encode("utf-8", "surrogateescape")
            return Row(line, content, problem="is not UTF-8; convert the file")
        if len(cells) != len(self.columns):
            count = f"has {len(cells)} cells where the header has {len(self.columns)}"
            return Row(line, content, problem=count)
        return Row(line, content, dict(zip(self.columns, cells, strict=True)))

    def _ndjson_rows(self) -> Iterator[Row]:
        for line in self._lines:
            if line is None:
                yield Row(self._lines.number, b"", problem="is too long")
            elif content := line.strip():
                yield _ndjson_row(self._lines.number, content)


def _ndjson_row(line: int, content: bytes) -> Row:
    try:
        values = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Row(line, content, problem="is not JSON")
    if not isinstance(values, dict):
        return Row(line, content, problem="is not a JSON object")
    return Row(line, content, values)


class _LongLineError(Exception):
    """A line of CSV that is too long to be one."""


class _Lines:
    """A source's lines, counted, the first ones remembered until `stop_recording`."""

    def __init__(self, source: Source) -> None:
        self.number = 0
        self._lines = source.lines()
        self._recorded: list[bytes] | None = []

    def __iter__(self) -> Iterator[bytes | None]:
        for line in self._lines:
            self.number += 1
            if self._recorded is not None and line and line.strip():
                self._recorded.append(line.strip())
            yield line

    def first_byte(self) -> bytes:
        """The first that is not blank, without moving on; nothing for an empty file."""
        blank: list[bytes | None] = []
        for line in self._lines:
            if line is None or line.strip():
                self._lines = chain([*blank, line], self._lines)
                return (line or b"").strip()[:1]
            blank.append(line)
        return b""

    def texts(self) -> Iterator[str]:
        """The lines as the CSV reader wants them; it ends rows by itself."""
        lines = iter(self)
        return _Texts(lines)

    def stop_recording(self) -> bytes:
        """What was read so far, without blank lines and line ends."""
        recorded, self._recorded = self._recorded or [], None
        return b"\n".join(recorded)


class _Texts(Iterator[str]):
    """Not a generator: it goes on after it has raised."""

    def __init__(self, lines: Iterator[bytes | None]) -> None:
        self._lines = lines

    def __next__(self) -> str:
        line = next(self._lines)
        if line is None:
            raise _LongLineError
        return line.decode("utf-8", "surrogateescape") + "\n"
