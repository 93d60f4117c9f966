"""A file that is there whole or not at all."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

# A good deal smaller than none; more takes much longer and gains little.
COMPRESSION = 6


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """`with output_file(path) as file:` write; a name that ends in .gz is compressed.

    What is written goes to PATH.part, which becomes PATH when all of it is on the disk. After an error
    it is gone, and a file that was there before is as it was.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as plain:
            if path.suffix.lower() == ".gz":
                # Without a name and a time in it: the same events make the same file.
                with gzip.GzipFile("", "wb", COMPRESSION, plain, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield plain
            plain.flush()
            os.fsync(plain.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
