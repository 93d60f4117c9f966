"""The API processes of a run: `footfall serve`, or one of the variants in variants.py."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import httpx

from tests.faults.processes import ROOT, Program, free_ports, kill

WORKERS = 2
WRITE_KEY = "faults-write-key"
START_SECONDS = 40
FOOTFALL = Path(sys.executable).parent / "footfall"


class ApiServer:
    """One API: a parent process with its workers, on a port that stays the same."""

    def __init__(self, mongo_url: str, database: str, folder: Path, variant: str | None) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self._environment = {
            "FOOTFALL_MONGO_URL": mongo_url,
            "FOOTFALL_DATABASE": database,
            "FOOTFALL_PORT": str(port),
            "FOOTFALL_WORKERS": str(WORKERS),
            "FOOTFALL_RATE_LIMIT": "off",
            "FOOTFALL_LOG_LEVEL": "warning",
            "FOOTFALL_DEMO_WRITE_KEY": WRITE_KEY,
            "FOOTFALL_DEMO_READ_KEY": "faults-read-key",
            "FOOTFALL_DEMO_ADMIN_KEY": "faults-admin-key",
            "PYTHONPATH": str(ROOT),  # the variants are found by their name
        }
        if variant is None:
            command = [str(FOOTFALL), "serve"]
        else:
            command = [sys.executable, "-m", "tests.faults.variants", variant]
        log = folder / f"{database}-{port}.log"
        self._folder = folder
        self.program = Program(command, self._environment, folder, log)

    def footfall(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Footfall on the same database."""
        return subprocess.run(
            [str(FOOTFALL), *arguments],
            env={**os.environ, **self._environment},
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def ready(self) -> None:
        """Wait until it takes events."""
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(START_SECONDS * 20):
                if not self.program.alive():
                    break
                try:
                    answer = await client.get(f"{self.url}/health/ready", timeout=5)
                    if answer.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise TimeoutError(f"the API did not become ready; its log is {self.program.log}")

    def kill_a_worker(self, choose: random.Random) -> bool:
        """SIGKILL one of the workers; the parent starts a new one. False where there is none now."""
        workers = self.program.children()
        if not workers:
            return False
        kill(choose.choice(workers))
        return True
