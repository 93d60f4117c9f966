"""What rows become: fields, types, mistakes, sessions; through a real import."""

from typing import Any

import orjson
import pytest
from bson import Decimal128

from app.importing.mapping import MappingError
from app.importing.rows import Format
from app.importing.source import BrokenSourceError
from tests.conftest import NOW
from tests.importing.importer import TIMES, Importer

SECRET = "hunter2-secret"  # must come back in no message


async def test_ndjson_is_read_as_the_api_reads_it(importer: Importer) -> None:
    """The same JSON through the API and through a file makes the same document."""
    event = {
        "type": "CONVERSION",
        "itemId": 7,
        "sessionId": "s",
        "visitorId": "v",
        "userId": "u",
        "timestamp": "2026-06-10T10:00:00+02:00",
        "source": "search",
        "position": 3,
        "pageUrl": "https://shop.example/a?utm_source=mail&x=1",
        "clickPosition": {"x": 1, "y": 2.5},
        "viewportPosition": {"top": 3, "left": 4},
        "conversionValue": "12.50",
        "conversionCurrency": None,
        "consentGiven": True,
        "properties": {"colour": "red", "sizes": [1, 2]},
    }
    api: Any = importer.api
    [tracked] = await api.track(event | {"id": "by-api"})
    assert tracked["verdict"] == "ACCEPTED"
    line = orjson.dumps(event | {"id": "by-file"})
    tally = await importer.run(importer.write("a.ndjson", line))
    assert tally.accepted == 1, tally.problems
    by_api, by_file = sorted(await importer.stored(), key=lambda e: e["_id"])
    assert {**by_api, "_id": ""} == {**by_file, "_id": ""}


async def test_csv_columns_are_fields_by_their_names(importer: Importer) -> None:
    """camelCase, snake_case, any case and spaces; every type of field; empty cells are absent."""
    header = "Type,ITEM_ID,session id,timestamp,Position,conversion_value,consentGiven,properties"
    row = 'conversion,lot-1,s,2026-06-10 10:00:00,3,"12.50",1,"{""a"": 1}"'
    empty = "PAGE_VIEW,,s,2026-06-10T10:00:01Z,,,false,"
    path = importer.write(
        "a.csv",
        [
            f"{header},click_position.x,clickPosition.y,viewportPosition",
            f'{row},1,2.5,"{{""top"": 1, ""left"": 2}}"',
            f"{empty},,,",
        ],
    )
    tally = await importer.run(path)
    assert tally.accepted == 2, tally.problems
    first, second = await importer.stored()
    assert first["item"] == "lot-1"
    assert first["at"].isoformat() == "2026-06-10T10:00:00+00:00"
    assert (first["position"], first["value"]) == (3, Decimal128("12.50"))
    assert (first["consent"], second["consent"]) == (True, False)
    assert first["properties"] == {"a": 1}
    assert first["click_position"] == {"x": 1.0, "y": 2.5}
    assert first["viewport_position"] == {"top": 1.0, "left": 2.0}
    absent = {"item", "position", "value", "properties", "click_position", "viewport_position"}
    assert not absent & set(second)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"type": "SOLD"}', "type: must be one of IMPRESSION, VIEW, CLICK"),
        ('{"itemId": "x"}', "type: is needed"),
        ('{"type": "PAGE_VIEW", "colour": "hunter2-secret"}', "colour: is not a field of the API"),
        ('{"type": "PAGE_VIEW", "item_id": "x"}', "item_id: is not a field of the API"),
        ('{"type": "PAGE_VIEW", "clickPosition.x": 1}', "clickPosition.x: is not a field"),
        ('{"type": "PAGE_VIEW", "position": "3"}', "position: must be a whole number"),
        ('{"type": "PAGE_VIEW", "position": 1.5}', "position: must be a whole number"),
        (
            '{"type": "PAGE_VIEW", "position": 99999999999}',
            "position: must be a whole number of 32",
        ),
        ('{"type": "PAGE_VIEW", "source": 5}', "source: must be text"),
        ('{"type": "PAGE_VIEW", "itemId": true}', "itemId: must be text or a whole number"),
        ('{"type": "PAGE_VIEW", "consentGiven": 1}', "consentGiven: must be true or false"),
        ('{"type": "PAGE_VIEW", "timestamp": "hunter2-secret"}', "timestamp: DateTime must be"),
        ('{"type": "PAGE_VIEW", "conversionValue": "hunter2-secret"}', "conversionValue: Decimal"),
        ('{"type": "PAGE_VIEW", "clickPosition": {"x": 1}}', "clickPosition.y: is needed"),
        (
            '{"type": "PAGE_VIEW", "clickPosition": {"x": 1, "y": 2, "z": 3}}',
            "clickPosition.z: is n",
        ),
        ('{"type": "PAGE_VIEW", "clickPosition": [1, 2]}', "clickPosition: must be an object"),
        ('{"type": "PAGE_VIEW", "properties": "hunter2-secret"}', "properties: must be an object"),
        ('{"type": "IMPRESSION"}', "itemId: is needed for IMPRESSION"),
        ('{"type": "PAGE_VIEW", "position": 0}', "position: must be from 1 to"),
        ('{"type": "hunter2-secret', "row: is not JSON"),
        ('["PAGE_VIEW"]', "row: is not a JSON object"),
        ('{"type": "PAGE_VIEW", "source": "hunter2-secret\\u0000"}', "source: must not contain"),
    ],
)
async def test_a_row_that_cannot_be_read_is_rejected_with_field_and_reason(
    importer: Importer, row: str, message: str
) -> None:
    """It is listed with its line, recorded in the ledger as INVALID, and never repeated."""
    path = importer.write("a.ndjson", ['{"type": "PAGE_VIEW"}', "", row, '{"type": "PAGE_VIEW"}'])
    tally = await importer.run(path)
    assert (tally.rows, tally.accepted, tally.rejected) == (3, 2, {"INVALID": 1})
    [problem] = tally.problems
    assert (problem.file, problem.line) == (str(path), 3)
    assert problem.message.startswith(message)
    [decision] = await importer.api.database["decisions"].find().to_list(None)
    assert (decision["reason"], decision["site"]) == ("INVALID", "demo")
    assert SECRET not in f"{problem} {decision}"


@pytest.mark.parametrize(
    ("field", "cell", "message"),
    [
        ("position", "third", "position: must be a whole number"),
        ("position", "1_0", "position: must be a whole number"),
        ("position", "99999999999", "position: must be a whole number of 32 bits"),
        ("consentGiven", "hunter2-secret", "consentGiven: must be true, false, 1 or 0"),
        ("timestamp", "10/06/2026", "timestamp: DateTime must be"),
        ("conversionValue", "12,50", "conversionValue: Decimal must be"),
        ("properties", "{colour: red}", "properties: must be JSON"),
        ("clickPosition", "1/2", "clickPosition: must be JSON"),
        ("clickPosition.x", "5", "clickPosition.y: is needed"),
        ("viewportPosition.top", "nan", "viewportPosition.top: must be a number"),
        ("type", "SOLD", "type: must be one of"),
    ],
)
async def test_a_cell_that_cannot_be_read_is_rejected(
    importer: Importer, field: str, cell: str, message: str
) -> None:
    """Cells are converted by their field's type; what does not fit says why."""
    names, cells = ("type,", "PAGE_VIEW,") if field != "type" else ("", "")
    path = importer.write("a.csv", [f"{names}{field}", f'{cells}"{cell}"'])
    tally = await importer.run(path)
    assert tally.rejected == {"INVALID": 1}
    assert tally.problems[0].message.startswith(message)
    assert SECRET not in tally.problems[0].message


async def test_whole_numbers_may_be_written_with_a_point(importer: Importer) -> None:
    """`3.0` is 3: spreadsheets and data frames write columns with empty cells so."""
    await importer.run(importer.write("a.csv", ["type,position", "PAGE_VIEW,3.0", "PAGE_VIEW,"]))
    assert sorted(event.get("position", 0) for event in await importer.stored()) == [0, 3]


async def test_rows_that_are_not_csv_do_not_sink_the_others(importer: Importer) -> None:
    """Wrong number of cells, quotes that do not fit, other encodings, endless lines: each is one row."""
    lines = [
        b"type,source",
        b"PAGE_VIEW,one",
        b"PAGE_VIEW",
        b"PAGE_VIEW,a,b",
        b'PAGE_VIEW,"quo"ted',
        "PAGE_VIEW,Zürich".encode("latin-1"),
        b"PAGE_VIEW," + b"x" * 2_000_000,
        b'PAGE_VIEW,"two\nlines"',
        b"PAGE_VIEW,last",
        b"PAGE_VIEW",
    ]
    tally = await importer.run(importer.write("a.csv", b"\n".join(lines)))
    assert tally.accepted == 3
    assert {(problem.line, problem.message) for problem in tally.problems} == {
        (3, "row: has 1 cells where the header has 2 (INVALID)"),
        (4, "row: has 3 cells where the header has 2 (INVALID)"),
        (5, "row: is not CSV (',' expected after '\"') (INVALID)"),
        (6, "row: is not UTF-8; convert the file (INVALID)"),
        (7, "row: is too long (INVALID)"),
        (11, "row: has 1 cells where the header has 2 (INVALID)"),
    }
    assert {event["source"] for event in await importer.stored()} == {"one", "two\nlines", "last"}


async def test_endless_ndjson_lines_are_one_row(importer: Importer) -> None:
    """A line beyond 1 MB is not kept in memory; the next one is read as if nothing were."""
    content = b'{"type": "' + b"x" * 3_000_000 + b'"}\n{"type": "PAGE_VIEW"}'
    tally = await importer.run(importer.write("a.ndjson", content), table_format=Format.NDJSON)
    assert (tally.accepted, tally.rejected) == (1, {"INVALID": 1})
    assert tally.problems[0].message == "row: is too long (INVALID)"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("type,colour", "Columns that are no fields of the API: colour."),
        ("a,b", "No column is named like a field"),
        ("type;itemId", "delimiter"),
        ("itemId,source", "Nothing says what type is"),
        ("type,itemId,itemId", "Columns that are there twice: itemId."),
        ("type,itemId,item_id", "Two columns are named like itemId."),
    ],
)
async def test_a_header_that_does_not_fit_is_said_before_anything_is_written(
    importer: Importer, header: str, message: str
) -> None:
    """Not even the rows of the files before it are imported."""
    good = importer.write("good.csv", ["type", "PAGE_VIEW"])
    bad = importer.write("bad.csv", [header, "PAGE_VIEW,x"])
    with pytest.raises(MappingError, match=message):
        await importer.run(good, bad)
    assert await importer.count() == 0


async def test_files_that_are_not_what_is_read_are_refused(importer: Importer) -> None:
    """A missing file, a JSON array, UTF-16 and a header with a broken quote say what they are."""
    for content, message in (
        (b'[{"type": "PAGE_VIEW"}]', "JSON array"),
        ("type\nPAGE_VIEW\n".encode("utf-16"), "UTF-16"),
        (b'"type', "no CSV header"),
    ):
        with pytest.raises(BrokenSourceError, match=message):
            await importer.run(importer.write("a.csv", content))
    with pytest.raises(BrokenSourceError, match="No such file"):
        await importer.run(importer.folder / "missing.csv")


async def test_empty_files_are_nothing(importer: Importer) -> None:
    """No rows, no error: empty, blank, packed, or a header alone."""
    paths = [
        importer.write("empty.csv", b""),
        importer.write("blank.ndjson", b"\n\n"),
        importer.write("packed.gz", b"", packed=True),
        importer.write("header.csv", b"type,itemId\n"),
    ]
    tally = await importer.run(*paths)
    assert (tally.rows, tally.total, tally.clean) == (0, 0, True)


async def test_other_delimiters_are_read(importer: Importer) -> None:
    """Semicolons and tabs, on request."""
    await importer.run(importer.write("a.csv", ["type;source", "PAGE_VIEW;a,b"]), delimiter=";")
    await importer.run(importer.write("a.tsv", ["type\tsource", "PAGE_VIEW\tc"]), delimiter="\\t")
    assert {event["source"] for event in await importer.stored()} == {"a,b", "c"}


async def test_old_and_future_rows_are_told_apart(importer: Importer) -> None:
    """Both are rejected with TIMESTAMP; only the old ones are helped by keeping events longer."""
    rows = ["2019-11-24T00:00:00Z", "2019-11-25T00:00:00Z", "2030-01-01T00:00:00Z", TIMES[0]]
    path = importer.write("a.csv", ["type,timestamp", *(f"PAGE_VIEW,{row}" for row in rows)])
    tally = await importer.run(path)
    assert (tally.accepted, tally.rejected, tally.too_old) == (1, {"TIMESTAMP": 3}, 2)


async def test_rows_of_a_visitor_belong_to_that_days_session(importer: Importer) -> None:
    """Session by visitor (else user) and day of the event; the same whenever it is imported."""
    header = "type,visitorId,userId,timestamp"
    rows = [
        "PAGE_VIEW,v1,,2026-06-10T10:00:00Z",
        "PAGE_VIEW,v1,u1,2026-06-10T23:00:00Z",
        "PAGE_VIEW,v1,,2026-06-11T10:00:00Z",
        "PAGE_VIEW,,u1,2026-06-12T10:00:00Z",
        "PAGE_VIEW,,u1,2026-06-12T11:00:00Z",
        "PAGE_VIEW,v2,,2026-06-13T10:00:00Z",
    ]
    await importer.run(importer.write("a.csv", [header, *rows[:3]]))
    importer.api.clock.advance(days=3)
    await importer.run(importer.write("b.csv", [header, *rows[3:]]))
    events = await importer.stored()
    sessions = [event["session"] for event in events]
    assert sessions[0] == sessions[1]
    assert sessions[3] == sessions[4]
    assert len(set(sessions)) == 4
    visitors = [event["visitor"] for event in events]
    assert visitors[:3] == ["v1", "v1", "v1"]
    assert visitors[3] == visitors[4] != "v1"


async def test_rows_that_name_nobody_are_sessions_and_visitors_of_their_own(
    importer: Importer,
) -> None:
    """Two impressions of an item at one time, by nobody in particular, are two."""
    row = f"IMPRESSION,lot-1,{TIMES[0]}"
    tally = await importer.run(importer.write("a.csv", ["type,itemId,timestamp", row, row]))
    assert tally.accepted == 2
    events = await importer.stored()
    assert len({event["session"] for event in events}) == 2
    assert len({event["visitor"] for event in events}) == 2


async def test_rows_of_one_session_are_one_visitor(importer: Importer) -> None:
    """Where only the session is known, its events are somebody's, the same one's."""
    rows = [f"PAGE_VIEW,s1,{TIMES[0]}", f"PAGE_VIEW,s1,{TIMES[1]}", f"PAGE_VIEW,s2,{TIMES[2]}"]
    await importer.run(importer.write("a.csv", ["type,sessionId,timestamp", *rows]))
    visitors = [event["visitor"] for event in await importer.stored()]
    assert visitors[0] == visitors[1] != visitors[2]


async def test_rows_without_a_time_happen_now(importer: Importer) -> None:
    """As in the API."""
    await importer.run(importer.write("a.csv", ["type", "PAGE_VIEW"]))
    [event] = await importer.stored()
    assert event["at"] == event["received_at"] == NOW
