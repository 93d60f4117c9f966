"""How the tests of privacy look for what names somebody, in everything that is stored."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from app.modules.analytics.rollups.columns import hash_of

ERASE = """mutation ($v: ID, $u: ID) { eraseVisitor(visitorId: $v, userId: $u) {
  receiptId kind digest proof requestedAt finishedAt
  removed { events sessions decisions goneEvents } } }"""
EXPORT = """query ($v: ID, $u: ID, $limit: Int, $after: String) {
  exportVisitor(visitorId: $v, userId: $u, limit: $limit, after: $after) {
    records { kind data } nextCursor } }"""

# From so many characters on an id is not in other texts by chance.
SHORTEST_TELLING = 4


async def stored(api: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Every document of every collection, with the collection's name."""
    for name in await api.database.list_collection_names():
        async for document in api.database[name].find({}):
            yield name, document


def parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every text, number and byte string in a document, keys too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path, key
            yield from parts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner, path)
    else:
        yield path, value


async def naming(api: Any, who: str, site: str = "demo") -> list[str]:
    """Where somebody is named in a site's documents: by the id, also inside of another text, or by the
    hash that columns have. An id of a few characters, which are in many texts, is looked for alone."""
    known_as = hash_of(who).to_bytes(8, "little")
    tells = len(who) >= SHORTEST_TELLING
    return [
        f"{name}: {path}"
        async for name, document in stored(api)
        if document.get("site") == site or str(document["_id"]).startswith(f"{site}:")
        for path, value in parts(document)
        if value == who
        or (tells and isinstance(value, str) and who in value)
        or (isinstance(value, bytes) and (known_as in value or (tells and who.encode() in value)))
    ]


async def export(api: Any, limit: int = 1_000, **who: str) -> list[dict[str, Any]]:
    """All records of all pages."""
    records: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await api.ask(EXPORT, {**who, "limit": limit, "after": after}))["exportVisitor"]
        records += page["records"]
        after = page["nextCursor"]
        if after is None:
            return records
