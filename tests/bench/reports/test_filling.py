"""Filling a database: all events, once; and what a later run takes over of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.bench.reports import filling
from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import make_columns
from tests.bench.reports.documents import documents
from tests.bench.reports.filling import Store, catalogue, empty, forget_rollups, stored_events

EVENTS = 12_000  # batches for both processes


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    """The bench's own, empty before and after."""
    empty(mongo_url)
    with MongoClient[dict[str, Any]](mongo_url, tz_aware=True) as client:
        yield client[filling.DATABASE]
    empty(mongo_url)


def test_two_processes_store_every_event_once(
    mongo_url: str, database: Database[dict[str, Any]], tmp_path: Path
) -> None:
    """What is stored are the documents of the columns; a later run finds it, unless it was made by
    other code or not to the end."""
    store = Store(tmp_path, EVENTS)
    assert store.kept() is None
    columns = store.make()
    stored: list[int] = []
    filled = store.fill(mongo_url, stored.append)
    assert stored[-1] == stored_events(mongo_url) == filled.events == EVENTS
    assert 0 < filled.inserting <= filled.seconds
    found = list(database["events"].find(sort=[("_id", 1)]))
    assert found == list(documents(make_columns(EVENTS), 0, EVENTS))

    kept = Store(tmp_path, EVENTS).kept()
    assert kept is not None
    assert kept[0].at.tolist() == columns.at.tolist()
    assert kept[1] == filled
    assert Store(tmp_path, EVENTS + 1).kept() is None
    [note] = tmp_path.glob("*/filled.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "made_by": "other code"}))
    assert store.kept() is None
    store.make()
    assert not note.exists()


def test_only_what_was_filled_stays(mongo_url: str, database: Database[dict[str, Any]]) -> None:
    """Before rolling up, whatever an earlier run has computed is removed."""
    for name in ("events", "items", "sites", "api_keys", "rollups", "anything"):
        database[name].insert_one({})
    forget_rollups(mongo_url)
    assert set(database.list_collection_names()) == {"events", "items", "sites", "api_keys"}


def test_the_catalogue_has_the_items_that_it_should(tmp_path: Path) -> None:
    """A row for each that is catalogued, with its title and the category that the recount goes by."""
    catalogue(tmp_path / "items.csv")
    header, *rows = (tmp_path / "items.csv").read_text().splitlines()
    assert header == "id,title,category"
    assert len(rows) == sum(map(words.is_catalogued, range(words.ITEMS)))
    for row in rows:
        item, title, category = row.split(",")
        number = int(item.rpartition("-")[2])
        assert (item, title) == (words.item_id(number), words.item_title(number))
        assert (category or None) == words.category_of(number)
