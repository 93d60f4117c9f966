"""What a feed of live events is made of, and the last of it that readers may not have read yet."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.schemas.event import EventType

MAX_UNREAD = 5_000


class FeedEntryKind(StrEnum):
    """What an entry of the feed is."""

    STARTED = "STARTED"
    EVENT = "EVENT"
    GAP = "GAP"


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """What of an event is shown while it is live. `visitor` and `session` are digests."""

    event_id: str
    type: EventType
    name: str | None
    item: str | None
    page: str | None
    source: str | None
    device: str | None
    browser: str | None
    os: str | None
    country: str | None
    at: datetime
    received_at: datetime
    visitor: str
    session: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "AcceptedEvent":
        site = document["site"]
        plain = ("name", "item", "page", "source", "device", "browser", "os", "country")
        return cls(
            event_id=document["_id"].removeprefix(f"{site}:"),
            type=EventType(document["type"]),
            at=document["at"],
            received_at=document["received_at"],
            visitor=short_digest(site, document["visitor"]),
            session=short_digest(site, document["session"]),
            **{name: document.get(name) for name in plain},
        )


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry of a feed; only those of kind EVENT have an event."""

    kind: FeedEntryKind
    at: datetime
    event: AcceptedEvent | None = None


class Backlog:
    """The last entries of one site, numbered in their order: kept once, however many read them.

    `first` is the number of the oldest one that is kept, `end` that of the next one to come.
    """

    def __init__(self, keeps: int = MAX_UNREAD) -> None:
        self.keeps = keeps
        self.first = 0
        self.end = 0
        self._entries: dict[int, FeedEntry] = {}

    def add(self, entry: FeedEntry) -> None:
        self._entries[self.end] = entry
        self.end += 1
        if self.end - self.first > self.keeps:
            del self._entries[self.first]
            self.first += 1

    def __getitem__(self, number: int) -> FeedEntry:
        return self._entries[number]


def short_digest(site: str, who: str) -> str:
    """12 hex digits that tell one visitor or session of a site from others."""
    text = f"{site}:{who}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:12]
