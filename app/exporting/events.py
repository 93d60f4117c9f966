"""Writes counted events to a file, as the fields of the API that would bring them about again."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.event_types import EventType
from app.core.json_values import plain
from app.core.scalars import format_decimal
from app.exporting.formats import Format, header, lines
from app.exporting.output import output_file
from app.repositories.exported_events import ExportedEvents

AT_ONCE = 1_000

# The API's fields, in the order of a file's columns, by what a document calls them.
FIELDS = {
    "type": "type",
    "name": "name",
    "timestamp": "at",
    "itemId": "item",
    "sessionId": "session",
    "visitorId": "visitor",
    "userId": "user",
    "source": "source",
    "position": "position",
    "pageUrl": "page",
    "pageTitle": "page_title",
    "referrer": "referrer",
    "language": "language",
    "timezone": "timezone",
    "screenResolution": "screen",
    "viewportSize": "viewport",
    "campaignId": "campaign",
    "utmSource": "utm_source",
    "utmMedium": "utm_medium",
    "utmCampaign": "utm_campaign",
    "utmContent": "utm_content",
    "utmTerm": "utm_term",
    "engagementDuration": "engagement",
    "scrollDepth": "scroll_depth",
    "clickPosition": "click_position",
    "viewportPosition": "viewport_position",
    "conversionType": "conversion_type",
    "conversionValue": "value",
    "conversionCurrency": "currency",
    "orderId": "order",
    "experimentId": "experiment",
    "variant": "variant",
    "consentGiven": "consent",
    "dataProcessingConsent": "processing_consent",
    "consentVersion": "consent_version",
    "consentPurposes": "consent_purposes",
    "properties": "properties",
}
# What the server has found out or decided itself. No import takes it.
DERIVED = {
    "device": "device",
    "browser": "browser",
    "os": "os",
    "country": "country",
    "region": "region",
    "city": "city",
    "receivedAt": "received_at",
    "batchId": "batch",
    "weight": "weight",
}


@dataclass(frozen=True, slots=True)
class EventSelection:
    """Events of a site from start to end, end left out, of these types; of none: of all."""

    site: str
    start: datetime | None = None
    end: datetime | None = None
    types: tuple[EventType, ...] = ()


class EventExport:
    """Writes a selection of events. `derived`: with what no import takes."""

    def __init__(self, events: ExportedEvents, chosen: EventSelection, *, derived: bool) -> None:
        self._events = events
        self._site = chosen.site
        types = [event_type.value for event_type in chosen.types]
        self._which = (chosen.site, chosen.start, chosen.end, types)
        self._derived = derived

    async def count(self) -> int:
        """How many there are now."""
        return await self._events.count(*self._which)

    async def write(
        self, path: Path, file_format: Format, advance: Callable[[int], None] = lambda written: None
    ) -> int:
        """Write the file, whole or not at all; how many events it has. Raises OSError.

        A thousand events are held at a time. `advance` is told how many are written.
        """
        names, record = columns(derived=self._derived), record_maker(self._site, self._derived)
        written = 0
        with output_file(path) as output:
            output.write(header(file_format, names))
            async for portion in _portions(self._events.in_order(*self._which)):
                output.write(lines(file_format, names, map(record, portion)))
                written += len(portion)
                advance(written)
        return written


def columns(*, derived: bool) -> list[str]:
    """The fields of an exported event, in their order."""
    return ["id", *FIELDS, *(DERIVED if derived else ())]


def record_maker(site: str, derived: bool) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What makes a stored event of this site a JSON object; fields that it does not have are left out."""
    names = FIELDS | (DERIVED if derived else {})
    prefix = f"{site}:"

    def record(document: Mapping[str, Any]) -> dict[str, Any]:
        fields = {
            name: plain(document[stored]) for name, stored in names.items() if stored in document
        }
        if "value" in document:
            fields["conversionValue"] = format_decimal(document["value"].to_decimal())
        return {"id": document["_id"].removeprefix(prefix), **fields}

    return record


async def _portions(
    documents: AsyncIterator[dict[str, Any]],
) -> AsyncIterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    async for document in documents:
        portion.append(document)
        if len(portion) == AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion
