"""Imports events: rows become events, events go through the same `ingest` as the API's."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.core.auth import Principal, Scope
from app.core.clock import Clock
from app.core.context import RequestInfo
from app.importing.feed import feed
from app.importing.fields import Fields
from app.importing.files import Advance, FileSet, FoundRow
from app.importing.identity import complete_identity, event_id
from app.importing.mapping import FileMapping
from app.importing.reading import UnreadableRowError
from app.importing.tally import Tally
from app.modules.tracking.events import IncomingEvent, Reason
from app.modules.tracking.service import TrackingService
from app.modules.tracking.types import EventInput
from app.schemas.event import EventType

EVENT_FIELDS = Fields(EventInput)
# What an event that could not be read is taken for, as in a batch of the API.
STAND_IN = EventType.PAGE_VIEW


@dataclass(frozen=True, slots=True)
class _Numbered:
    """An event and where its row stands."""

    event: IncomingEvent
    file: str
    line: int


def event_files(site: str, mapping: FileMapping, source_name: str | None = None) -> FileSet:
    """Files of events."""
    needed = () if mapping.events else ("type",)
    return FileSet(site, EVENT_FIELDS, mapping, needed, source_name)


class EventImport:
    """Imports files into one site. Running it again with the same files counts nothing twice."""

    def __init__(self, tracking: TrackingService, clock: Clock, files: FileSet) -> None:
        self._tracking = tracking
        self._clock = clock
        self._files = files
        self._principal = Principal(files.site, Scope.ADMIN, "import")
        self.tally = Tally()

    async def run(
        self, paths: Sequence[str], advance: Advance = lambda name, position: None
    ) -> None:
        """Import the files; `self.tally` has the counts, also of an import that was interrupted.

        Raises MappingError before anything is written where a file does not go with the mapping,
        BrokenSourceError where one cannot be read (to its end), UnavailableError when the database
        stays away.
        """
        self._files.check(paths)
        await feed(self._events(self._files.rows(paths, advance)), self._send)

    async def _send(self, batch: Sequence[_Numbered]) -> None:
        events = [numbered.event for numbered in batch]
        outcomes = await self._tracking.ingest(events, self._principal, RequestInfo())
        now = self._clock.now()
        for numbered, outcome in zip(batch, outcomes, strict=True):
            self.tally.count(outcome, numbered.file, numbered.line)
            at = numbered.event.timestamp
            if outcome.reason is Reason.TIMESTAMP and at is not None and at < now:
                self.tally.too_old += 1

    def _events(self, rows: Iterable[FoundRow]) -> Iterator[_Numbered]:
        for found in rows:
            self.tally.rows += 1
            events = self._read(found)
            if not events:
                self.tally.rows_without_events += 1
            for event in events:
                yield _Numbered(event, found.file, found.row.line)

    def _read(self, found: FoundRow) -> list[IncomingEvent]:
        """The events that a row stands for; one that is marked where the row cannot be read."""
        identity = found.place.row_id
        try:
            values = found.reader.read(found.row, found.place)
            types = found.reader.event_types(found.row, values)
        except UnreadableRowError as error:
            unreadable = event_id(identity, "unreadable")
            return [IncomingEvent(STAND_IN, id=unreadable, unreadable=str(error))]
        own_id = values.pop("id", None)
        events = [
            IncomingEvent(kind, id=self._id(own_id, kind, identity), **values) for kind in types
        ]
        now = self._clock.now()
        for event in events:
            complete_identity(event, self._files.site, identity, now)
        return events

    def _id(self, own: str | None, kind: EventType, row: str) -> str:
        """The row's own id, told apart by type where the mapping makes several events of a row."""
        if not own:
            return event_id(row, kind.value)
        return own if len(self._files.mapping.events) <= 1 else f"{own}:{kind.value}"
