"""A file to import: plain or gzipped, line by line, never more than one line of it in memory."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from app.core.errors import FootfallError

MAX_LINE_BYTES = 1024 * 1024
STDIN = "-"

_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class BrokenSourceError(FootfallError):
    """The file cannot be read, or not to its end. The message says why."""


class _CountedReader(io.RawIOBase):
    """Reads on after bytes that were looked at already, and counts how far it came."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int] | bytearray") -> int:  # type: ignore[override]
        part = self._head or self._rest.read1(len(buffer))  # type: ignore[attr-defined]
        self._head = part[len(buffer) :]
        part = part[: len(buffer)]
        buffer[: len(part)] = part
        self.position += len(part)
        return len(part)


class Source:
    """One file or the standard input, opened; a context manager that closes it."""

    def __init__(self, path: str) -> None:
        """Open it. Raises BrokenSourceError where it cannot be opened."""
        self.name = "standard input" if path == STDIN else path
        # The name without folder and extensions: `{file}` in a template.
        self.stem = "stdin" if path == STDIN else Path(path).name.split(".")[0]
        self._file: BinaryIO
        try:
            self._file = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115
            head = self._file.read(len(_GZIP_MAGIC))
        except OSError as error:
            raise BrokenSourceError(f"{self.name}: {error.strerror}") from None
        self._counted = _CountedReader(head, self._file)
        self._stream: BinaryIO = io.BufferedReader(self._counted, 256 * 1024)
        if head == _GZIP_MAGIC:
            # Not buffered again: what comes before damaged data would be lost in the buffer.
            self._stream = gzip.GzipFile(fileobj=self._stream)  # type: ignore[assignment]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        if self._file is not sys.stdin.buffer:
            self._file.close()

    @property
    def position(self) -> int:
        """Bytes of the file read so far, as it lies on the disk."""
        return self._counted.position

    def lines(self) -> Iterator[bytes | None]:
        """The lines without their ends and without a byte order mark; None for one that is too long.

        Raises BrokenSourceError where the file cannot be read on.
        """
        line = self._read_line()
        if line.startswith(_UTF16_MARKS):
            raise BrokenSourceError(f"{self.name}: is UTF-16; save it as UTF-8.")
        line = line.removeprefix(_UTF8_MARK)
        while line:
            if len(line) > MAX_LINE_BYTES:
                yield None
                while line and not line.endswith(b"\n"):
                    line = self._read_line()
            else:
                yield line.rstrip(b"\r\n")
            line = self._read_line()

    def _read_line(self) -> bytes:
        try:
            return self._stream.readline(MAX_LINE_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise BrokenSourceError(f"{self.name}: its compressed data is damaged.") from None
        except OSError as error:
            raise BrokenSourceError(f"{self.name}: {error.strerror}") from None
