"""The GraphQL-over-HTTP specification, as the suite of npm's graphql-http checks it."""

import json
import subprocess
from pathlib import Path

from tests.conftest import LiveServer

SCRIPT = Path(__file__).parent / "audit.js"


def test_every_audit_passes_strictly(live_server: LiveServer) -> None:
    """Of all audits none ends in an error or a warning, nor in a notice about what MAY be done."""
    done = subprocess.run(
        ["node", SCRIPT, f"{live_server.url}/graphql", live_server.read_key],
        capture_output=True,
        text=True,
        check=True,
    )
    audits = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(audits) > 50
    assert [audit for audit in audits if audit["status"] != "ok"] == []
