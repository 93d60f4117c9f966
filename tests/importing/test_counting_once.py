"""Importing again counts nothing twice, and different files are told apart."""

from typing import Any

import pytest

from app.importing.source import BrokenSourceError
from tests.importing.importer import HEADER, TIMES, Importer

# Nothing in these rows tells them apart but the time.
ROWS = [f"PAGE_VIEW,,,{time}" for time in TIMES]


async def test_the_same_file_counts_once_however_called_and_packed(importer: Importer) -> None:
    """Plain or gzipped, under another name, with CRLF or a byte order mark: the rows are known again."""
    lines = [HEADER, *ROWS]
    first = await importer.run(importer.write("a.csv", lines))
    assert (first.rows, first.accepted) == (60, 60)
    again = [
        importer.write("a.csv.gz", lines, packed=True),
        importer.write("misnamed.txt", lines, packed=True),
        importer.write("elsewhere/b.csv", lines),
        importer.write("windows.csv", "\r\n".join(lines) + "\r\n"),
        importer.write("marked.csv", b"\xef\xbb\xbf" + "\n".join(lines).encode()),
    ]
    for path in again:
        tally = await importer.run(path)
        assert (tally.accepted, tally.duplicates) == (0, {"REPLAYED": 60}), path.name
    assert await importer.count() == 60


async def test_of_a_file_that_has_grown_only_what_is_new_counts(importer: Importer) -> None:
    """A log that is appended to can be imported again and again."""
    await importer.run(importer.write("log.csv", [HEADER, *ROWS[:1]]))
    grown = await importer.run(importer.write("log.csv", [HEADER, *ROWS[:45]]))
    assert (grown.accepted, grown.duplicates.total()) == (44, 1)
    whole = await importer.run(importer.write("log.csv", [HEADER, *ROWS]))
    assert (whole.accepted, whole.duplicates.total()) == (15, 45)


async def test_of_a_mended_file_only_the_mended_row_counts(importer: Importer) -> None:
    """The rows before and after it keep their ids."""
    broken = [HEADER, *ROWS[:10], "PAGE_VIEW,,,yesterday", *ROWS[11:]]
    first = await importer.run(importer.write("log.csv", broken))
    assert (first.accepted, first.rejected) == (59, {"INVALID": 1})
    mended = await importer.run(importer.write("log.csv", [HEADER, *ROWS]))
    assert (mended.accepted, mended.duplicates) == (1, {"REPLAYED": 59})


async def test_equal_rows_of_different_files_both_count(importer: Importer) -> None:
    """Two files that begin differently and have the same row on the same line are two sources."""
    one = importer.write("one.csv", [HEADER, ROWS[0], *ROWS[5:10]])
    other = importer.write("other.csv", [HEADER, ROWS[1], *ROWS[5:10]])
    tally = await importer.run(one, other)
    assert (tally.rows, tally.accepted) == (12, 12)


async def test_equal_rows_of_one_file_all_count(importer: Importer) -> None:
    """Rows that say the same on different lines are different events."""
    tally = await importer.run(importer.write("same.csv", [HEADER, *[ROWS[0]] * 5]))
    assert tally.accepted == 5


async def test_a_source_name_tells_files_apart_that_begin_alike(importer: Importer) -> None:
    """With the same header and first row a file is a changed one, unless a name says otherwise."""
    monday = importer.write("monday.csv", [HEADER, *ROWS[:3]])
    tuesday = importer.write("tuesday.csv", [HEADER, ROWS[0], *ROWS[7:9]])
    await importer.run(monday, source="monday")
    tally = await importer.run(tuesday, source="tuesday")
    assert tally.accepted == 3
    again = await importer.run(tuesday, source="tuesday")
    assert (again.accepted, again.duplicates.total()) == (0, 3)


async def test_a_source_name_lets_the_first_row_be_mended(importer: Importer) -> None:
    """Known by name, a file may change anywhere."""
    await importer.run(importer.write("log.csv", [HEADER, *ROWS[:5]]), source="log")
    changed = importer.write("log.csv", [HEADER, ROWS[40], *ROWS[1:5]])
    tally = await importer.run(changed, source="log")
    assert (tally.accepted, tally.duplicates.total()) == (1, 4)


async def test_sites_have_ids_of_their_own(importer: Importer) -> None:
    """The same file counts once in each site."""
    path = importer.write("log.csv", [HEADER, *ROWS[:5]])
    assert (await importer.run(path)).accepted == 5
    assert (await importer.run(path, site="other")).accepted == 5


async def test_ndjson_without_ids_counts_once_too(importer: Importer) -> None:
    """What holds for CSV holds for NDJSON: packed, grown, with blank lines, mended."""
    rows = [f'{{"type": "PAGE_VIEW", "timestamp": "{time}"}}' for time in TIMES]
    assert (await importer.run(importer.write("a.ndjson", rows[:40]))).accepted == 40
    tally = await importer.run(importer.write("b.gz", rows, packed=True))
    assert (tally.accepted, tally.duplicates.total()) == (20, 40)
    indented = importer.write("c.ndjson", [f"  {row}  " for row in rows])
    assert (await importer.run(indented)).accepted == 0


async def test_rows_with_ids_are_known_by_them(importer: Importer) -> None:
    """The caller's id is the event's, wherever in whichever file it stands."""
    one = importer.write("one.csv", ["id,type,timestamp", f"e1,PAGE_VIEW,{TIMES[0]}"])
    other = importer.write(
        "two.ndjson",
        [
            f'{{"id": "e2", "type": "PAGE_VIEW", "timestamp": "{TIMES[1]}"}}',
            f'{{"id": "e1", "type": "PAGE_VIEW", "timestamp": "{TIMES[0]}"}}',
        ],
    )
    await importer.run(one)
    tally = await importer.run(other)
    assert (tally.accepted, tally.duplicates) == (1, {"REPLAYED": 1})
    assert {event["_id"] for event in await importer.stored()} == {"demo:e1", "demo:e2"}


async def test_a_file_that_breaks_off_can_be_imported_again(importer: Importer) -> None:
    """What came before the damage counts, and once."""
    lines = [HEADER, *(f"CUSTOM,,s{n},2026-06-10T10:00:00Z,n{n}" for n in range(4_000))]
    lines[0] += ",name"
    whole = importer.write("log.csv.gz", lines, packed=True)
    broken = importer.write("broken.csv.gz", whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(BrokenSourceError, match="damaged"):
        await importer.run(broken)
    before = await importer.count()
    assert 0 < before < 4_000
    tally = await importer.run(whole)
    assert (tally.accepted, tally.duplicates) == (4_000 - before, {"REPLAYED": before})


async def test_a_row_that_is_several_events_counts_each_once(importer: Importer) -> None:
    """A click that is added to a row later leaves its impression as it is, with the row's own id too."""
    header = "id,item_id,click,timestamp"
    events = {"events": ["IMPRESSION", "CLICK if click=1"]}
    rows = [f"e{n},lot,0,{time}" for n, time in enumerate(TIMES[:5])]
    first = await importer.run(importer.write("log.csv", [header, *rows]), **events)
    assert (first.rows, first.accepted) == (5, 5)
    rows[2] = rows[2].replace(",0,", ",1,")
    second = await importer.run(importer.write("log.csv", [header, *rows]), **events)
    assert (second.rows, second.accepted, second.duplicates) == (5, 1, {"REPLAYED": 5})
    [click] = await importer.stored(type="CLICK")
    [impression] = await importer.stored(type="IMPRESSION", _id="demo:e2:IMPRESSION")
    assert click["_id"] == "demo:e2:CLICK"
    assert click["at"] == impression["at"]


async def test_many_batches_count_exactly(importer: Importer) -> None:
    """More rows than a batch, several batches under way, and the last one short."""
    rows = [f'{{"type": "PAGE_VIEW", "sessionId": "s{n}"}}' for n in range(5_321)]
    path = importer.write("many.ndjson", rows)
    assert (await importer.run(path)).accepted == 5_321
    assert (await importer.run(path)).duplicates == {"REPLAYED": 5_321}
    assert await importer.count() == 5_321


async def test_cooldowns_hold_in_a_file_and_between_files(importer: Importer) -> None:
    """An import goes through the same claims as the API: repeats of a session's item count once."""

    def row(second: int) -> str:
        return f"IMPRESSION,lot-1,s,2026-06-10T10:00:{second:02}Z"

    one = importer.write("one.csv", [HEADER, row(0), row(10), row(40)])
    other = importer.write("other.csv", [HEADER, row(5), row(45)])
    first = await importer.run(one)
    assert (first.accepted, first.duplicates) == (2, {"COOLDOWN": 1})
    second = await importer.run(other)
    assert (second.accepted, second.duplicates) == (0, {"COOLDOWN": 2})
    await _live_agrees(importer.api)


async def _live_agrees(api: Any) -> None:
    """The API turns away the same event that the import holds."""
    event = {"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s"}
    [result] = await api.track({**event, "timestamp": "2026-06-10T10:00:20Z"})
    assert (result["verdict"], result["reason"]) == ("DUPLICATE", "COOLDOWN")
