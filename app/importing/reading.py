"""Rows become the values of an input, as a mapping says."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.importing.fields import Field, Fields, UnreadableValueError
from app.importing.mapping import FileMapping, MappingError, text_of
from app.importing.rows import Format, Row, Table
from app.schemas.event import EventType

# Names that a template may use besides the columns.
ROW, ROW_ID, FILE = "row", "rowId", "file"

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class RowPlace:
    """Where a row stands: what the placeholders {row}, {rowId} and {file} are."""

    row: int
    row_id: str
    file: str


class RowReader:
    """Reads the rows of one table into attributes of an input, as the mapping says."""

    def __init__(
        self, fields: Fields, mapping: FileMapping, table: Table, needed: Iterable[str] = ()
    ) -> None:
        """Raises MappingError where the mapping does not go with the table's columns.

        `needed` are fields without which no row could be read.
        """
        self._fields = fields
        self._lenient = mapping.says_something
        self._from_text = table.format is Format.CSV
        self._events = mapping.events
        self._constants: dict[str, Any] = {}
        self._templates: list[tuple[Field, _Template]] = []
        # Column -> the fields that it is.
        self._columns: dict[str, list[Field]] = {}
        self._taken: set[str] = {"type"} if mapping.events else set()
        # Attribute -> its field and the keys that must all be there, where columns are single keys.
        self._objects: dict[str, tuple[str, list[str]]] = {}
        self._add_constants(mapping.constants)
        self._add_columns(mapping.columns)
        if self._from_text and table.columns:
            self._add_columns_by_name(table.columns)
            self._check_columns(table.columns, needed)

    def read(self, row: Row, place: RowPlace) -> dict[str, Any]:
        """The row's values by attribute. Raises UnreadableRowError at the first that cannot be read."""
        if row.problem is not None:
            raise UnreadableRowError("row", row.problem)
        found = dict(self._constants)
        absent = ("", None) if self._from_text else (None,)
        for column, value in row.values.items():
            if value in absent:
                continue
            for target in self._fields_of(column):
                _put(found, target, value, self._from_text)
        for target, template in self._templates:
            text = template.render(row.values, place)
            if text:
                _put(found, target, text, from_text=True)
        for attribute, (name, keys) in self._objects.items():
            for key in keys:
                if key not in found.get(attribute, {key: None}):
                    raise UnreadableRowError(f"{name}.{key}", "is needed")
        return found

    def event_types(self, row: Row, values: dict[str, Any]) -> list[EventType]:
        """The types of the events that the row stands for; its own field's, where no rule says it.

        Takes the type out of the values. Raises UnreadableRowError where nothing says it.
        """
        own = values.pop("type", None)
        if self._events:
            return [rule.type for rule in self._events if rule.holds(row.values)]
        if own is None:
            raise UnreadableRowError("type", "is needed")
        return [own]

    def _add_constants(self, constants: Mapping[str, str]) -> None:
        for name, value in constants.items():
            target = self._known(name)
            try:
                _put(self._constants, target, str(value), from_text=True)
            except UnreadableRowError as error:
                raise MappingError(f"The constant for {error}.") from None

    def _add_columns(self, columns: Mapping[str, str]) -> None:
        for name, source in columns.items():
            target = self._known(name)
            if "{" in source or "}" in source:
                self._templates.append((target, _Template(source)))
            else:
                self._columns.setdefault(source, []).append(target)

    def _known(self, name: str) -> Field:
        target = self._fields.find(name)
        if target is None:
            raise MappingError(f"There is no field {name}.")
        if target.name in self._taken:
            raise MappingError(f"There are two things that say what {target.name} is.")
        self._take(target)
        return target

    def _take(self, target: Field) -> None:
        self._taken.add(target.name)
        if target.key is not None:
            name = target.name.removesuffix(f".{target.key}")
            self._objects[target.attribute] = (name, self._fields.keys(target))

    def _add_columns_by_name(self, columns: Sequence[str]) -> None:
        """Columns that are named like a field are that field, unless the mapping says otherwise."""
        mapped, told = set(self._columns), set(self._taken)
        unknown = []
        for column in columns:
            target = self._fields.find(column)
            if target is None:
                unknown += [column] if column else []
            elif target.name not in told and column not in mapped:
                if target.name in self._taken and column not in self._columns:
                    raise MappingError(f"Two columns are named like {target.name}.")
                self._take(target)
                self._columns[column] = [target]
        if unknown and not self._lenient:
            self._complain_of_unknown(columns, unknown)

    def _complain_of_unknown(self, columns: Sequence[str], unknown: Sequence[str]) -> None:
        if len(unknown) == len([column for column in columns if column]):
            raise MappingError(
                "No column is named like a field of the API. Is the first line the header, and is "
                "the delimiter right (--delimiter)? Otherwise say what the columns are: --map, --mapping."
            )
        names = ", ".join(name if len(name) <= 40 else "one with a long name" for name in unknown)
        raise MappingError(
            f"Columns that are no fields of the API: {names}. Say what they are with --map; columns "
            "that no field is mapped to are then left out."
        )

    def _check_columns(self, columns: Sequence[str], needed: Iterable[str]) -> None:
        used = set(self._columns)
        used.update(rule.column for rule in self._events if rule.column is not None)
        for _, template in self._templates:
            used.update(template.columns)
        counts = Counter(columns)
        missing = sorted(name for name in used if not counts[name])
        if missing:
            raise MappingError(
                f"The mapping names columns that are not there: {', '.join(missing)}."
            )
        twice = sorted(name for name in used if counts[name] > 1)
        if twice:
            raise MappingError(f"Columns that are there twice: {', '.join(twice)}.")
        for name in needed:
            if name not in self._taken:
                raise MappingError(
                    f"Nothing says what {name} is: no column is named so, and neither --map nor "
                    "--set mentions it."
                )

    def _fields_of(self, column: str) -> Sequence[Field]:
        targets = self._columns.get(column)
        if targets is not None:
            return targets
        if self._from_text:
            return ()
        target = self._fields.get(column)
        if target is None and not self._lenient:
            shown = column if column.isprintable() and len(column) <= 40 else "a field"
            raise UnreadableRowError(shown, "is not a field of the API")
        return () if target is None or target.name in self._taken else (target,)


class UnreadableRowError(Exception):
    """A row, or a value of it, that cannot be read. Reads `field: why`."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")


class _Template:
    """A text with {column} in it, as well as {row}, {rowId} and {file}; {{ and }} are braces."""

    def __init__(self, text: str) -> None:
        self.columns: set[str] = set()
        self._parts: list[Callable[[Mapping[str, Any], RowPlace], str]] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            self._add_literal(text[end : match.start()])
            end = match.end()
            self._add_placeholder(match)
        self._add_literal(text[end:])

    def render(self, values: Mapping[str, Any], place: RowPlace) -> str:
        """The text for one row; empty where none of its columns has a value."""
        if self.columns and not any(text_of(values.get(name)) for name in self.columns):
            return ""
        return "".join(part(values, place) for part in self._parts)

    def _add_literal(self, text: str) -> None:
        if text:
            self._parts.append(lambda values, place: text)

    def _add_placeholder(self, match: re.Match[str]) -> None:
        name = match[1]
        if match[0] in ("{{", "}}"):
            self._add_literal(match[0][0])
        elif name is None:
            raise MappingError(
                "A template has a brace without its other one; write {{ for a brace."
            )
        elif name == ROW:
            self._parts.append(lambda values, place: str(place.row))
        elif name == ROW_ID:
            self._parts.append(lambda values, place: place.row_id)
        elif name == FILE:
            self._parts.append(lambda values, place: place.file)
        else:
            self.columns.add(name)
            self._parts.append(lambda values, place: text_of(values.get(name)))


def _put(found: dict[str, Any], target: Field, value: Any, from_text: bool) -> None:
    try:
        read = (target.from_text if from_text else target.from_json)(value)
    except UnreadableValueError as error:
        name = target.name if error.inside is None else f"{target.name}.{error.inside}"
        raise UnreadableRowError(name, str(error)) from None
    if target.key is None:
        found[target.attribute] = read
    else:
        found[target.attribute] = {**found.get(target.attribute, {}), target.key: read}
