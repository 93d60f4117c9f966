"""Imports events: rows become events, events go through the same `ingest` as the API's."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.core.auth import Principal, Scope
from app.core.clock import Clock
from app.core.context import RequestInfo
from app.importing.feed import feed
from app.importing.fields import Fields
from app.importing.identity import complete_identity, digest, event_id, row_id
from app.importing.mapping import FileMapping, MappingError, RowPlace, RowReader, UnreadableRowError
from app.importing.rows import Row, Table
from app.importing.source import STDIN, Source
from app.importing.tally import Tally
from app.modules.tracking.events import IncomingEvent, Reason
from app.modules.tracking.service import TrackingService
from app.modules.tracking.types import EventInput
from app.schemas.event import EventType

EVENT_FIELDS = Fields(EventInput)
# What an event that could not be read is taken for, as in a batch of the API.
STAND_IN = EventType.PAGE_VIEW

Advance = Callable[[str, int], None]


@dataclass(slots=True)
class _Numbered:
    """An event and where its row stands."""

    event: IncomingEvent
    file: str
    line: int


class EventImport:
    """Imports files into one site. Running it again with the same files counts nothing twice."""

    def __init__(
        self,
        tracking: TrackingService,
        clock: Clock,
        site: str,
        mapping: FileMapping,
        *,
        source_name: str | None = None,
    ) -> None:
        """`source_name` is what the files are known by instead of how they begin."""
        self._tracking = tracking
        self._clock = clock
        self._site = site
        self._mapping = mapping
        self._source_name = source_name
        self._principal = Principal(site, Scope.WRITE, "import")
        self.tally = Tally()

    async def run(
        self, paths: Sequence[str], advance: Advance = lambda name, position: None
    ) -> None:
        """Import the files; `self.tally` has the counts, also of an import that was interrupted.

        `advance` is told each file's name and how many of its bytes were read. Raises MappingError
        before anything is written where a file does not go with the mapping, BrokenSourceError
        where one cannot be read (to its end), UnavailableError when the database stays away.
        """
        check(paths, self._mapping)
        await feed(self._events(paths, advance), self._send)

    async def _send(self, batch: Sequence[_Numbered]) -> None:
        outcomes = await self._tracking.ingest(
            [numbered.event for numbered in batch],
            self._principal,
            RequestInfo(),
        )
        now = self._clock.now()
        for numbered, outcome in zip(batch, outcomes, strict=True):
            self.tally.count(outcome, numbered.file, numbered.line)
            at = numbered.event.timestamp
            if outcome.reason is Reason.TIMESTAMP and at is not None and at < now:
                self.tally.too_old += 1

    def _events(self, paths: Iterable[str], advance: Advance) -> Iterator[_Numbered]:
        for path in paths:
            with Source(path) as source:
                table = Table(source, self._mapping.format, self._mapping.delimiter)
                reader = _reader(table, self._mapping, source.name)
                for row in table.rows():
                    self.tally.rows += 1
                    yield from self._events_of(row, reader, table, source)
                    if self.tally.rows % 256 == 0:
                        advance(source.name, source.position)
                advance(source.name, source.position)

    def _events_of(
        self, row: Row, reader: RowReader, table: Table, source: Source
    ) -> Iterator[_Numbered]:
        file = digest("name", self._source_name) if self._source_name else table.opening
        identity = row_id(self._site, file, row.line, row.content)
        events = self._read(row, reader, RowPlace(row.line, identity, source.stem))
        if not events:
            self.tally.rows_without_events += 1
        for event in events:
            if event.unreadable is None:
                complete_identity(event, self._site, identity, self._clock.now())
            yield _Numbered(event, source.name, row.line)

    def _read(self, row: Row, reader: RowReader, place: RowPlace) -> list[IncomingEvent]:
        try:
            values = reader.read(row, place)
            types = reader.event_types(row, values)
        except UnreadableRowError as error:
            unreadable = event_id(place.row_id, "unreadable")
            return [IncomingEvent(STAND_IN, id=unreadable, unreadable=str(error))]
        own_id = values.pop("id", None)
        return [IncomingEvent(kind, id=self._id(own_id, kind, place), **values) for kind in types]

    def _id(self, own: str | None, kind: EventType, place: RowPlace) -> str:
        """The row's own id, told apart by type where the mapping makes several events of a row."""
        if not own:
            return event_id(place.row_id, kind.value)
        return own if len(self._mapping.events) <= 1 else f"{own}:{kind.value}"


def check(paths: Iterable[str], mapping: FileMapping) -> None:
    """Whether the files are there and go with the mapping, before anything is written.

    Raises MappingError and BrokenSourceError. Standard input can be read only once and is not checked.
    """
    for path in paths:
        if path != STDIN:
            with Source(path) as source:
                _reader(Table(source, mapping.format, mapping.delimiter), mapping, source.name)


def _reader(table: Table, mapping: FileMapping, name: str) -> RowReader:
    needed = [] if mapping.events else ["type"]
    try:
        return RowReader(EVENT_FIELDS, mapping, table, needed)
    except MappingError as error:
        raise MappingError(f"{name}: {error}") from None
