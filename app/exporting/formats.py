"""Lines of the files that are exported."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import PurePath
from typing import Any

import orjson

from app.core.scalars import format_decimal

# Spreadsheets take a cell that begins so for a formula, or for one behind it.
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Format(StrEnum):
    """How a file is written."""

    NDJSON = "ndjson"
    CSV = "csv"


def format_of(name: str) -> Format | None:
    """The format that a file's name says, whether it is to be compressed or not."""
    ending = PurePath(name.lower().removesuffix(".gz")).suffix
    return {".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON, ".csv": Format.CSV}.get(ending)


def lines(
    file_format: Format, columns: Sequence[str], records: Iterable[Mapping[str, Any]]
) -> bytes:
    """The lines of these records; a CSV's header is `header`."""
    if file_format is Format.NDJSON:
        return b"".join(orjson.dumps(record, default=format_decimal) + b"\n" for record in records)
    return _rows([cell(record.get(column)) for column in columns] for record in records)


def header(file_format: Format, columns: Sequence[str]) -> bytes:
    """What a file begins with."""
    return _rows([columns]) if file_format is Format.CSV else b""


def cell(value: Any) -> str:
    """A value as a cell. A text that a spreadsheet would run has an apostrophe before it.

    Numbers are no texts: one below zero stays what it is.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format_decimal(value)
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _rows(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
