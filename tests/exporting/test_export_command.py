"""`footfall export` on the command line, and exported reports."""

import csv
import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.exporting.formats import Format
from app.exporting.reports import ReportExport
from app.modules.analytics.buckets import Granularity
from app.modules.analytics.query import Dimension
from app.modules.analytics.ranges import RangePreset, RangeRequest
from app.modules.analytics.service import AnalyticsService, ReportRequest

PROGRAM = Path(sys.executable).parent / "footfall"


def footfall(api: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program on the database of an application."""
    environment = {
        **os.environ,
        "FOOTFALL_MONGO_URL": api.settings.mongo_url,
        "FOOTFALL_DATABASE": api.settings.database,
        "FOOTFALL_DATA_RETENTION_DAYS": "0",
        "COLUMNS": "200",
    }
    return subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True)


async def test_events_are_exported_on_the_command_line(make_api: Any, tmp_path: Path) -> None:
    """The file is there, how many it has is said, and nothing else is beside it."""
    api = await make_api(data_retention_days=0)
    await api.track({"type": "PAGE_VIEW", "id": "a"}, {"type": "CONVERSION", "id": "b"})
    path = tmp_path / "events.csv.gz"
    ended = footfall(api, "export", "events", str(path), "--type", "conversion")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert "1 events are in" in ended.stderr
    rows = list(csv.DictReader(gzip.decompress(path.read_bytes()).decode().splitlines()))
    assert [row["id"] for row in rows] == ["b"]
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["events", "events.xlsx"], 2, "must end in .ndjson or .csv"),
        (["events", "e.csv", "--start", "2026-06-02", "--end", "2026-06-01"], 2, "after --start"),
        (["report", "r.csv", "--timezone", "+25:00"], 1, "timezone"),
        (["events", "e.csv", "--site", "nobodys"], 1, "site"),
        (["events", "missing/e.csv"], 1, "No such file"),
    ],
    ids=str,
)
async def test_what_cannot_be_exported_is_said(
    make_api: Any, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """In a line, without a traceback, and without a file."""
    api = await make_api(data_retention_days=0)
    kind, name, *options = arguments
    ended = footfall(api, "export", kind, str(tmp_path / name), *options)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not os.listdir(tmp_path)


async def test_a_report_is_the_one_that_the_api_answers(api: Any, tmp_path: Path) -> None:
    """The same rows in the same order with the same numbers, and what is beyond the limit is counted."""
    await api.track(
        *({"type": "CLICK", "itemId": item, "sessionId": f"s{place}"}
          for place, item in enumerate(["=1", "=1", "b", "c"])),
        {"type": "CONVERSION", "itemId": "b", "conversionValue": "0.10"},
    )  # fmt: skip
    request = ReportRequest((Dimension.ITEM,), Granularity.DAY, limit=2)
    asked = RangeRequest(RangePreset.TODAY)
    analytics = api.services.registry[AnalyticsService]
    path = tmp_path / "report.csv"
    written = await ReportExport(analytics, "demo", asked, request).write(path, Format.CSV)
    assert (written.rows, written.beyond) == (2, 1)
    answer = await api.ask(
        "{ report(by: [ITEM], granularity: DAY, range: {preset: TODAY}, limit: 2) { rows { start "
        "dimensions { value } metrics { clicks revenue uniqueSessions } } } }"
    )
    expected = [
        (
            row["dimensions"][0]["value"].replace("=1", "'=1"),
            row["start"],
            str(row["metrics"]["clicks"]),
            row["metrics"]["revenue"],
            str(row["metrics"]["uniqueSessions"]),
        )
        for row in answer["report"]["rows"]
    ]
    rows = csv.DictReader(path.read_text().splitlines())
    names = ("item", "start", "clicks", "revenue", "uniqueSessions")
    assert [tuple(row[name] for name in names) for row in rows] == expected
