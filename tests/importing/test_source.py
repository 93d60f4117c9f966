"""Opening files: by what is in them, without ever holding them whole."""

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from app.importing.source import MAX_LINE_BYTES, STDIN, BrokenSourceError, Source


def test_lines_come_without_their_ends(tmp_path: Path) -> None:
    """LF and CRLF, a last line without an end, and blank lines, which keep the count right."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"one\r\n\ntwo\nthree")
    with Source(str(path)) as source:
        assert list(source.lines()) == [b"one", b"", b"two", b"three"]
        assert source.position == path.stat().st_size


def test_files_packed_in_pieces_are_read_to_the_end(tmp_path: Path) -> None:
    """Several gzip files one after the other are one, as gunzip has it."""
    path = tmp_path / "a.log"
    path.write_bytes(gzip.compress(b"one\ntw") + gzip.compress(b"o\nthree\n"))
    with Source(str(path)) as source:
        assert list(source.lines()) == [b"one", b"two", b"three"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, pack: Any) -> None:
    """Plain or gzipped, and it stays open for whoever owns it."""
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(b"one\ntwo\n"))))
    monkeypatch.setattr(sys, "stdin", stdin)
    with Source(STDIN) as source:
        assert (source.name, source.stem) == ("standard input", "stdin")
        assert list(source.lines()) == [b"one", b"two"]
    assert not stdin.buffer.closed


def test_damaged_files_give_what_is_before_the_damage(tmp_path: Path) -> None:
    """Then they raise, and say what is wrong without the data."""
    packed = gzip.compress(b"".join(b"%d\n" % number for number in range(100_000)))
    path = tmp_path / "a.gz"
    path.write_bytes(packed[: len(packed) // 2] + b"\0" * 50)
    seen: list[bytes | None] = []

    def read(source: Source) -> None:
        for line in source.lines():
            seen.append(line)  # noqa: PERF402  # what came before an error is wanted

    with Source(str(path)) as source, pytest.raises(BrokenSourceError, match="damaged"):
        read(source)
    assert len(seen) > 10_000


def test_a_line_without_end_is_skipped_in_pieces(tmp_path: Path) -> None:
    """One line far beyond the limit is one None, and the next line is whole."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * (3 * MAX_LINE_BYTES + 5) + b"\nnext\n" + b"y" * (MAX_LINE_BYTES + 5))
    with Source(str(path)) as source:
        assert list(source.lines()) == [None, b"next", None]
