"""Whose address counts."""

import pytest
from starlette.requests import Request

from app.http.requests import key_of, parse_networks, request_info


def request(peer: str | None, *forwarded: str, **headers: str) -> Request:
    raw = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["spoofed, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::FFFF:203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_the_rightmost_untrusted_address_counts(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    """X-Forwarded-For is believed from trusted proxies only, and only as far as they wrote it; IPv4 is
    IPv4 also where a socket of IPv6 took it."""
    info = request_info(request(peer, *forwarded), parse_networks("10.0.0.0/8"))
    assert info.address == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"user_agent": "Firefox"}, None),
        ({"user_agent": "Firefox", "origin": "https://a.example"}, "Firefox"),
        ({"user_agent": "Firefox", "sec_fetch_mode": "cors"}, "Firefox"),
        ({"user_agent": "Firefox", "sec_fetch_site": "cross-site"}, "Firefox"),
        ({"origin": "https://a.example"}, None),
    ],
)
def test_the_user_agent_header_counts_where_a_browser_sent_it(
    headers: dict[str, str], expected: str | None
) -> None:
    """Origin or Sec-Fetch-* tell a browser from a backend's HTTP client."""
    assert request_info(request("192.0.2.1", **headers), ()).user_agent == expected


def test_a_bearer_token_wins_over_the_other_header() -> None:
    """Where both are given, Authorization counts."""
    assert key_of("Bearer a", "b") == "a"
    assert key_of("Basic x", "b") == "b"
