"""Reading JSON: what is valid is read whole, whatever one value in it is."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.json_text import read_json
from tests.examples import examples

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(VALUES)
@settings(max_examples=examples(40), deadline=None)
def test_what_is_beside_an_odd_value_is_read_as_ever(value: Any) -> None:
    """Alone, and beside half of a character and a number that no double can hold."""
    text = json.dumps(value)
    assert read_json(text.encode()) == value
    beside = read_json(f'[{text}, "\\ud800", 1e999]'.encode())
    assert beside == [value, "\ud800", math.inf]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\udfff"', "a\udfff"),
        ("-1e999", -math.inf),
        ("1" * 5_000, math.inf),
        ("-" + "1" * 400, -math.inf),
        (f'["\\ud800", {2**63}]', ["\ud800", 2**63]),
        (f'["\\ud800", {10**30}]', ["\ud800", 1e30]),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "backslashreplace").decode(),
)
def test_odd_values_are_read_as_what_they_are(text: str, value: Any) -> None:
    """So that whoever takes them can refuse them, and nothing else."""
    assert read_json(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"NaN", b"[Infinity]", b'["\\ud800", NaN]', b"'a'", b'"\xff"', b'"\xed\xa0\x80"',
        b'{"a": 1,}', b"[" * 2_000 + b"]" * 2_000, b'"a\nb"', b"1 2",
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_what_is_no_json_is_refused(text: bytes) -> None:
    """ValueError, also for what is nested too deeply to be read."""
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
