"""What the tests of importing share: files made on the spot, imported into a real mongod."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.importing.events import EventImport, event_files
from app.importing.mapping import FileMapping
from app.importing.tally import Tally

HEADER = "type,itemId,sessionId,timestamp"
TIMES = [f"2026-06-10T10:{minute:02}:00Z" for minute in range(60)]


@dataclass
class Importer:
    """Writes files and imports them."""

    api: Any
    folder: Path

    def write(
        self, name: str, content: str | bytes | Iterable[str], *, packed: bool = False
    ) -> Path:
        """A file with this content, or these lines."""
        if not isinstance(content, str | bytes):
            content = "".join(f"{line}\n" for line in content)
        data = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data) if packed else data)
        return path

    async def run(
        self, *paths: Path, site: str = "demo", source: str | None = None, **mapping: Any
    ) -> Tally:
        """Import files into a site; the mapping's arguments are those of `FileMapping.of`."""
        services = self.api.services
        files = event_files(site, FileMapping.of(**mapping), source)
        job = EventImport(services.tracking, services.clock, files)
        await job.run([str(path) for path in paths])
        return job.tally

    async def stored(self, site: str = "demo", **condition: Any) -> list[dict[str, Any]]:
        """The stored events of a site, in the order of their times."""
        found = self.api.database["events"].find({"site": site, **condition})
        return sorted(await found.to_list(None), key=lambda event: event["at"])

    async def count(self, site: str = "demo") -> int:
        return await self.api.database["events"].count_documents({"site": site})
