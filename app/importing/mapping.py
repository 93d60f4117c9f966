"""Which column is which field, as the user says it: in options or a TOML file."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from app.core.errors import FootfallError
from app.importing.fields import loosely
from app.importing.rows import Format
from app.schemas.event import EventType

_EVENT = re.compile(r"(?P<type>\w+)(?:\s+if\s+(?P<column>.+?)\s*(?P<no>!)?=\s*(?P<value>.*))?")
_TOML_KEYS = {"map", "set", "events", "format", "delimiter"}


class MappingError(FootfallError):
    """The mapping cannot be used, or does not go with the file. The message says what to change."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """A row stands for an event of this type, always or where a column has (or has not) this value."""

    type: EventType
    column: str | None = None
    value: str = ""
    negated: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """`CLICK`, `CLICK if click=1`, `CLICK if click!=0`."""
        match = _EVENT.fullmatch(text.strip())
        if match is None or match["type"].upper() not in EventType.__members__:
            raise MappingError(
                f"An event is TYPE or 'TYPE if COLUMN=VALUE', with one of {', '.join(EventType)}."
            )
        kind = EventType[match["type"].upper()]
        return cls(kind, match["column"], (match["value"] or "").strip(), bool(match["no"]))

    def holds(self, values: Mapping[str, Any]) -> bool:
        if self.column is None:
            return True
        return (text_of(values.get(self.column)).strip() == self.value) is not self.negated


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What the user says of a file. Without anything, columns are fields by their names."""

    # Field name -> column, or template with {column} in it.
    columns: Mapping[str, str] = field(default_factory=dict)
    # Field name -> the same value for every row.
    constants: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[EventRule] = ()
    format: Format | None = None
    delimiter: str = ","

    @property
    def says_something(self) -> bool:
        return bool(self.columns or self.constants or self.events)

    @classmethod
    def of(
        cls,
        columns: Iterable[str] = (),
        constants: Iterable[str] = (),
        events: Iterable[str] = (),
        table_format: Format | None = None,
        delimiter: str | None = None,
        file: Path | None = None,
    ) -> Self:
        """From options (`FIELD=COLUMN`, `FIELD=VALUE`, `TYPE if ...`); they win over the file's.

        Raises MappingError for what cannot be understood.
        """
        read = _read_toml(file) if file else {}
        chosen = delimiter or read.get("delimiter", ",")
        if chosen == "\\t":
            chosen = "\t"
        if not isinstance(chosen, str) or len(chosen) != 1 or chosen in '"\r\n':
            raise MappingError("The delimiter must be one character.")
        try:
            told_format = table_format or (Format(read["format"]) if "format" in read else None)
        except ValueError:
            raise MappingError("The format must be ndjson or csv.") from None
        rules = [EventRule.parse(text) for text in list(events) or read.get("events", [])]
        if len({rule.type for rule in rules}) != len(rules):
            raise MappingError("A row can stand for one event of each type, not for two.")
        mapped = _pairs(columns, "--map FIELD=COLUMN")
        same = _pairs(constants, "--set FIELD=VALUE")
        told = {loosely(name) for name in (*mapped, *same)}
        return cls(
            {**_without(read.get("map", {}), told), **mapped},
            {**_without(read.get("set", {}), told), **same},
            rules,
            told_format,
            chosen,
        )


def text_of(value: Any) -> str:
    """A value as text: JSON's own spelling of true and false, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _pairs(options: Iterable[str], form: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise MappingError(f"Write {form}.")
        if name.strip() in pairs:
            raise MappingError(f"There are two things that say what {name.strip()} is.")
        pairs[name.strip()] = value.strip()
    return pairs


def _without(table: Mapping[str, str], told: set[str]) -> dict[str, str]:
    """A table of the file without the fields that options told."""
    return {name: value for name, value in table.items() if loosely(name) not in told}


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise MappingError(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{file}: {error}") from None
    unknown = sorted(set(read) - _TOML_KEYS)
    if unknown:
        known = ", ".join(sorted(_TOML_KEYS))
        raise MappingError(f"{file}: {', '.join(unknown)} is none of {known}.")
    for name in ("map", "set"):
        if not isinstance(read.get(name, {}), dict):
            raise MappingError(f"{file}: [{name}] must be a table.")
    texts = [*read.get("map", {}).values(), *read.get("events", [])]
    if not isinstance(read.get("events", []), list) or not all(isinstance(t, str) for t in texts):
        raise MappingError(f"{file}: [map] and events must be texts.")
    return read
