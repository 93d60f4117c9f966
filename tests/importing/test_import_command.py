"""`footfall import events` as a process: exit codes, what is printed and where."""

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

HEADER = "type,timestamp,source"
GOOD = [f"PAGE_VIEW,2026-06-10T10:00:{second:02}Z,home" for second in range(30)]
SECRET = "hunter2-secret"
PROGRAM = Path(sys.executable).parent / "footfall"


class Command:
    """Runs the command on a database of its own."""

    def __init__(self, mongo_url: str, database: str, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "FOOTFALL_MONGO_URL": mongo_url,
            "FOOTFALL_DATABASE": database,
            "FOOTFALL_DATA_RETENTION_DAYS": "0",
            "COLUMNS": "200",
        }

    def write(self, name: str, lines: list[str]) -> str:
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    def count(self, site: str) -> int:
        """How many events of the site are stored."""
        with MongoClient(self._environment["FOOTFALL_MONGO_URL"]) as client:
            events = client[self._environment["FOOTFALL_DATABASE"]]["events"]
            return events.count_documents({"site": site})

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it, with a pipe as its standard input."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [PROGRAM, "import", "events", *arguments],
            env=self._environment,
            cwd=self.folder,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    def run(
        self, *arguments: str, what: str = "events", given: bytes = b"", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, "import", what, *arguments],
            env=self._environment | settings,
            cwd=self.folder,
            input=given,
            capture_output=True,
            check=False,
            timeout=60,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )


@pytest.fixture
def command(mongo_url: str, database_name: str, tmp_path: Path) -> Command:
    return Command(mongo_url, f"{database_name}_import", tmp_path)


def test_good_rows_end_with_0(command: Command) -> None:
    """The summary says how many rows and events there were; again they are duplicates, and still 0."""
    path = command.write("good.csv", [HEADER, *GOOD])
    site = f"site-{uuid4().hex[:8]}"
    first = command.run(path, "--site", site)
    assert first.returncode == 0, first.stderr
    assert f"The site {site} is new." in first.stderr
    summary = _summary(first.stdout)
    assert (summary["rows"], summary["accepted"]) == ("30", "30")
    assert {"seconds", "events a second"} <= set(summary)
    again = command.run(
        "-", "--site", site, given=gzip.compress((command.folder / path).read_bytes())
    )
    assert again.returncode == 0, again.stderr
    assert _summary(again.stdout)["duplicate: REPLAYED"] == "30"


def test_rejected_rows_end_with_1_and_are_listed(command: Command) -> None:
    """The first 20 with line, field and reason, then how many of each reason; no value is repeated."""
    bad = [f"PAGE_VIEW,{SECRET},home" for _ in range(25)]
    done = command.run(command.write("bad.csv", [HEADER, GOOD[0], *bad]))
    assert done.returncode == 1
    listed = [line for line in done.stderr.splitlines() if line.startswith("bad.csv, line ")]
    assert len(listed) == 20
    assert listed[0].startswith("bad.csv, line 3: timestamp: DateTime must be")
    assert "and 5 more; together 25 INVALID" in done.stderr
    assert _summary(done.stdout)["rejected: INVALID"] == "25"
    assert SECRET not in done.stderr + done.stdout


def test_rows_that_are_too_old_say_what_to_do(command: Command) -> None:
    """The setting that keeps them is named."""
    path = command.write("old.csv", [HEADER, "PAGE_VIEW,2019-11-24T00:00:00Z,home"])
    done = command.run(path, FOOTFALL_DATA_RETENTION_DAYS="90")
    assert done.returncode == 1
    assert "FOOTFALL_DATA_RETENTION_DAYS=0" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "No such file"),
        (["good.csv", "--map", "colour=source"], "no field colour"),
        (["good.csv", "--event", "SOLD"], "one of IMPRESSION"),
        (["colours.csv"], "no fields of the API: colour"),
        ([], "Usage"),
    ],
)
def test_usage_errors_end_with_2(command: Command, arguments: list[str], message: str) -> None:
    """Said before a database is even looked for."""
    command.write("good.csv", [HEADER, *GOOD])
    command.write("colours.csv", ["type,colour", "PAGE_VIEW,red"])
    nowhere = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=1"
    done = command.run(*arguments, FOOTFALL_MONGO_URL=nowhere)
    assert done.returncode == 2
    assert message in " ".join((done.stderr + done.stdout).split())


def test_files_that_break_off_end_with_1(command: Command) -> None:
    """What was read before counts, and the message says that it can be run again."""
    packed = gzip.compress("".join(f"{line}\n" for line in [HEADER, *GOOD * 2000]).encode())
    (command.folder / "broken.csv.gz").write_bytes(packed[: len(packed) * 3 // 4])
    done = command.run("broken.csv.gz")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert int(_summary(done.stdout)["accepted"].replace(",", "")) > 0


def test_an_interrupted_import_can_be_run_again(command: Command) -> None:
    """Ctrl-C ends it at once, even while it waits for its input, and what was written stays."""
    lines = [HEADER, *(f"PAGE_VIEW,2026-06-10T10:00:00Z,{number}" for number in range(5_000))]
    path = command.write("long.csv", lines)
    process = command.start("-", "--site", "interrupted")
    assert process.stdin is not None
    process.stdin.write((command.folder / path).read_bytes()[:150_000])
    process.stdin.flush()
    _wait_until(lambda: command.count("interrupted") > 0)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Run it again" in complaints
    assert b"Traceback" not in complaints
    before = command.count("interrupted")
    assert 0 < before < 5_000
    done = command.run(path, "--site", "interrupted")
    assert done.returncode == 0
    assert command.count("interrupted") == 5_000


def test_items_are_imported_too(command: Command) -> None:
    """The same options and exit codes; the summary speaks of items, and rules for events are refused."""
    path = command.write("items.csv", ["sku,name", "lot-1,Vase", "lot-2,"])
    options = ["--map", "id=sku", "--map", "title=name", "--site", "items"]
    done = command.run(path, *options, what="items")
    assert done.returncode == 1
    assert "items.csv, line 3: title: is needed (INVALID)" in done.stderr
    summary = _summary(done.stdout)
    assert (summary["items"], summary["accepted"], summary["rejected: INVALID"]) == ("2", "1", "1")
    command.write("mapping.toml", ['events = ["CLICK"]'])
    refused = command.run(path, "--mapping", "mapping.toml", what="items")
    assert refused.returncode == 2
    assert "Items are not events" in refused.stderr


def test_help_tells_how_rows_are_known_again(command: Command) -> None:
    """What makes an id, and which sessions rows have, is part of the manual."""
    text = " ".join(command.run("--help").stdout.split())
    for words in ("header and first row", "counts nothing twice", "sessionId", "Exit code"):
        assert words in text


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _summary(output: str) -> dict[str, str]:
    """The table that ends an import."""
    rows = [line.strip("│| ").split("│") for line in output.splitlines() if "│" in line]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
