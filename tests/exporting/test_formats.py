"""The lines of exported files, and files that are there whole or not at all."""

import csv
import gzip
import io
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exporting.formats import Format, cell, format_of, header, lines
from app.exporting.output import output_file
from tests.examples import examples


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("events.ndjson", Format.NDJSON),
        ("events.jsonl.gz", Format.NDJSON),
        ("EVENTS.CSV", Format.CSV),
        ("a.csv.GZ", Format.CSV),
        ("events.gz", None),
        ("events", None),
        ("csv", None),
        ("events.xlsx", None),
    ],
)
def test_a_files_name_says_its_format(name: str, found: Format | None) -> None:
    """The ending before .gz, in any case."""
    assert format_of(name) == found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('=HYPERLINK("http://evil.example")', '\'=HYPERLINK("http://evil.example")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        (" =1", " =1"),
        ("a=1", "a=1"),
        (-1, "-1"),
        (-1.5, "-1.5"),
        (Decimal("-0.000001"), "-0.000001"),
        (Decimal("1E+3"), "1000"),
        (None, ""),
        (True, "true"),
        (["=1"], '["=1"]'),
        ({"=1": -1}, '{"=1":-1}'),
    ],
)
def test_no_cell_is_a_formula(value: Any, expected: str) -> None:
    """A text that a spreadsheet would run has an apostrophe before it; numbers stay numbers."""
    assert cell(value) == expected


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"),
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\r")),
        ),
        max_size=5,
    )
)
@settings(max_examples=examples(40), deadline=None)
def test_what_is_written_is_read_again(records: list[dict[str, str]]) -> None:
    """Commas, quotes, line ends and all else: as many rows, each cell what it was."""
    names = ["a", "b", "c"]
    text = header(Format.CSV, names) + lines(Format.CSV, names, records)
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    assert [{name: row[name].removeprefix("'") for name in names if row[name]} for row in rows] == [
        {name: value.removeprefix("'") for name, value in record.items() if value}
        for record in records
    ]
    written = lines(Format.NDJSON, names, records).split(b"\n")
    assert [orjson.loads(line) for line in written if line] == records


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """Until then there is a .part beside it; the same content makes the same bytes, packed too."""
    path = tmp_path / "events.csv.gz"
    with output_file(path) as file:
        file.write(b"a,b\r\n")
        assert [each.name for each in tmp_path.iterdir()] == ["events.csv.gz.part"]
    assert [each.name for each in tmp_path.iterdir()] == ["events.csv.gz"]
    assert gzip.decompress(path.read_bytes()) == b"a,b\r\n"
    before = path.read_bytes()
    with output_file(path) as file:
        file.write(b"a,b\r\n")
    assert path.read_bytes() == before


def test_after_an_error_everything_is_as_before(tmp_path: Path) -> None:
    """Also Ctrl-C leaves the file that was there, and no .part."""
    path = tmp_path / "events.csv"
    path.write_bytes(b"before")
    with suppress(KeyboardInterrupt), output_file(path) as file:
        file.write(b"half of it")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
