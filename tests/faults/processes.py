"""Starting, freezing and killing processes: only those of this run, by their id."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Program:
    """A program in a session of its own: Ctrl-C in the terminal reaches the harness alone."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        self._command = list(command)
        self._environment = {**os.environ, **environment}
        self._folder = folder
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.frozen = False

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("it has not been started")
        return self._process.pid

    def start(self) -> None:
        self.frozen = False
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def children(self) -> list[int]:
        """The worker processes that it has now."""
        try:
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        except OSError:
            return []
        return [int(pid) for pid in listed if b"spawn_main" in _command_line(int(pid))]

    def kill(self) -> None:
        """SIGKILL to this process alone; its children, if any, become orphans."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_all(self) -> None:
        """SIGKILL to it, its children and its orphans, as a container or a service manager would."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def freeze(self) -> None:
        """Stop it and its children in the middle of whatever they do. Returns when they stand still."""
        self.frozen = True
        os.killpg(self.pid, signal.SIGSTOP)
        while any(_state(pid) not in "TtZX" for pid in (self.pid, *self.children())):
            time.sleep(0.001)

    def thaw(self) -> None:
        self.frozen = False
        os.killpg(self.pid, signal.SIGCONT)

    def stop(self, seconds: float = 20) -> None:
        """End it in order, or by force when it takes longer."""
        if self._process is None:
            return
        if self.frozen:
            self.thaw()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill_all()


def kill(pid: int) -> None:
    """SIGKILL to a process that may have ended already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _state(pid: int) -> str:
    """The state letter of a process: T is stopped, X is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"
