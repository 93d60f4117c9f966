"""Exported events: all that were counted, of one site alone, fit to be imported again."""

import csv
import dataclasses
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core.event_types import EventType
from app.core.names import camel_case
from app.core.site_rules import TrackingLevel
from app.exporting import events as exporting
from app.exporting.events import EventExport, EventSelection
from app.exporting.formats import Format
from app.modules.tracking.types import EventInput
from app.repositories.exported_events import ExportedEvents
from tests.conftest import OTHER_SITE_KEYS
from tests.importing.importer import Importer

EVERYTHING = {
    "type": "CUSTOM", "name": "odd", "id": "all", "timestamp": "2026-06-10T10:00:00.123Z",
    "itemId": "=1+1", "sessionId": "s", "visitorId": "v", "userId": "u", "source": "search",
    "position": 3, "pageUrl": "https://shop.example/a", "pageTitle": "-A, \"B\"\nC",
    "referrer": "example.com", "language": "de-CH", "timezone": "Europe/Zurich",
    "screenResolution": "1920x1080", "viewportSize": "1280x720", "campaignId": "c",
    "utmSource": "news", "utmMedium": "mail", "utmCampaign": "june", "utmContent": "top",
    "utmTerm": "vase", "engagementDuration": 5, "scrollDepth": 50,
    "clickPosition": {"x": -1.5, "y": 2.0}, "viewportPosition": {"top": 0.0, "left": 1.0},
    "conversionType": "bid", "conversionValue": "0.10", "conversionCurrency": "CHF",
    "orderId": "o", "experimentId": "e", "variant": "b", "consentGiven": True,
    "dataProcessingConsent": False, "consentVersion": "2", "consentPurposes": ["analytics"],
    "properties": {"a": [1, {"b": None}], "c": 2**63 - 1, "d": "日本"},
}  # fmt: skip
# What is read and not kept: nothing of it can be exported.
NOT_KEPT = {"userAgent", "honeypot", "itemToken"}


async def export(
    path: Path,
    chosen: EventSelection,
    file_format: Format = Format.NDJSON,
    **how: bool,
) -> list[Any]:
    """The records of an exported file."""
    events = EventExport(ExportedEvents(), chosen, **{"derived": False, **how})
    written = await events.write(path, file_format)
    records = read(path, file_format)
    assert len(records) == written == await events.count()
    return records


def read(path: Path, file_format: Format) -> list[Any]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    if file_format is Format.CSV:
        return list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    return [orjson.loads(line) for line in text.splitlines()]


async def keep_all(api: Any) -> None:
    await api.ask("mutation { updateSite(input: {trackingLevel: DETAILED}) { id } }")


async def make_copy(api: Any) -> None:
    """An empty site that keeps all of an event."""
    await api.services.sites.ensure_site("copy")
    await api.database["sites"].update_one(
        {"_id": "copy"}, {"$set": {"tracking_level": TrackingLevel.DETAILED.value}}
    )


async def fill(api: Any) -> None:
    """Events of every type within three hours, one with all fields, a withdrawn one, another site's."""
    item = {"IMPRESSION", "VIEW", "CLICK", "ENGAGEMENT", "BOUNCE"}
    await keep_all(api)
    kinds = [kind.value for kind in EventType if kind is not EventType.CUSTOM]
    await api.track(
        EVERYTHING,
        *(
            {
                "type": kinds[place % len(kinds)],
                "id": f"{place}",
                "timestamp": f"2026-06-10T{11 + place // 30:02}:{place % 30:02}:00Z",
                "sessionId": f"s{place % 5}",
                **({"itemId": "lot-1"} if kinds[place % len(kinds)] in item else {}),
            }
            for place in range(60)
        ),
    )
    await api.track({"type": "PAGE_VIEW", "id": "theirs"}, keys=OTHER_SITE_KEYS)
    await api.track({"type": "PAGE_VIEW", "id": "withdrawn", "sessionId": "bot"})
    await api.ask('mutation { voidEvents(filter: {sessionId: "bot"}, reason: "a bot") { voided } }')


async def counts(api: Any, site: str) -> dict[str, Any]:
    """What reports count of a site."""
    [found] = await api.database["events"].aggregate(
        [
            {"$match": {"site": site, "void": {"$exists": False}}},
            {
                "$group": {
                    "_id": None,
                    "events": {"$sum": 1},
                    "value": {"$sum": "$value"},
                    "visitors": {"$addToSet": "$visitor"},
                    "sessions": {"$addToSet": "$session"},
                    "times": {"$addToSet": "$at"},
                }
            },
            {"$set": {name: {"$sortArray": {"input": f"${name}", "sortBy": 1}} for name in ("visitors", "sessions", "times")}},
        ]
    ).to_list(None)  # fmt: skip
    return dict(found)


async def test_exported_events_can_be_imported(api: Any, tmp_path: Path) -> None:
    """Into another site: the same events with the same fields; into their own: nothing counts twice."""
    await fill(api)
    path = tmp_path / "events.ndjson.gz"
    records = await export(path, EventSelection("demo"))
    assert len(records) == 61
    assert records[0] == EVERYTHING
    importer = Importer(api, tmp_path)
    tally = await importer.run(path)
    assert (tally.accepted, tally.duplicates) == (0, {"REPLAYED": 61})
    await make_copy(api)
    tally = await importer.run(path, site="copy")
    assert (tally.accepted, tally.clean) == (61, True)
    assert await counts(api, "copy") == await counts(api, "demo")
    again = await export(tmp_path / "again.ndjson", EventSelection("copy"))
    assert sorted(again, key=str) == sorted(records, key=str)


def test_every_field_of_the_api_is_exported() -> None:
    """One that is new has to be exported as well, or to be named here."""
    sent = {camel_case(field.name) for field in dataclasses.fields(EventInput)}
    assert sent - NOT_KEPT == set(exporting.columns(derived=False))
    assert set(EVERYTHING) == set(exporting.columns(derived=False))


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ({"start": datetime(2026, 6, 10, 12, 29, tzinfo=UTC)}, ["59"]),
        ({"end": datetime(2026, 6, 10, 11, 1, tzinfo=UTC)}, ["all", "0"]),
        ({"types": (EventType.CUSTOM,)}, ["all"]),
        (
            {"types": (EventType.VIEW, EventType.CUSTOM), "end": datetime(2026, 6, 10, 11, 5, tzinfo=UTC)},
            ["all", "1"],
        ),
        ({"start": datetime(2027, 1, 1, tzinfo=UTC)}, []),
    ],
    ids=str,
)  # fmt: skip
async def test_only_what_is_chosen_is_exported(
    api: Any, tmp_path: Path, chosen: dict[str, Any], ids: list[str]
) -> None:
    """From start to end, end left out, of the types that are named, by time."""
    await fill(api)
    records = await export(tmp_path / "a.ndjson", EventSelection("demo", **chosen))
    assert [record["id"] for record in records] == ids


async def test_a_spreadsheet_runs_nothing(api: Any, tmp_path: Path) -> None:
    """Texts that begin a formula have an apostrophe; what is below zero in JSON is left alone."""
    await fill(api)
    path = tmp_path / "events.csv"
    rows = await export(path, EventSelection("demo"), Format.CSV, derived=True)
    assert rows[0]["itemId"] == "'=1+1"
    assert rows[0]["pageTitle"] == '\'-A, "B"\nC'
    assert rows[0]["clickPosition"] == '{"x":-1.5,"y":2.0}'
    assert rows[0]["conversionValue"] == "0.10"
    assert rows[0]["receivedAt"] == "2026-06-15T12:00:00.000Z"
    assert {row["id"] for row in rows}.isdisjoint({"theirs", "withdrawn"})


async def test_a_csv_can_be_imported_too(api: Any, tmp_path: Path) -> None:
    """Where no text begins a formula: every event and every field."""
    await keep_all(api)
    await api.track({**EVERYTHING, "itemId": "lot-1", "pageTitle": "A"})
    path = tmp_path / "events.csv"
    await export(path, EventSelection("demo"), Format.CSV)
    await make_copy(api)
    tally = await Importer(api, tmp_path).run(path, site="copy")
    assert tally.accepted == 1, tally.problems
    [record] = await export(tmp_path / "copy.ndjson", EventSelection("copy"))
    assert record == {**EVERYTHING, "itemId": "lot-1", "pageTitle": "A"}


async def test_many_events_come_in_portions(
    api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more are held than one portion has, and none is lost between two."""
    monkeypatch.setattr(exporting, "AT_ONCE", 7)
    await fill(api)
    written: list[int] = []
    export_of_all = EventExport(ExportedEvents(), EventSelection("demo"), derived=False)
    await export_of_all.write(tmp_path / "a.ndjson", Format.NDJSON, written.append)
    assert written == [7, 14, 21, 28, 35, 42, 49, 56, 61]
