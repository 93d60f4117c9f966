"""`make run` as a process, with an embedded MongoDB on an empty folder."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port

PROGRAM = Path(sys.executable).parent / "footfall"
EVENTS = "{ report(range: {preset: LAST_90_DAYS}) { totals { events } } }"


class Demo:
    """Starts `footfall serve --demo` on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, events: int) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "FOOTFALL_DATA_DIR": str(self.folder / "data"),
            "FOOTFALL_PORT": str(port),
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--demo", "--demo-events", str(events)],
                env=environment,
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a process group of its own, which Ctrl-C is sent to
            )

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert self.process is not None
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def press_ctrl_c(self) -> int:
        """Interrupt all of the process group; the exit code."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=40)

    def output(self) -> str:
        return self.log.read_text()

    def mongod(self) -> int | None:
        """The process id of the embedded mongod, while there is one."""
        try:
            state = json.loads((self.folder / "data" / "mongo" / "mongod.json").read_text())
            os.kill(state["pid"], 0)
        except (OSError, ValueError):
            return None
        return int(state["pid"])

    def keys(self) -> dict[str, str]:
        """The keys that were printed, by scope."""
        return dict(
            re.findall(r"^(Write|Read|Admin|Owner) key +(\S+)", self.output(), re.MULTILINE)
        )

    def ask(self, query: str, key: str) -> dict[str, object]:
        answer = httpx.post(
            f"{self.url}/graphql", json={"query": query}, headers={"X-API-Key": key}, timeout=20
        ).json()
        assert "errors" not in answer, answer
        data: dict[str, object] = answer["data"]
        return data


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.press_ctrl_c()


def test_started_again_it_keeps_what_it_has(demo: Demo) -> None:
    """Filled once, printed keys that work, and nothing left running after Ctrl-C."""
    demo.start(events=600)
    demo.wait_until(demo.is_ready)
    keys = demo.keys()
    assert set(keys) == {"Write", "Read", "Admin", "Owner"}
    assert f"{demo.url}/graphql#key={keys['Read']}\n" in demo.output()
    before = demo.ask(EVENTS, keys["Read"])
    demo.ask('mutation { trackPageView(input: {pageUrl: "/x"}) { verdict } }', keys["Write"])
    mongod = demo.mongod()
    assert mongod is not None
    assert demo.press_ctrl_c() == 0
    assert demo.mongod() is None
    assert "Traceback" not in demo.output()

    demo.start(events=600)
    demo.wait_until(demo.is_ready)
    assert "Filling" not in demo.output()
    assert demo.keys() == keys
    after = demo.ask(EVENTS, keys["Read"])
    assert _events(after) == _events(before) + 1
    assert demo.press_ctrl_c() == 0
    assert demo.mongod() is None


def test_the_printed_command_tracks_an_impression(demo: Demo) -> None:
    """The line with curl can be pasted into a shell as it is."""
    demo.start(events=50)
    demo.wait_until(demo.is_ready)
    [command] = [line for line in demo.output().splitlines() if line.startswith("curl ")]
    answer = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=20)
    tracked = json.loads(answer.stdout)["data"]["trackImpression"]
    assert tracked == {"verdict": "ACCEPTED", "reason": None}


def test_ctrl_c_while_filling_ends_everything(demo: Demo) -> None:
    """No traceback, no mongod; started again it completes what was begun."""
    demo.start(events=500_000)
    demo.wait_until(lambda: "Filling" in demo.output())
    assert demo.press_ctrl_c() == 130
    assert demo.mongod() is None
    assert "Traceback" not in demo.output()
    demo.start(events=100)
    demo.wait_until(demo.is_ready)
    assert "Filling" in demo.output()
    assert demo.press_ctrl_c() == 0


def test_ctrl_c_while_mongod_starts_ends_it_too(demo: Demo) -> None:
    """It has a session of its own and does not get the signal itself."""
    demo.start(events=100)
    demo.wait_until(lambda: demo.mongod() is not None)
    assert demo.press_ctrl_c() == 130
    assert demo.mongod() is None
    assert "Traceback" not in demo.output()


def test_a_port_that_is_taken_is_said_at_once(demo: Demo) -> None:
    """Not after a minute of filling."""
    demo.start(events=100)
    demo.wait_until(demo.is_ready)
    done = subprocess.run(
        [PROGRAM, "serve", "--demo"],
        env={
            **os.environ,
            "FOOTFALL_DATA_DIR": str(demo.folder / "other"),
            "FOOTFALL_PORT": demo.url.rpartition(":")[2],
        },
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert b"FOOTFALL_PORT" in done.stderr
    assert b"Filling" not in done.stderr


def _events(data: dict[str, object]) -> int:
    report = data["report"]
    assert isinstance(report, dict)
    count: int = report["totals"]["events"]
    return count
