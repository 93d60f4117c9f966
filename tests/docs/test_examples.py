"""The examples of docs/tracking.md, run as they stand against a running server."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.docs.markdown import ROOT, blocks, body

PAGE = ROOT / "docs" / "tracking.md"


@pytest.fixture
def footfall(live_server: Any) -> Iterator[Any]:
    """`footfall(key)`: the backend service's client of the page."""
    [example] = [block.text for block in blocks(PAGE) if block.language == "python"]
    names: dict[str, Any] = {}
    exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102
    opened = []

    def make(key: str) -> Any:
        opened.append(names["Footfall"](live_server.url, key))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def test_the_backend_example_tracks_and_tells_what_was_rejected(
    footfall: Any, live_server: Any
) -> None:
    """Accepted events and repeats need nothing; a rejected one comes back with its reason."""
    client = footfall(live_server.write_key)
    seen = {"type": "IMPRESSION", "itemId": "lot-7", "sessionId": "backend-example"}
    assert client.track([seen, seen]) == []
    [rejected] = client.track([seen, {"type": "CLICK", "sessionId": "backend-example"}])
    assert (rejected["reason"], rejected["event"]["type"]) == ("INVALID", "CLICK")


def test_the_backend_example_says_when_the_call_itself_is_wrong(footfall: Any) -> None:
    """With a key that is none it does not try again but raises."""
    with pytest.raises(ValueError, match="API key"):
        footfall("no such key").track([{"type": "PAGE_VIEW"}])


def test_the_curl_examples_are_accepted(live_server: Any) -> None:
    """Every event that the page sends is a valid one."""
    sent = [body(block.text) for block in blocks(PAGE) if "curl" in block.text]
    assert len(sent) == 2
    for request in sent:
        answer = httpx.post(
            f"{live_server.url}/graphql",
            json=request,
            headers={"Authorization": f"Bearer {live_server.write_key}"},
        ).json()
        [result] = answer["data"].values()
        results = result.get("results", [result])
        assert {each["reason"] for each in results} <= {None, "COOLDOWN"}
