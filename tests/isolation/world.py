"""Two sites: one that is full of everything, and a stranger with a key of another.

All ids and texts of the full site carry a mark, so that one that turns up elsewhere is seen.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.modules.analytics.rollups.making import roll_up
from tests.sockets import Socket

SITE, STRANGER = "demo", "other"
MARK = "theirs7f3"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LAST_WEEK = "2026-06-05T10:00:00Z"
BEFORE = "2026-06-04T10:00:00Z"
# Documents of the instance that change by themselves.
OF_NO_SITE = {"leases"}

_NAMES = (
    *("item", "twin", "user", "visitor", "session", "order", "campaign", "experiment", "batch"),
    *("impression", "view", "click", "conversion", "engagement", "bounce", "page_view", "custom"),
    *("bot", "voided", "title", "category", "source", "kind", "variant", "goal"),
    *("forgotten_visitor", "forgotten_user"),
)
# What the server generates; ids of the site that is full are put in by `fill`.
_UUID = "00000000-0000-7000-8000-000000000000"

Ids = dict[str, str]


def ids_of(mark: str) -> Ids:
    """An id or a text for everything, by what it is of."""
    return {
        **{name: f"{mark}-{name.replace('_', '-')}" for name in _NAMES},
        "page": f"https://{mark}.example/page",
        "origin": f"https://{mark}.example",
        "domain": f"{mark}.example",
        "token": f"1.any.1781600000.1.{mark:A<22}",
        "decision_cursor": _UUID,
        "session_cursor": f"0.{'0' * 32}",
        "export_cursor": "events|0",
        "void": _UUID,
        "receipt": _UUID,
        "key": "0" * 16,
        "site": mark,
    }


THEIRS = ids_of(MARK)
NOWHERE = ids_of("nowhere5b")


async def fill(api: Any) -> Ids:
    """Data of every kind on the site, old and rolled up as well as new; the ids to find it by."""
    ids = {**THEIRS, "site": SITE}
    for item in ("item", "twin"):
        await api.ask(
            "mutation ($input: CreateItemInput!) { createItem(input: $input) { id } }",
            {
                "input": {
                    "id": ids[item], "title": ids["title"], "category": ids["category"],
                    "kind": ids["kind"], "campaignId": ids["campaign"], "price": "12.50",
                    "description": ids["title"], "link": ids["page"],
                    "attributes": {"artist": ids["title"]},
                }
            },
        )  # fmt: skip
    await api.track({"type": "PAGE_VIEW", "id": "older", "sessionId": "older", "timestamp": BEFORE})
    for when in (LAST_WEEK, None):
        await api.track(*_events(ids, when))
        if when:
            await roll_up(api)
            await api.services.rollups.release()  # in life it is not held for long
    void = await api.ask(
        """mutation ($events: [ID!]!) {
             voidEvents(filter: {eventIds: $events}, reason: "a mistake") { voidId } }""",
        {"events": [ids["voided"]]},
    )
    await api.ask("mutation { rotateItemTokenSecret { number } }")
    key = await api.ask(
        """mutation ($label: String!) {
             createKey(input: {scope: READ, label: $label}) { apiKey { id } } }""",
        {"label": ids["title"]},
    )
    erased = await api.ask('mutation { eraseVisitor(visitorId: "somebody") { receiptId } }')
    token = await api.ask(
        "query ($i: ID!) { itemTokens(itemIds: [$i]) { token } }", {"i": ids["item"]}
    )
    cursors = await api.ask(
        """query ($visitor: ID!) {
             decisions(limit: 1) { nextCursor }
             sessions(range: {start: "2026-06-01", end: "2026-06-06"}, limit: 1) { nextCursor }
             exportVisitor(visitorId: $visitor, limit: 1) { nextCursor } }""",
        {"visitor": ids["visitor"]},
    )
    return ids | {
        "token": token["itemTokens"][0]["token"],
        "decision_cursor": cursors["decisions"]["nextCursor"],
        "session_cursor": cursors["sessions"]["nextCursor"],
        "export_cursor": cursors["exportVisitor"]["nextCursor"],
        "void": void["voidEvents"]["voidId"],
        "key": key["createKey"]["apiKey"]["id"],
        "receipt": erased["eraseVisitor"]["receiptId"],
    }


def _events(ids: Ids, when: str | None) -> list[dict[str, Any]]:
    """One event of each type and ending. Those of last week have ids that nobody asks for."""
    prefix = "" if when is None else "old-"
    who = {
        "sessionId": prefix + ids["session"],
        "visitorId": ids["visitor"],
        "userId": ids["user"],
        "timestamp": when,
    }
    where = {
        "source": ids["source"],
        "pageUrl": ids["page"],
        "pageTitle": ids["title"],
        "referrer": f"https://{ids['source']}.example/",
        "utmSource": ids["source"],
        "utmCampaign": ids["campaign"],
        "utmMedium": ids["source"],
        "utmContent": ids["source"],
        "utmTerm": ids["source"],
        "userAgent": BROWSER,
        "campaignId": ids["campaign"],
        "experimentId": ids["experiment"],
        "variant": ids["variant"],
    }
    of_item = {"itemId": ids["item"], **who, **where}
    events = [
        {"type": "PAGE_VIEW", "id": ids["page_view"], **who, **where},
        {"type": "IMPRESSION", "id": ids["impression"], "position": 1, **of_item},
        {"type": "VIEW", "id": ids["view"], **of_item},
        {"type": "CLICK", "id": ids["click"], "clickPosition": {"x": 3, "y": 4}, **of_item},
        {"type": "ENGAGEMENT", "id": ids["engagement"], "engagementDuration": 900, **of_item},
        {"type": "BOUNCE", "id": ids["bounce"], **of_item},
        {"type": "CUSTOM", "name": ids["goal"], "id": ids["custom"], **of_item},
        {
            "type": "CONVERSION", "id": ids["conversion"], "conversionValue": "5",
            "conversionType": ids["goal"], "orderId": prefix + ids["order"], **of_item,
        },
        {**of_item, "type": "CLICK", "id": ids["bot"], "userAgent": GOOGLEBOT},
        {**of_item, "type": "CLICK", "id": ids["voided"], "itemId": ids["twin"]},
        {"type": "PAGE_VIEW", "id": f"{MARK}-1", "visitorId": ids["forgotten_visitor"]},
        {"type": "PAGE_VIEW", "id": f"{MARK}-2", "userId": ids["forgotten_user"]},
    ]  # fmt: skip
    return [{**event, "id": prefix + event["id"]} for event in events]


def put_in(value: Any, ids: Mapping[str, str]) -> Any:
    """An argument with "{item}" replaced by the item's id, and so on."""
    if isinstance(value, str):
        return value.format_map(ids)
    if isinstance(value, Mapping):
        return {name: put_in(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [put_in(each, ids) for each in value]
    return value


_GENERATED = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # ids
    r"|ff_[a-z]+_[\w-]+"  # keys and secrets
    r'|(?<=["_:])[0-9a-f]{16,}(?=")'  # hashes
    r"|1\.any\.\d+\.\d+\.[\w-]{22}"  # item tokens
    r'|(?<="proof": ")[^"]+'  # of an erasure
    r'|(?<="lastUsedAt": ")[^"]+'
)


def masked(answer: Any, ids: Mapping[str, str]) -> str:
    """The answer as text, without what the asker said itself and what was generated for it."""
    text = json.dumps(answer, sort_keys=True)
    for name, value in sorted(ids.items(), key=lambda entry: -len(entry[1])):
        if name == "site":
            continue  # no answer repeats it, and other things are called so as well
        text = text.replace(value, f"<{name}>")
    text = _GENERATED.sub("<generated>", text)
    # When a key was used last is noted now and then.
    text = text.replace('"lastUsedAt": null', '"lastUsedAt": "<generated>"')
    return json.dumps(_in_one_order(json.loads(text)))


def _in_one_order(value: Any) -> Any:
    """Lists sorted: what was made at the same time comes in any order, and the tests' clock stands."""
    if isinstance(value, dict):
        return {name: _in_one_order(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((_in_one_order(each) for each in value), key=json.dumps)
    return value


@dataclass(frozen=True)
class Operation:
    """One root field, asked for all that it has."""

    name: str
    query: str
    arguments: Mapping[str, Any]

    async def answer(self, api: Any, ids: Mapping[str, str], **who: Any) -> str:
        """What it answers with these ids, masked; also what it began in the background has ended then."""
        answer = await api.post(self.query, put_in(self.arguments, ids), **who)
        await api.services.tracking.finish_background()
        return masked(answer, ids)

    async def answer_on(self, socket: Socket, api: Any, ids: Mapping[str, str]) -> str:
        """The same over a connection."""
        message = await socket.next(socket.start(self.query, **put_in(self.arguments, ids)))
        await api.services.tracking.finish_background()
        payload = message["payload"]
        return masked({"errors": payload} if message["type"] == "error" else payload, ids)


async def stored(api: Any) -> dict[str, list[Any]]:
    """Everything in the database that is not the stranger's."""
    found = {}
    for name in sorted(await api.database.list_collection_names()):
        if name not in OF_NO_SITE and not name.startswith("system."):
            documents = await api.database[name].find().sort("_id").to_list(None)
            for each in documents:
                each.pop("last_used_at", None)  # noted now and then
            found[name] = [each for each in documents if not _is_strangers(each)]
    return found


def _is_strangers(document: Mapping[str, Any]) -> bool:
    owner = document.get("site") or re.split("[:|]", str(document["_id"]))[0]
    return bool(owner == STRANGER)
