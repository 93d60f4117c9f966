"""Mappings: columns, templates, constants, several events of a row; from options and TOML."""

from pathlib import Path

import pytest

from app.importing.mapping import EventRule, FileMapping, MappingError
from app.schemas.event import EventType
from tests.importing.importer import TIMES, Importer

SALES = ["sku,shop,first,second,seen,click", "a-1,north,x,y,2026-06-10 10:00:00,1"]
OPTIONS = {
    "columns": ["itemId=sku", "timestamp=seen", "userId={first}/{second}"],
    "constants": ["source=import", "position=3"],
    "events": ["IMPRESSION", "CLICK if click=1"],
}


async def test_a_row_becomes_what_the_mapping_says(importer: Importer) -> None:
    """Columns, a template, constants and two events of one row in one session; the rest is left out."""
    tally = await importer.run(importer.write("sales.csv", SALES), **OPTIONS)
    assert (tally.rows, tally.accepted) == (1, 2), tally.problems
    impression, click = await importer.stored()
    assert {impression["type"], click["type"]} == {"IMPRESSION", "CLICK"}
    for event in (impression, click):
        assert (event["item"], event["user"]) == ("a-1", "x/y")
        assert (event["source"], event["position"]) == ("import", 3)
    assert impression["session"] == click["session"]
    assert impression["visitor"] == click["visitor"]


async def test_toml_says_the_same_as_options(importer: Importer) -> None:
    """The same rows by a mapping file are the same events."""
    toml = importer.write(
        "sales.toml",
        """
        events = ["IMPRESSION", "CLICK if click=1"]
        format = "csv"
        delimiter = ","
        [map]
        itemId = "sku"
        timestamp = "seen"
        userId = "{first}/{second}"
        [set]
        source = "import"
        position = 3
        """,
    )
    path = importer.write("sales.csv", SALES)
    assert (await importer.run(path, file=toml)).accepted == 2
    assert (await importer.run(path, **OPTIONS)).duplicates == {"REPLAYED": 2}


def test_options_win_over_the_file(tmp_path: Path) -> None:
    """However the field is spelled, and also where the file has it in the other table."""
    path = tmp_path / "mapping.toml"
    path.write_text('[map]\nitem_id = "a"\nuserId = "b"\n[set]\nsource = "file"\n')
    told = FileMapping.of(columns=["itemId=c", "source=d"], constants=["user_id=e"], file=path)
    assert told.columns == {"itemId": "c", "source": "d"}
    assert told.constants == {"user_id": "e"}


async def test_ndjson_can_be_mapped_too(importer: Importer) -> None:
    """Keys are columns; JSON's true and numbers are compared and joined as they are written."""
    rows = [
        f'{{"sku": 7, "seen": true, "type": "unused", "timestamp": "{TIMES[0]}", "other": [1]}}',
        f'{{"sku": 8, "seen": false, "timestamp": "{TIMES[1]}"}}',
    ]
    tally = await importer.run(
        importer.write("a.ndjson", rows),
        columns=["itemId=sku", "source={sku}-{seen}"],
        events=["IMPRESSION", "VIEW if seen=true"],
    )
    assert tally.accepted == 3, tally.problems
    events = await importer.stored()
    assert [event["item"] for event in events] == ["7", "7", "8"]
    assert {event["source"] for event in events} == {"7-true", "8-false"}


async def test_columns_named_like_fields_need_no_mapping(importer: Importer) -> None:
    """With some columns mapped the others still count by name, but not for a field that is mapped."""
    path = importer.write(
        "a.csv", ["type,item_id,sku,user_id,notes", "IMPRESSION,wrong,right,u1,free text"]
    )
    tally = await importer.run(path, columns=["itemId=sku"])
    assert tally.accepted == 1, tally.problems
    [event] = await importer.stored()
    assert (event["item"], event["user"]) == ("right", "u1")


async def test_templates_know_row_and_file(importer: Importer) -> None:
    """{row} is the line, {file} the name without extensions, {rowId} different for every row."""
    path = importer.write("may.2026.csv.gz", ["type", "PAGE_VIEW", "PAGE_VIEW"], packed=True)
    tally = await importer.run(
        path, columns=["source={file}:{row}", "sessionId={rowId}", "pageTitle={{{file}}}"]
    )
    assert tally.accepted == 2, tally.problems
    events = await importer.stored()
    assert {event["source"] for event in events} == {"may:2", "may:3"}
    assert len({event["session"] for event in events}) == 2
    assert {event["page_title"] for event in events} == {"{may}"}


async def test_a_template_without_values_is_absent(importer: Importer) -> None:
    """A user of four empty columns is no user; with some of them filled it is one."""
    rows = ["type,a,b", "PAGE_VIEW,,", "PAGE_VIEW,x,"]
    await importer.run(importer.write("a.csv", rows), columns=["userId={a}/{b}"])
    assert sorted(event.get("user", "") for event in await importer.stored()) == ["", "x/"]


async def test_rows_for_which_no_event_holds_are_left_out(importer: Importer) -> None:
    """They are counted as such and are no error."""
    rows = ["item_id,click", "a,0", "b,1", "c,"]
    tally = await importer.run(importer.write("a.csv", rows), events=["CLICK if click=1"])
    assert (tally.rows, tally.rows_without_events, tally.accepted) == (3, 2, 1)
    assert tally.clean


def test_event_rules_are_read() -> None:
    """Type, and a column with or without a value; spaces do not matter."""
    assert EventRule.parse("click") == EventRule(EventType.CLICK)
    assert EventRule.parse(" CLICK  if was clicked = yes ") == EventRule(
        EventType.CLICK, "was clicked", "yes"
    )
    assert EventRule.parse("VIEW if hidden!=1") == EventRule(EventType.VIEW, "hidden", "1", True)
    empty = EventRule.parse("VIEW if note=")
    assert empty.holds({"note": ""})
    assert not empty.holds({"note": "x"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"events": ["SOLD"]}, "one of IMPRESSION"),
        ({"events": ["CLICK when x=1"]}, "TYPE if COLUMN=VALUE"),
        ({"events": ["CLICK", "CLICK if x=1"]}, "one event of each type"),
        ({"columns": ["itemId"]}, "--map FIELD=COLUMN"),
        ({"constants": ["=x"]}, "--set FIELD=VALUE"),
        ({"columns": ["itemId=a", "itemId=b"]}, "two things that say what itemId is"),
        ({"delimiter": "::"}, "one character"),
    ],
)
def test_mappings_that_cannot_be_understood_are_refused(
    options: dict[str, list[str]], message: str
) -> None:
    """Before any file is looked at."""
    with pytest.raises(MappingError, match=message):
        FileMapping.of(**options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[map", "Expected"),
        ("[maps]\na = 'b'", "maps is none of delimiter, events, format, map, set"),
        ("map = 'x'", "must be a table"),
        ("events = [1]", "must be texts"),
        ("[map]\nitemId = 3", "must be texts"),
        ("format = 'xml'", "ndjson or csv"),
        ("delimiter = 5", "one character"),
    ],
)
def test_mapping_files_that_cannot_be_understood_are_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    """With the reason, and never as a traceback."""
    path = tmp_path / "mapping.toml"
    path.write_text(content)
    with pytest.raises(MappingError, match=message):
        FileMapping.of(file=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["item=sku"]}, "no field item"),
        ({"columns": ["itemId=gone"]}, "not there: gone"),
        ({"columns": ["itemId={gone}{first}"]}, "not there: gone"),
        ({"columns": ["itemId={sku"]}, "brace"),
        (
            {"columns": ["itemId=sku"], "constants": ["item_id=x"]},
            "two things that say what itemId",
        ),
        ({"constants": ["position=first"]}, "constant for position: must be a whole number"),
        ({"columns": ["itemId=sku"], "events": ["CLICK if gone=1"]}, "not there: gone"),
        ({"columns": ["itemId=sku"]}, "Nothing says what type is"),
    ],
)
async def test_mappings_that_do_not_go_with_the_file_are_refused(
    importer: Importer, options: dict[str, list[str]], message: str
) -> None:
    """Before anything is written."""
    with pytest.raises(MappingError, match=message):
        await importer.run(importer.write("sales.csv", SALES), **options)
    assert await importer.count() == 0
