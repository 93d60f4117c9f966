"""Whether what was answered ACCEPTED is stored exactly once; and how much room it takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from tests.bench.generator import Sent
from tests.bench.servers import DATABASE, SITE, Servers

REPORT = "{ report(range: { preset: LAST_24_HOURS }) { totals { impressions } } }"


@dataclass(slots=True)
class Findings:
    """How the database differs from the answers; these must be zero but for `stored` and `unavailable`."""

    stored: int = 0
    lost: int = 0  # accepted, and not stored as it was sent
    doubled: int = 0  # stored although the same session had that item already
    unsent: int = 0  # stored, and never accepted
    unavailable: int = 0  # neither accepted nor refused: may be stored or not
    report_differs_by: int = 0  # from what is stored

    @property
    def exact(self) -> bool:
        return not (self.lost or self.doubled or self.unsent or self.report_differs_by)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes on disk, compressed as MongoDB keeps them, after everything was written out."""

    documents: int
    events: int
    indexes: dict[str, int]
    claims: int  # the cooldown's documents with their indexes, kept for a day


def compare(servers: Servers, accepted: Iterable[Sent], unavailable: Sequence[str]) -> Findings:
    """Compare the accepted events with the stored ones and with a report."""
    expected = {sent.id: (sent.session, sent.item) for sent in accepted}
    stored: dict[str, tuple[str, str]] = {}
    with MongoClient(servers.mongo_url) as client:
        events = client[DATABASE].get_collection("events", read_concern=ReadConcern("majority"))
        for document in events.find({"site": SITE}, {"session": 1, "item": 1}):
            event_id = document["_id"].removeprefix(f"{SITE}:")
            stored[event_id] = (document["session"], document["item"])
    return Findings(
        stored=len(stored),
        lost=sum(stored.get(event_id) != event for event_id, event in expected.items()),
        doubled=len(stored) - len(set(stored.values())),
        unsent=len(stored.keys() - expected.keys() - set(unavailable)),
        unavailable=len(unavailable),
        report_differs_by=abs(_reported(servers) - len(stored)),
    )


def _reported(servers: Servers) -> int:
    """The impressions of the last day, as the API reports them."""
    answer = httpx.post(
        f"{servers.api.url}/graphql",
        json={"query": REPORT},
        headers={"Authorization": f"Bearer {servers.api.read_key}"},
        timeout=60,
    )
    return int(answer.json()["data"]["report"]["totals"]["impressions"])


def sizes(servers: Servers) -> Sizes:
    """How much room the events take, after everything was written out."""
    with MongoClient(servers.mongo_url) as client:
        client.admin.command("fsync")
        events = _stats(client, "events")
        claims = _stats(client, "session_items")
    return Sizes(
        documents=events["storageSize"],
        events=events["count"],
        indexes=events["indexSizes"],
        claims=claims["storageSize"] + claims["totalIndexSize"],
    )


def _stats(client: MongoClient[dict[str, Any]], collection: str) -> dict[str, Any]:
    return client[DATABASE].command("collStats", collection)
