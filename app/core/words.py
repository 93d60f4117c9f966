"""Words, as the search of the catalogue knows them."""

import unicodedata

# Combining marks of these classes and above are accents; below are vowel signs and the like.
_FIRST_ACCENT = 200


def words_of(text: str) -> list[str]:
    """The words of a text, in their order, without regard to case and accents.

    A word is letters, the marks that belong to them, and digits, of any language; everything else
    stands between words. `words_of("L'Été, 2nd-hand")` is `["l", "ete", "2nd", "hand"]`.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    replacements = {ord(character): _replacement(character) for character in set(folded)}
    words = unicodedata.normalize("NFC", folded.translate(replacements)).split()
    return [word for word in words if any(character.isalnum() for character in word)]


def _replacement(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or unicodedata.combining(character) >= _FIRST_ACCENT:
        return ""  # a soft hyphen or an accent: nothing that ends a word
    return character if category[0] in "LMN" else " "
