"""Which words a text has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L'Été, 2nd-hand", ["l", "ete", "2nd", "hand"]),
        ("CAFÉ cafe\u0301", ["cafe", "cafe"]),
        ("Straße İstanbul", ["strasse", "istanbul"]),
        ("snake_case $where {a.b}", ["snake", "case", "where", "a", "b"]),
        ("हिन्दी नेपाल", ["हिन्दी", "नेपाल"]),
        ("かが カ゛", ["かが", "カ"]),
        ("co\u00adoperate می\u200cروم", ["cooperate", "میروم"]),
        ("m² ﬁn Ⅷ ½", ["m2", "fin", "viii", "1", "2"]),
        ("한국어 ключ", ["한국어", "ключ"]),
        ("😀 -- \"' \t\n", []),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    """Letters with their marks and digits, of any language, without case and accents."""
    assert words_of(text) == words


@given(st.text())
def test_words_of_words_are_themselves(text: str) -> None:
    """What is stored for the search is what would be read from it again."""
    words = words_of(text)
    assert words_of(" ".join(words)) == words
