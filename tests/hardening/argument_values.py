"""What may be given to queries, to mutations that change what there is, and to all who take alike.

MARK stands in every value that has room for it: no answer and no log may have it.
"""

from dataclasses import dataclass
from typing import Any

from tests.hardening.event_values import DIGITS, MARK, SURROGATE

BAD = "BAD_USER_INPUT"
LIMIT = "LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class ArgumentRow:
    """An operation with one value; the variables as JSON text where Python's JSON cannot write them.

    `code` and `field` are those of the error that must be answered; code None: it is an answer.
    """

    name: str
    operation: str
    variables: dict[str, Any] | str
    code: str | None
    field: str | None = None


ITEM = "mutation ($i: CreateItemInput!) { createItem(input: $i) { id } }"
CHANGE = 'mutation ($i: UpdateItemInput!) { updateItem(id: "lot-1", input: $i) { id } }'
SITE = "mutation ($i: UpdateSiteInput!) { updateSite(input: $i) { id } }"
VOID = 'mutation ($f: VoidInput!, $r: String = "why") { voidEvents(filter: $f, reason: $r) { voided } }'
DECISIONS = "query ($f: DecisionFilter, $a: String, $l: Int) { decisions(filter: $f, after: $a, limit: $l) { nextCursor } }"
SESSIONS = "query ($a: String, $v: ID) { sessions(after: $a, visitorId: $v) { nextCursor } }"
ITEMS = "query ($s: String, $f: ItemFilter, $p: Int, $l: Int) { items(search: $s, filter: $f, page: $p, limit: $l) { pagination { total } } }"
EXPLAIN = "query ($e: ID!) { explainEvent(eventId: $e) { state eventId } }"
FUNNEL = "query ($s: [FunnelStepInput!]!) { funnel(steps: $s) { steps { visitors } } }"
REPORT = "query ($f: ReportFilter) { report(filter: $f) { totals { events } } }"
EXPERIMENT = "query ($e: ID!, $g: GoalInput, $c: String, $n: Float, $s: [VariantShareInput!]) { experiment(experimentId: $e, goal: $g, control: $c, confidence: $n, expectedShares: $s) { warnings { code } } }"
CLICK_MAP = "query ($i: ID, $p: String, $w: Int, $c: Int) { clickMap(itemId: $i, page: $p, width: $w, columns: $c) { clicks } }"
PATHS = "query ($i: ID, $p: String) { paths(itemId: $i, page: $p) { sessions } }"
SCORE = "query ($i: ID, $c: ID) { performanceScore(itemId: $i, campaignId: $c) { score } }"
METRICS = "query ($f: SessionFilter) { sessionMetrics(filter: $f) { sessions { value } } }"


def _item(name: str, change: dict[str, Any], field: str) -> ArgumentRow:
    return ArgumentRow(f"an item with {name}", ITEM, {"i": {"title": "t", **change}}, BAD, field)


def _site(name: str, change: dict[str, Any], field: str) -> ArgumentRow:
    return ArgumentRow(f"a site with {name}", SITE, {"i": change}, BAD, field)


ROWS = [
    # Items
    _item("NUL in its id", {"id": f"{MARK}\0"}, "input.id"),
    _item("an id of 257 characters", {"id": MARK + "x" * 249}, "input.id"),
    _item("a title of 301 characters", {"title": MARK + "x" * 293}, "input.title"),
    _item("a blank title", {"title": " \t "}, "input.title"),
    _item("a script for a link", {"link": f"javascript:{MARK}"}, "input.link"),
    _item("a script broken by a line end", {"link": f"java\nscript:{MARK}"}, "input.link"),
    _item("data for an image", {"imageUrl": f"data:image/svg+xml,{MARK}"}, "input.imageUrl"),
    _item("a host that is none", {"imageUrl": f"https://[{MARK}"}, "input.imageUrl"),
    _item("an operator in its attributes", {"attributes": {"$set": MARK}}, "input.attributes"),
    _item("a dot in a key", {"attributes": {f"{MARK}.a": 1}}, "input.attributes"),
    _item("2^64 in its attributes", {"attributes": {"a": 2**64}}, "input.attributes"),
    _item("5 levels of attributes", {"attributes": {"a": {"b": {"c": {"d": {}}}}}}, "input.attributes"),
    _item("21 KB of attributes", {"attributes": {"a": MARK * 2_700}}, "input.attributes"),
    _item("a price below zero", {"price": "-1"}, "input.price"),
    _item("a price of 10^15", {"price": "1000000000000000"}, "input.price"),
    _item("no number for a price", {"price": f"NaN{MARK}"}, "i.price"),
    _item("a currency that is none", {"currency": MARK}, "input.currency"),
    _item("an end before its start", {"startsAt": "2026-06-02", "endsAt": "2026-06-01"}, "input.endsAt"),
    ArgumentRow("an item with half a character", ITEM, f'{{"i": {{"title": "{MARK}{SURROGATE}"}}}}', BAD, "input.title"),
    ArgumentRow("an item with half a character in its id", ITEM, f'{{"i": {{"id": "{SURROGATE}", "title": "a"}}}}', BAD, "input.id"),
    ArgumentRow("an item with half a character in a key", ITEM, f'{{"i": {{"title": "a", "attributes": {{"{MARK}{SURROGATE}": 1}}}}}}', BAD, "input.attributes"),
    ArgumentRow("a change to nothing", CHANGE, {"i": {"title": None}}, BAD, "input.title"),
    ArgumentRow("a change by an unknown field", CHANGE, {"i": {f"{MARK} $set": 1}}, BAD, "i"),
    ArgumentRow("half a character for an item", "query ($i: ID!) { item(id: $i) { id } }", f'{{"i": "{SURROGATE}"}}', None),
    ArgumentRow("half a character for an item to put away", "mutation ($i: ID!) { archiveItem(id: $i) { id } }", f'{{"i": "{SURROGATE}"}}', "NOT_FOUND", "id"),
    ArgumentRow("half a character in a search", ITEMS, f'{{"s": "{MARK}{SURROGATE}"}}', BAD, "search"),
    ArgumentRow("a search of 201 characters", ITEMS, {"s": MARK * 26}, BAD, "search"),
    ArgumentRow("a page below one", ITEMS, {"p": 0}, BAD, "page"),
    ArgumentRow("a page of 2^31 - 1", ITEMS, {"p": 2**31 - 1}, LIMIT, "page"),
    ArgumentRow("a category of 10,000 characters", ITEMS, {"f": {"category": MARK * 1_250}}, BAD, "filter.category"),
    ArgumentRow("NUL in a kind", ITEMS, {"f": {"kind": f"{MARK}\0"}}, BAD, "filter.kind"),
    ArgumentRow("prices the wrong way round", ITEMS, {"f": {"minPrice": "2", "maxPrice": "1"}}, BAD, "filter.maxPrice"),
    # The site
    _site("a time zone beyond the day", {"timezone": "+25:00"}, "input.timezone"),
    _site("a time zone that is a path", {"timezone": f"../../{MARK}"}, "input.timezone"),
    _site("a currency that is none", {"currency": MARK}, "input.currency"),
    _site("NUL in its name", {"name": f"{MARK}\0"}, "input.name"),
    _site("a sample of none", {"sampleOneIn": 0}, "input.sampleOneIn"),
    _site("a sample of 2^31 - 1", {"sampleOneIn": 2**31 - 1}, "input.sampleOneIn"),
    _site("an address that is none", {"excludedAddresses": [f"10.0.0.0/{MARK}"]}, "input.excludedAddresses"),
    _site("an item of 257 characters", {"excludedItems": [MARK + "x" * 249]}, "input.excludedItems"),
    ArgumentRow("a site with half a character", SITE, f'{{"i": {{"name": "{MARK}{SURROGATE}"}}}}', BAD, "input.name"),
    ArgumentRow("a site with half a character in a source", SITE, f'{{"i": {{"excludedSources": ["{MARK}{SURROGATE}"]}}}}', BAD, "input.excludedSources"),
    # The ledger
    ArgumentRow("a cursor of no page", DECISIONS, {"a": MARK}, BAD, "after"),
    ArgumentRow("a cursor with an operator", DECISIONS, {"a": '{"$gt": ""}'}, BAD, "after"),
    ArgumentRow("a cursor that was lengthened", DECISIONS, {"a": "01a1f9c4-592f-70e0-a71f-af529e118184x"}, BAD, "after"),
    ArgumentRow("a cursor that is half a character", DECISIONS, f'{{"a": "{SURROGATE}"}}', BAD, "after"),
    ArgumentRow("501 decisions", DECISIONS, {"l": 501}, BAD, "limit"),
    ArgumentRow("half a character for a decision's event", DECISIONS, f'{{"f": {{"eventId": "{MARK}{SURROGATE}"}}}}', BAD, "filter.eventId"),
    ArgumentRow("NUL in a decision's item", DECISIONS, {"f": {"itemId": f"{MARK}\0"}}, BAD, "filter.itemId"),
    ArgumentRow("a decision's session of 10,000 characters", DECISIONS, {"f": {"sessionId": MARK * 1_250}}, BAD, "filter.sessionId"),
    ArgumentRow("half a character to be explained", EXPLAIN, f'{{"e": "{MARK}{SURROGATE}"}}', BAD, "eventId"),
    ArgumentRow("NUL to be explained", EXPLAIN, {"e": f"{MARK}\0"}, BAD, "eventId"),
    ArgumentRow("an id of 10,000 characters to be explained", EXPLAIN, {"e": MARK * 1_250}, BAD, "eventId"),
    ArgumentRow("half a character to be released", "mutation ($e: ID!) { releaseEvent(eventId: $e) { verdict } }", f'{{"e": "{MARK}{SURROGATE}"}}', BAD, "eventId"),
    ArgumentRow("half a character for a void", "mutation ($v: ID!) { undoVoid(voidId: $v) }", f'{{"v": "{MARK}{SURROGATE}"}}', BAD, "voidId"),
    ArgumentRow("withdrawing everything", VOID, {"f": {}}, BAD, "filter"),
    ArgumentRow("withdrawing 1,001 events", VOID, {"f": {"eventIds": [MARK] * 1_001}}, BAD, "filter.eventIds"),
    ArgumentRow("withdrawing half a character", VOID, f'{{"f": {{"itemId": "{MARK}{SURROGATE}"}}}}', BAD, "filter.itemId"),
    ArgumentRow("withdrawing events of half a character", VOID, f'{{"f": {{"eventIds": ["{MARK}{SURROGATE}"]}}}}', BAD, "filter.eventIds"),
    ArgumentRow("withdrawing a source with NUL", VOID, {"f": {"source": f"{MARK}\0"}}, BAD, "filter.source"),
    ArgumentRow("withdrawing for no reason", VOID, {"f": {"itemId": "lot-1"}, "r": " "}, BAD, "reason"),
    ArgumentRow("withdrawing for an escape", VOID, {"f": {"itemId": "lot-1"}, "r": f"\x1b[31m{MARK}"}, BAD, "reason"),
    ArgumentRow("keeping less than no day", "mutation ($d: Int) { cleanOldEvents(daysToKeep: $d) { events } }", {"d": -1}, BAD, "daysToKeep"),
    # Sessions
    ArgumentRow("a cursor of no session", SESSIONS, {"a": MARK}, BAD, "after"),
    ArgumentRow("a cursor of sessions with an operator", SESSIONS, {"a": "eyIkZ3QiOiAiIn0="}, BAD, "after"),
    ArgumentRow("a cursor of sessions that is half a character", SESSIONS, f'{{"a": "{SURROGATE}"}}', BAD, "after"),
    ArgumentRow("half a character for a visitor", SESSIONS, f'{{"v": "{MARK}{SURROGATE}"}}', BAD, "visitorId"),
    ArgumentRow("half a character for an entry page", METRICS, f'{{"f": {{"entryPage": "{MARK}{SURROGATE}"}}}}', BAD, "filter.entryPage"),
    ArgumentRow("NUL in a browser", METRICS, {"f": {"browser": f"{MARK}\0"}}, BAD, "filter.browser"),
    # Reports
    ArgumentRow("half a character in a condition", REPORT, f'{{"f": {{"where": [{{"dimension": "PAGE", "values": ["{MARK}{SURROGATE}"]}}]}}}}', BAD, "filter.where.0.values"),
    ArgumentRow("1,001 values", REPORT, {"f": {"where": [{"dimension": "PAGE", "values": [MARK] * 1_001}]}}, BAD, "filter.where"),
    ArgumentRow("a dimension that is none", REPORT, {"f": {"where": [{"dimension": MARK, "values": []}]}}, BAD, "f.where[0].dimension"),
    ArgumentRow("nine steps", FUNNEL, {"s": [{"type": "CLICK"}] * 9}, BAD, "steps"),
    ArgumentRow("a step of nothing", FUNNEL, {"s": [{}, {"type": "CLICK"}]}, BAD, "steps.0"),
    ArgumentRow("half a character in a step", FUNNEL, f'{{"s": [{{"type": "CLICK"}}, {{"page": "{MARK}{SURROGATE}"}}]}}', BAD, "steps.1.page"),
    ArgumentRow("half a character for an experiment", EXPERIMENT, f'{{"e": "{MARK}{SURROGATE}"}}', BAD, "experimentId"),
    ArgumentRow("a confidence of one", EXPERIMENT, {"e": "ab", "n": 1.0}, BAD, "confidence"),
    ArgumentRow("an endless confidence", EXPERIMENT, '{"e": "ab", "n": 1e999}', BAD, "n"),
    ArgumentRow("half a character for a control", EXPERIMENT, f'{{"e": "ab", "c": "{MARK}{SURROGATE}"}}', BAD, "control"),
    ArgumentRow("an endless share", EXPERIMENT, '{"e": "ab", "s": [{"variant": "a", "share": 1e999}, {"variant": "b", "share": 1}]}', BAD, "s[0].share"),
    ArgumentRow("shares below zero", EXPERIMENT, {"e": "ab", "s": [{"variant": "a", "share": -1}, {"variant": "b", "share": 1}]}, BAD, "expectedShares.0.share"),
    ArgumentRow("a goal with NUL", EXPERIMENT, {"e": "ab", "g": {"type": "CUSTOM", "name": f"{MARK}\0"}}, BAD, "goal.name"),
    ArgumentRow("a map of a million columns", CLICK_MAP, {"i": "a", "c": 1_000_000}, BAD, "columns"),
    ArgumentRow("a map of no width", CLICK_MAP, {"i": "a", "w": 0}, BAD, "width"),
    ArgumentRow("half a character for a map", CLICK_MAP, f'{{"p": "{MARK}{SURROGATE}"}}', BAD, "page"),
    ArgumentRow("half a character for paths", PATHS, f'{{"p": "{MARK}{SURROGATE}"}}', BAD, "page"),
    ArgumentRow("both of paths", PATHS, {"i": MARK, "p": MARK}, BAD, "itemId"),
    ArgumentRow("half a character for a score", SCORE, f'{{"c": "{MARK}{SURROGATE}"}}', BAD, "campaignId"),
]  # fmt: skip

# By the type of an argument: values that no field that takes it may take, whatever it is called.
ALIKE: dict[str, dict[str, str]] = {
    "RangeInput": {
        "an end before the start": '{"start": "2026-06-10", "end": "2026-06-01"}',
        "a thousand years": '{"start": "1500-01-01", "end": "2500-01-01"}',
        "an offset that is none": '{"start": "2026-06-01T00:00:00+25:00"}',
        "a day that is none": '{"start": "2026-02-30"}',
        "half a character": f'{{"start": "{SURROGATE}"}}',
        "digits": f'{{"start": {DIGITS}}}',
        "a preset that is none": f'{{"preset": "{MARK}"}}',
        "an end alone": '{"end": "2026-06-01"}',
        "a field that is none": f'{{"{MARK} {SURROGATE}": 1}}',
    },
    "Int": {
        "below zero": "-1",
        "2^31": str(2**31),
        "digits": DIGITS,
        "a fraction": "1.5",
        "endless": "1e999",
        "text": f'"{MARK}"',
        "a list": f'["{MARK}", 1]',
        "an object": f'{{"$gt": "{MARK}"}}',
    },
    "ID": {
        "an operator": f'{{"$ne": "{MARK}"}}',
        "a list": f'["{MARK}", 1]',
        "a fraction": "1.5",
        "truth": "true",
    },
    "ReportFilter": {
        "half a character": f'{{"itemId": "{MARK}{SURROGATE}"}}',
        "NUL": f'{{"userId": "{MARK}\\u0000"}}',
        "a long id": f'{{"visitorId": "{MARK}{"x" * 249}"}}',
        "an operator": f'{{"userId": {{"$gt": "{MARK}"}}}}',
        "21 conditions": '{"where": [' + ",".join(['{"dimension": "OS", "values": ["a"]}'] * 21) + "]}",
        "a field that is none": f'{{"{MARK} $where": 1}}',
    },
}  # fmt: skip
# Of texts, by the argument's name.
ALIKE_TEXTS = {
    "timezone": {
        "beyond the day": '"+25:00"',
        "an offset": '"+01:00"',
        "of no world": f'"Mars/{MARK}"',
        "nothing": '""',
        "a path": f'"../../etc/{MARK}"',
        "NUL": f'"UTC\\u0000{MARK}"',
        "half a character": f'"{MARK}{SURROGATE}"',
        "long": f'"{MARK}{"x" * 10_000}"',
    },
}
