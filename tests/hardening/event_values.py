"""What may come in one event: hostile, unusual or simply wrong, and what must become of it.

A row's fields are an object, or the text of its inside where Python's JSON cannot write it. MARK
stands in every value that has room for it: it must be found nowhere when the event is refused.
"""

from dataclasses import dataclass
from typing import Any

from bson import Decimal128

MARK = "mark7f3a"
OWNED = "'\";--<script>" + MARK

SURROGATE = "\\ud800"  # as JSON text: half of a character
# More than Python itself reads as a number, which is 4,300.
DIGITS = "1" * 5_000


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `field` is what the message must name, None for an event that is counted."""

    name: str
    fields: dict[str, Any] | str
    field: str | None
    reason: str = "INVALID"


def _nested(depth: int) -> dict[str, Any]:
    """An object of so many levels."""
    inner: Any = MARK
    for _ in range(depth):
        inner = {"a": inner}
    return {"properties": inner}


def _keys(number: int) -> dict[str, Any]:
    return {"properties": {f"{MARK}{place}": place for place in range(number)}}


def _kept(properties: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"properties": properties}, {"properties": properties}


def _sized(size: int) -> dict[str, Any]:
    """Properties of so many bytes as JSON."""
    return {"properties": {"a": MARK + "x" * (size - len('{"a":""}') - len(MARK))}}


REFUSED = [
    # Keys and texts that a database might take for something else
    EventRow("a key that is an operator", {"properties": {"$where": MARK}}, "properties"),
    EventRow("an operator one level down", {"properties": {"a": {"$ne": MARK}}}, "properties"),
    EventRow("an operator in a list", {"properties": {"a": [{"$set": MARK}]}}, "properties"),
    EventRow("a key with a dot", {"properties": {f"{MARK}.b": 1}}, "properties"),
    EventRow("a key that is a dot", {"properties": {".": MARK}}, "properties"),
    EventRow("a key with NUL", {"properties": {f"a\0{MARK}": 1}}, "properties"),
    EventRow("an empty key", {"properties": {"": MARK}}, "properties"),
    EventRow("a key with an escape", {"properties": {f"\x1b[31m{MARK}": 1}}, "properties"),
    EventRow("NUL in properties", {"properties": {"a": f"\0{MARK}"}}, "properties"),
    EventRow("NUL in an item", {"itemId": f"{MARK}\0"}, "itemId"),
    EventRow("NUL in an id", {"id": f"{MARK}\0"}, "id"),
    EventRow("NUL in a session", {"sessionId": f"\0{MARK}"}, "sessionId"),
    EventRow("an operator for an item", {"itemId": {"$ne": MARK}}, "itemId"),
    EventRow("an operator for a session", {"sessionId": {"$gt": MARK}}, "sessionId"),
    EventRow("an operator for an id", {"id": {"$exists": MARK}}, "id"),
    EventRow("a list for an item", {"itemId": [MARK]}, "itemId"),
    EventRow("a line end in an id", {"id": f"a\x0b{MARK}"}, "id"),
    EventRow("an escape in a source", {"source": f"\x1b]0;{MARK}\x07"}, "source"),
    EventRow("DEL in a title", {"pageTitle": f"{MARK}\x7f"}, "pageTitle"),
    # Lone surrogates, which no database and no file can keep
    EventRow("half a character in an item", f'"itemId": "{MARK}{SURROGATE}"', "itemId"),
    EventRow("half a character in an id", f'"id": "{MARK}{SURROGATE}"', "id"),
    EventRow("half a character in a name", f'"name": "{MARK}{SURROGATE}"', "name"),
    EventRow("the other half", f'"userId": "\\udfff{MARK}"', "userId"),
    EventRow("halves in the wrong order", f'"source": "\\udc00\\ud800{MARK}"', "source"),
    EventRow("half a character in properties", f'"properties": {{"a": "{MARK}{SURROGATE}"}}', "properties"),
    EventRow("half a character in a key", f'"properties": {{"{MARK}{SURROGATE}": 1}}', "properties"),
    EventRow("half a character in a field's name", f'"{MARK}{SURROGATE}": 1', "event"),
    EventRow("half a character in a type", f'"type": "{MARK}{SURROGATE}"', "type"),
    EventRow("half a character in a time", f'"timestamp": "{SURROGATE}{MARK}"', "timestamp"),
    EventRow("half a character in an amount", f'"conversionValue": "1{SURROGATE}"', "conversionValue"),
    # Numbers
    EventRow("2^63", {"properties": {"a": 2**63}}, "properties"),
    EventRow("-2^63 - 1", {"properties": {"a": -(2**63) - 1}}, "properties"),
    EventRow("2^64", {"properties": {"a": 2**64}}, "properties"),
    EventRow("2^64 one level down", {"properties": {"a": [{"b": 2**64}]}}, "properties"),
    EventRow("a whole number of 5,000 digits", f'"properties": {{"a": {DIGITS}}}', "properties"),
    EventRow("a position of 5,000 digits", f'"position": {DIGITS}', "position"),
    EventRow("a time of 5,000 digits", f'"timestamp": {DIGITS}', "timestamp"),
    EventRow("an amount of 5,000 digits", f'"conversionValue": {DIGITS}', "conversionValue"),
    EventRow("an item of 5,000 digits", f'"itemId": {DIGITS}', "itemId"),
    EventRow("1e999 in properties", '"properties": {"a": 1e999}', "properties"),
    EventRow("-1e999 in a point", '"clickPosition": {"x": -1e999, "y": 0}', "clickPosition.x"),
    EventRow("1e999 as an amount", '"conversionValue": 1e999', "conversionValue"),
    EventRow("1e999 as a position", '"position": 1e999', "position"),
    EventRow("NaN as an amount", {"conversionValue": "NaN"}, "conversionValue"),
    EventRow("sNaN as an amount", {"conversionValue": "sNaN"}, "conversionValue"),
    EventRow("infinity as an amount", {"conversionValue": "-Infinity"}, "conversionValue"),
    EventRow("an amount below zero", {"conversionValue": "-0.01"}, "conversionValue"),
    EventRow("an amount of 35 digits", {"conversionValue": "0." + "1" * 35}, "conversionValue"),
    EventRow("an amount with an exponent", {"conversionValue": "1e-6144"}, "conversionValue"),
    EventRow("an amount that is a formula", {"conversionValue": f"=1+1{MARK}"}, "conversionValue"),
    EventRow("true as an amount", {"conversionValue": True}, "conversionValue"),
    EventRow("a position below one", {"position": 0}, "position"),
    EventRow("a position of 2^31", {"position": 2**31}, "position"),
    EventRow("a position that is text", {"position": MARK}, "position"),
    EventRow("engagement of more than 30 minutes", {"engagementDuration": 1_800_001}, "engagementDuration"),
    EventRow("a scroll depth of 101", {"scrollDepth": 101}, "scrollDepth"),
    EventRow("a point far away", {"clickPosition": {"x": 0, "y": 1e300}}, "clickPosition.y"),
    EventRow("half a point", {"clickPosition": {"x": 1}}, "clickPosition"),
    # Sizes
    EventRow("properties of more than 10 KB", _sized(10_241), "properties"),
    EventRow("properties of 200 KB", _sized(200_000), "properties"),
    EventRow("101 keys", _keys(101), "properties"),
    EventRow("5 levels", _nested(5), "properties"),
    EventRow("900 levels", _nested(900), "properties"),
    EventRow("a list of 900 levels", '"properties": {"a": ' + "[" * 900 + "]" * 900 + "}", "properties"),
    EventRow("properties that are text", {"properties": MARK}, "properties"),
    EventRow("properties that are a list", {"properties": [MARK]}, "properties"),
    EventRow("an item of 257 characters", {"itemId": MARK + "x" * 249}, "itemId"),
    EventRow("an id of 129 characters", {"id": MARK + "x" * 121}, "id"),
    EventRow("a page of 2,049 characters", {"pageUrl": "/" + MARK + "x" * 2_040}, "pageUrl"),
    EventRow("a user agent of 2,049 characters", {"userAgent": MARK + "x" * 2_041}, "userAgent"),
    # Addresses
    EventRow("a script for a page", {"pageUrl": f"javascript:alert('{MARK}')"}, "pageUrl"),
    EventRow("a script behind a space", {"pageUrl": f" JaVaScRiPt:{MARK}"}, "pageUrl"),
    EventRow("a script behind a control character", {"pageUrl": f"\x01javascript:{MARK}"}, "pageUrl"),
    EventRow("a script broken by a line end", {"pageUrl": f"java\nscript:{MARK}"}, "pageUrl"),
    EventRow("a script broken by a tab", {"referrer": f"java\tscript:{MARK}"}, "referrer"),
    EventRow("data for a page", {"pageUrl": f"data:text/html,{MARK}"}, "pageUrl"),
    EventRow("Visual Basic for a referrer", {"referrer": f"vbscript:{MARK}"}, "referrer"),
    EventRow("a file for a referrer", {"referrer": f"file:///etc/passwd?{MARK}"}, "referrer"),
    EventRow("a port that is none", {"pageUrl": f"https://shop.example:99999/{MARK}"}, "pageUrl"),
    EventRow("half a bracket", {"pageUrl": f"https://[::1/{MARK}"}, "pageUrl"),
    # Times and places
    EventRow("an offset for a time zone", {"timezone": "+25:00"}, "timezone"),
    EventRow("a time zone that is a path", {"timezone": f"../../etc/{MARK}"}, "timezone"),
    EventRow("a time zone of no world", {"timezone": f"Mars/{MARK}"}, "timezone"),
    EventRow("an offset that is none", {"timestamp": "2026-06-15T12:00:00+25:00"}, "timestamp"),
    EventRow("the 31st of June", {"timestamp": "2026-06-31T00:00:00Z"}, "timestamp"),
    EventRow("the year 10000", {"timestamp": "10000-01-01T00:00:00Z"}, "timestamp"),
    EventRow("before the year 1 by its offset", {"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
    EventRow("a time that is no text", {"timestamp": 1_700_000_000}, "timestamp"),
    EventRow("the year 1", {"timestamp": "0001-01-01T00:00:00Z"}, "timestamp", "TIMESTAMP"),
    EventRow("the year 9999", {"timestamp": "9999-12-31T23:59:59.999Z"}, "timestamp", "TIMESTAMP"),
    EventRow("a language that is none", {"language": f"de;q=0.5,{MARK}"}, "language"),
    EventRow("a screen that is none", {"screenResolution": "9e9x9e9"}, "screenResolution"),
    EventRow("a currency that is none", {"conversionCurrency": "€€€"}, "conversionCurrency"),
    # Shapes
    EventRow("a type that is none", {"type": MARK}, "type"),
    EventRow("a field that is no name", {f"{MARK} $where": 1}, "event"),
    EventRow("text for a truth", {"consentGiven": MARK}, "consentGiven"),
]  # fmt: skip

# What is unusual and right: counted, and kept as it came. With what is stored of it.
ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an item that looks like an operator": ({"itemId": "$where"}, {"item": "$where"}),
    "an item that looks like a path": ({"itemId": "a.b.$c"}, {"item": "a.b.$c"}),
    "an item that looks like a query": ({"itemId": '{"$gt": ""}'}, {"item": '{"$gt": ""}'}),
    "an item that looks like a formula": ({"itemId": "=1+1"}, {"item": "=1+1"}),
    "a title with markup": ({"pageTitle": OWNED}, {"page_title": OWNED}),
    "text from right to left": ({"itemId": "\u202egnp.exe"}, {"item": "\u202egnp.exe"}),
    "a key of JavaScript": _kept({"__proto__": {"constructor": 1}}),
    "2^63 - 1 and -2^63": _kept({"a": 2**63 - 1, "b": -(2**63)}),
    "the smallest and the largest of doubles": _kept({"a": 5e-324, "b": -9.2e18}),
    "10 KB of properties": _kept(_sized(10_240)["properties"]),
    "100 keys": _kept(_keys(100)["properties"]),
    "4 levels": _kept(_nested(4)["properties"]),
    "an amount of 31 digits": ({"conversionValue": "1." + "1" * 30}, {"value": Decimal128("1." + "1" * 30)}),
    "a path that leaves the site": ({"pageUrl": "/../../etc/passwd%00"}, {"page": "/../../etc/passwd%00"}),
}  # fmt: skip
