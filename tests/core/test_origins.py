"""Origins, as they are written down and as browsers send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.origins import parse_origin

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (SHOP, SHOP),
        ("https://shop.example/", SHOP),
        ("HTTPS://Shop.EXAMPLE", SHOP),
        ("https://shop.example:443", SHOP),
        ("https://shop.example:443/", SHOP),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://shop.example:80", "https://shop.example:80"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://192.0.2.1:8000", "http://192.0.2.1:8000"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://www.shop.example", "https://www.shop.example"),
    ],
)
def test_origins_are_compared_as_one_text(text: str, origin: str) -> None:
    """Without regard to case, the scheme's own port and a slash at the end; and what has been read once
    stays as it is."""
    assert parse_origin(text) == origin
    assert parse_origin(origin) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "javascript:alert(1)",
        "https://",
        "https://:443",
        "https://shop.example/path",
        "https://shop.example?a=1",
        "https://shop.example?",
        "https://shop.example#top",
        "https://shop.example#",
        "https://user@shop.example",
        "https://user:secret@shop.example",
        "https://shop.example:99999",
        "https://shop.example:port",
        "https://shop_.example",
        "https://-shop.example",
        "https://shop..example",
        "https://*.shop.example",
        "https://shop.example, https://other.example",
        "https://shop.example https://other.example",
        " https://shop.example",
        "https://shop.example\n",
        "https://shop.example\\@other.example",
        "https://[::1",
        "https://" + "a" * 300 + ".example",
    ],
)
def test_what_is_no_origin(text: str) -> None:
    """Nothing is guessed."""
    assert parse_origin(text) is None


@given(st.text(max_size=60) | st.from_regex(r"https?://[ -~]{0,40}", fullmatch=True))
def test_any_text_may_come(text: str) -> None:
    """It is an origin that stays the same when it is read again, or none; never an error."""
    origin = parse_origin(text)
    assert origin is None or parse_origin(origin) == origin
