"""Settings of a site count in every process."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import OWNER_KEY, LiveServer, start_server, stop_server

TRACK = 'mutation { trackPageView(input: {pageUrl: "/"}) { reason } }'
SECONDS = 20.0  # several times what it should take


def ask(server: LiveServer, query: str, key: str, site: str | None = None) -> dict[str, Any]:
    named = {"X-Footfall-Site": site} if site else {}
    response = httpx.post(
        f"{server.url}/graphql",
        json={"query": query},
        headers={"Authorization": f"Bearer {key}", **named},
        timeout=10,
    )
    answer: dict[str, Any] = response.json()
    return answer


def wait_for(server: LiveServer, expected: str) -> None:
    """Until the server answers a page view so."""
    deadline = time.monotonic() + SECONDS
    while expected not in str(answer := ask(server, TRACK, server.write_key)):
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)


def test_a_change_is_seen_by_another_process(mongo_url: str, tmp_path: Path) -> None:
    """A setting, archiving and restoring, each within seconds and without a restart."""
    with ExitStack() as running:

        def serve() -> LiveServer:
            server = start_server(
                mongo_url, "test_sites_live", tmp_path, FOOTFALL_OWNER_KEY=OWNER_KEY
            )
            running.callback(stop_server, server)
            return server

        one, other = serve(), serve()
        assert ask(other, TRACK, other.write_key)["data"]["trackPageView"] == {"reason": None}
        update = "mutation { updateSite(input: {consentRequired: %s}) { id } }"
        assert "errors" not in ask(one, update % "true", one.admin_key)
        wait_for(other, "NO_CONSENT")
        assert "errors" not in ask(one, update % "false", OWNER_KEY, "demo")
        assert "errors" not in ask(one, 'mutation { archiveSite(id: "demo") { id } }', OWNER_KEY)
        wait_for(other, "archived")
        assert "errors" not in ask(one, 'mutation { restoreSite(id: "demo") { id } }', OWNER_KEY)
        wait_for(other, "'reason': None")
