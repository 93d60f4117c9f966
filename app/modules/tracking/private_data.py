"""Private data in texts of events: what looks like it is replaced before anything is stored.

Looked for: e-mail addresses, tokens (JWT, hexadecimal and base64 of 32 characters or more, those that begin
like what large services issue, and values of parameters called so), card numbers and telephone numbers with
a country's code. What people name their things by stays: words however long, UUIDs, and numbers of lots,
also long ones.

Anybody may send these texts, on purpose too: each takes time in proportion to its length.
"""

import operator
import re
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

REMOVED = "[removed]"

# Texts of an event's document in which people write things, or programs for them. Ids are the caller's
# own: what they are is for the caller to choose.
TEXTS = (
    "source",
    "page",
    "page_title",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
)

# Shorter texts without one of these characters can have none of it.
SHORTEST_NUMBER = 9
SHORTEST_TOKEN = 32

# An address from its @ on, which may be encoded for a URL, twice too, and what can stand before that.
_AT_DOMAIN = re.compile(r"(?:@|%(?:25)*40)[^\W_][\w-]{0,62}(?:\.[^\W_][\w-]{0,62}){1,8}")
_MAILBOX = re.compile(r"[\w.!#$%&'*+=?^{|}~-]{1,64}$")
_LONGEST_MAILBOX = 64
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?")
_ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:[spr]k_(?:live|test)_|gh[opsur]_|github_pat_|glpat-|xox[abposr]-|AKIA(?=[0-9A-Z]{16}))"
    r"[\w-]{10,}"
)
_PARAMETER = re.compile(
    r"([?&;#](?:access_?token|api_?key|auth|jsessionid|key|password|phpsessid|pwd|secret|session(?:_?id)?|sid"
    r"|sig|signature|token)=)[^&;#/\s]+",
    re.IGNORECASE,
)
_TOKEN = re.compile(rf"[\w-]{{{SHORTEST_TOKEN},}}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w+])(?:\+|%2B)[1-9](?:[ ()./-]{0,2}\d){7,14}(?!\d)", re.IGNORECASE)
# Of the large card networks, as they are printed or without spaces.
_CARD = re.compile(
    r"(?<!\d)(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|35\d\d|6(?:011|[45]\d\d))([ -]?)\d{4}\1\d{4}\1\d{4}"
    r"|3[47]\d\d([ -]?)\d{6}\2\d{5}|3[068]\d\d([ -]?)\d{6}\3\d{4})(?!\d)"
)
# What a token is made of, each character as the first of its kind.
_KINDS = str.maketrans(
    {
        **dict.fromkeys(digits, "0"),
        **dict.fromkeys(ascii_lowercase, "a"),
        **dict.fromkeys(ascii_uppercase, "A"),
        "_": "-",
    }
)
_SEPARATORS = str.maketrans("", "", " -")
_DOUBLED = {digit: sum(divmod(2 * int(digit), 10)) for digit in digits}


@lru_cache(maxsize=20_000)
def clean(text: str) -> str:
    """The text with `[removed]` in the place of private data. For texts that come again and again."""
    return clean_once(text)


def clean_once(text: str) -> str:
    """The same for texts that are different each time."""
    if len(text) < SHORTEST_NUMBER and "@" not in text:
        return text
    if "@" in text or "40" in text:
        text = _without_mail(text)
    if "+" in text or "%2B" in text or "%2b" in text:
        text = _PHONE.sub(REMOVED, text)
    if "eyJ" in text:
        text = _JWT.sub(REMOVED, text)
    if "_" in text or "-" in text or "AKIA" in text:
        text = _ISSUED.sub(REMOVED, text)
    if "=" in text:
        text = _PARAMETER.sub(rf"\1{REMOVED}", text)
    if len(text) >= SHORTEST_TOKEN:
        text = _TOKEN.sub(_without_token, text)
    return _CARD.sub(_without_card, text)


def clean_document(document: dict[str, Any]) -> None:
    """Make the texts of an event's document clean."""
    for name in TEXTS:
        text = document.get(name)
        if text is not None:
            document[name] = clean(text)
    properties = document.get("properties")
    if properties:
        document["properties"] = clean_json(properties)


def clean_json(value: Any) -> Any:
    """A JSON value with all of its texts clean. Keys are names, and stay."""
    if isinstance(value, str):
        return clean_once(value)
    if isinstance(value, dict):
        return {key: clean_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [clean_json(inner) for inner in value]
    return value


def _without_mail(text: str) -> str:
    left, end = [], 0
    for found in _AT_DOMAIN.finditer(text):
        begin = max(end, found.start() - _LONGEST_MAILBOX)
        mailbox = _MAILBOX.search(text, begin, found.start())
        if mailbox:
            left += [text[end : mailbox.start()], REMOVED]
            end = found.end()
    return "".join([*left, text[end:]])


def _without_token(found: re.Match[str]) -> str:
    return REMOVED if _is_token(found[0]) else found[0]


def _is_token(text: str) -> bool:
    """Whether letters and digits change as they do where chance has chosen them, and not a person."""
    kinds = text.translate(_KINDS)
    if "0" not in kinds or _UUID.fullmatch(text):
        return False
    changes: int = sum(map(operator.ne, kinds, kinds[1:]))
    return changes - 2 * kinds.count("-") >= len(text) / 5


def _without_card(found: re.Match[str]) -> str:
    number = found[0].translate(_SEPARATORS)
    # Luhn: every second digit from the right is doubled, and its digits are added up.
    total = sum(map(int, number[-1::-2])) + sum(map(_DOUBLED.__getitem__, number[-2::-2]))
    return REMOVED if total % 10 == 0 else found[0]
