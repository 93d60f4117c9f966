"""The headers that keep a browser from taking an answer for something else."""

from typing import Any

import pytest

JSON = {"accept": "application/json", "x-api-key": "test-read-key"}


@pytest.mark.parametrize(
    "path",
    ["/graphql", "/graphql?query={__typename}", "/health/live", "/health/ready", "/metrics", "/nothing", "/"],
)  # fmt: skip
async def test_every_answer_is_closed(api: Any, path: str) -> None:
    """Whatever is answered: no sniffing, no frames, no referrer, nothing to be loaded, not kept."""
    headers = (await api.http.get(path, headers=JSON)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_page_has_its_own_policy_once(api: Any) -> None:
    """GraphiQL may load what is ours; the stricter policy is not added to it."""
    headers = (await api.http.get("/graphql", headers={"accept": "text/html"})).headers
    [policy] = headers.get_list("content-security-policy")
    assert "script-src 'self'" in policy
    assert headers["cache-control"] == "no-cache"
    assert headers["x-frame-options"] == "DENY"
