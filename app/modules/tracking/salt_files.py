"""The salts of the days as files: what never enters the database is in none of its logs and backups."""

import asyncio
import contextlib
import os
import tempfile
from datetime import datetime
from pathlib import Path

from app.core.errors import FootfallError


class NoSaltFolderError(FootfallError):
    """The folder of the salts cannot be used."""


class SaltFiles:
    """One file a day in a folder that all processes share. A file's time is when its salt expires."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where there is none. Raises NoSaltFolderError."""
        self._folder = folder
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise NoSaltFolderError(
                "The folder of the salts (FOOTFALL_SALT_DIR) cannot be made, or not be written to."
            )

    async def of_day(self, day: str, proposal: bytes, expires_at: datetime) -> bytes:
        """The day's salt; the proposal becomes it if there was none. All processes get the same."""
        return await asyncio.to_thread(self._of_day, day, proposal, expires_at)

    def sweep(self, now: datetime) -> None:
        """Delete the salts that have expired, and what a crash has left beside them."""
        for file in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process was first
                if file.stat().st_mtime <= now.timestamp():
                    file.unlink()

    def _of_day(self, day: str, proposal: bytes, expires_at: datetime) -> bytes:
        file = self._folder / day
        while not file.exists():
            descriptor, written = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(descriptor, "wb") as output:
                output.write(proposal)
            # A link is made whole or not at all, and replaces nothing. Where it fails another process
            # was first, or has swept what it took for old.
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.utime(written, times=(expires_at.timestamp(), expires_at.timestamp()))
                os.link(written, file)
            Path(written).unlink(missing_ok=True)
        return file.read_bytes()
