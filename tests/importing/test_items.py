"""Importing the catalogue."""

from typing import Any

import pytest

from app.core.auth import Scope
from app.importing.items import ItemImport, item_files
from app.importing.mapping import FileMapping, MappingError
from app.importing.tally import Tally
from tests.importing.importer import Importer

ITEMS = """{ items(sort: {by: TITLE, order: ASC}) { data {
  id title kind category status price currency endsAt attributes } } }"""


async def run(importer: Importer, *paths: Any, change: bool = False, **mapping: Any) -> Tally:
    files = item_files("demo", FileMapping.of(**mapping))
    job = ItemImport(importer.api.services.items, files, change=change)
    await job.run([str(path) for path in paths])
    return job.tally


async def catalogue(importer: Importer) -> list[dict[str, Any]]:
    data = await importer.api.ask(ITEMS, scope=Scope.READ)
    found: list[dict[str, Any]] = data["items"]["data"]
    return found


async def test_items_are_imported_from_csv_and_ndjson(importer: Importer) -> None:
    """Every kind of field arrives as the API would have stored it."""
    table = importer.write(
        "items.csv",
        [
            "id,title,kind,category,status,price,ends_at,attributes",
            'lot-1,A vase,auction,Ceramics,paused,120.50,2026-07-01,"{""age"": 90}"',
            "lot-2,B lamp,,,,,,",
        ],
    )
    lines = importer.write("items.ndjson", ['{"id": "lot-3", "title": "C map", "price": "7.10"}'])
    tally = await run(importer, table, lines)
    assert (tally.rows, tally.accepted) == (3, 3), tally.problems
    first, second, third = await catalogue(importer)
    assert first == {
        "id": "lot-1",
        "title": "A vase",
        "kind": "auction",
        "category": "Ceramics",
        "status": "PAUSED",
        "price": "120.50",
        "currency": "EUR",
        "endsAt": "2026-07-01T00:00:00.000Z",
        "attributes": {"age": 90},
    }
    assert (second["kind"], second["status"], second["price"]) == ("item", "ACTIVE", None)
    assert third["price"] == "7.10"


async def test_items_that_are_there_stay_or_change(importer: Importer) -> None:
    """Again nothing happens; with `change` the fields of the row are set and the others stay."""
    first = importer.write("a.csv", ["id,title,category", "lot-1,Vase,Ceramics"])
    await run(importer, first)
    assert (await run(importer, first)).duplicates == {"EXISTS": 1}
    second = importer.write("b.csv", ["id,title,category", "lot-1,Blue vase,"])
    assert (await run(importer, second)).duplicates == {"EXISTS": 1}
    assert [item["title"] for item in await catalogue(importer)] == ["Vase"]
    assert (await run(importer, second, change=True)).duplicates == {"CHANGED": 1}
    [item] = await catalogue(importer)
    assert (item["title"], item["category"]) == ("Blue vase", "Ceramics")


async def test_items_without_ids_are_made_once(importer: Importer) -> None:
    """Their ids come from the rows, as those of events do."""
    path = importer.write("a.csv", ["title", "Vase", "Vase", "Lamp"])
    assert (await run(importer, path)).accepted == 3
    assert (await run(importer, path)).duplicates == {"EXISTS": 3}


async def test_rows_that_cannot_be_items_are_listed(importer: Importer) -> None:
    """Unreadable values and values that the catalogue refuses, with line, field and reason."""
    rows = [
        '{"id": "lot-1"}',
        '{"title": "x", "price": "cheap"}',
        '{"title": "x", "colour": "red"}',
        '{"title": "x", "currency": "XXXX"}',
        '{"title": "fine"}',
    ]
    tally = await run(importer, importer.write("a.ndjson", rows))
    assert (tally.accepted, tally.rejected) == (1, {"INVALID": 4})
    problems = sorted((problem.line, problem.message.split(":")[0]) for problem in tally.problems)
    assert problems == [(1, "title"), (2, "price"), (3, "colour"), (4, "currency")]


async def test_items_need_a_title_column(importer: Importer) -> None:
    """Said before anything is written."""
    path = importer.write("a.csv", ["id,category", "lot-1,Ceramics"])
    with pytest.raises(MappingError, match="Nothing says what title is"):
        await run(importer, path)
