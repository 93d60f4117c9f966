"""Somebody who looks at a dashboard while events come in: one report a second."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.bench.servers import Servers

REPORT = """{ report(range: { preset: LAST_24_HOURS }) { totals { impressions clicks uniqueVisitors } } }"""
EVERY_SECONDS = 1.0
TIMEOUT_SECONDS = 30


@contextmanager
def watching_dashboard(servers: Servers) -> Iterator[None]:
    """Ask for a report each second while the block runs."""
    ended = threading.Event()

    def watch() -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            while not ended.wait(EVERY_SECONDS):
                answer = client.post(
                    f"{servers.api.url}/graphql",
                    json={"query": REPORT},
                    headers={"Authorization": f"Bearer {servers.api.read_key}"},
                )
                answer.raise_for_status()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
