"""The sessions of one session id, derived from its counted events in order of time.

The same events give the same sessions, in whatever order they arrived.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from app.core.event_types import EventType
from app.core.quarters import to_ms

# A longer pause than this ends a session.
MAX_PAUSE = timedelta(minutes=30)

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
# Each is that of the first event that has it.
FIRST_KNOWN = ("user", "device", "browser", "os")

INTERACTIONS = frozenset(
    {EventType.CLICK.value, EventType.CONVERSION.value, EventType.CUSTOM.value}
)
SEEING = frozenset({EventType.IMPRESSION.value, EventType.VIEW.value})
PAGE_VIEW = EventType.PAGE_VIEW.value
CONVERSION = EventType.CONVERSION.value
CLICK = EventType.CLICK.value

_MILLISECOND = timedelta(milliseconds=1)
# Events of a session that are held at most.
MOST_WAITING = 1_000

Event = Mapping[str, Any]  # as it is stored (schemas/event.py)


@dataclass(frozen=True, slots=True)
class Session:
    """What is stored of a session (schemas/session.py); None where it does not have a field."""

    id: str
    site: str
    session: str
    start: datetime
    last: datetime
    visitor: str
    events: int
    page_views: int
    conversions: int
    items_seen: int
    items_clicked: int
    bounced: bool
    by_source: bool
    user: str | None = None
    entry_page: str | None = None
    exit_page: str | None = None
    referrer: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    device: str | None = None
    browser: str | None = None
    os: str | None = None
    weight: int | None = None
    is_final: bool | None = None

    @property
    def duration(self) -> int:
        """Milliseconds from the first to the last event."""
        return (self.last - self.start) // _MILLISECOND

    @property
    def stands_for(self) -> int:
        """For how many sessions it stands, where the site counted a sample."""
        return self.weight or 1


_FIELDS = tuple(each.name for each in fields(Session))
_values = attrgetter(*_FIELDS)


def document_of(session: Session) -> dict[str, Any]:
    """How it is stored."""
    values = zip(_FIELDS, _values(session), strict=True)
    found = {name: value for name, value in values if value is not None}
    return {"_id": found.pop("id"), **found}


def session_of(document: Mapping[str, Any]) -> Session:
    """A session as it is stored."""
    values = {name: document[name] for name in _FIELDS if name in document}
    return Session(id=document["_id"], **values)


def session_id(site: str, session: str, start: datetime) -> str:
    """`_id` of a session. The length is digested too, so that no two pairs share one."""
    text = session.encode()
    digest = hashlib.blake2b(digest_size=16)
    digest.update(len(text).to_bytes(4, "big") + text)
    digest.update(str(to_ms(start)).encode())
    return f"{site}:{digest.hexdigest()}"


@lru_cache(maxsize=20_000)
def host_of(page: str) -> str | None:
    """The host of a page's address, without `www.`, as referrers have it; None of a path alone."""
    try:
        host = urlsplit(page).hostname
    except ValueError:
        return None
    return host.rstrip(".").removeprefix("www.") if host else None


@dataclass(slots=True)
class _Running:
    """A session while its events come in, by time."""

    start: datetime
    last: datetime
    visitor: str
    by_source: bool
    waiting: list[Event] = field(default_factory=list)  # not yet looked at
    known: dict[str, Any] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    events: int = 0
    page_views: int = 0
    conversions: int = 0
    interactions: int = 0
    seen: set[str] = field(default_factory=set)
    clicked: set[str] = field(default_factory=set)
    entry_page: str | None = None
    exit_page: str | None = None
    weight: int = 1

    def comes_anew(self, event: Event) -> bool:
        """Whether the event names a source that is not this session's."""
        self.look()
        return any(self.source.get(name) != value for name, value in self._source_of(event).items())

    def look(self) -> None:
        """Look at the events that came in since: together, which takes a third of one by one."""
        events, self.waiting = self.waiting, []
        kinds = [event["type"] for event in events]
        self.events += len(events)
        self.page_views += kinds.count(PAGE_VIEW)
        self.conversions += kinds.count(CONVERSION)
        self.interactions += sum(map(kinds.count, INTERACTIONS))
        with_item = [event for event in events if event.get("item") is not None]
        self.seen.update([event["item"] for event in with_item if event["type"] in SEEING])
        self.clicked.update([event["item"] for event in with_item if event["type"] == CLICK])
        self.weight = max([self.weight, *[event.get("weight", 1) for event in events]])
        for name in FIRST_KNOWN:
            if name not in self.known:
                first = next((event[name] for event in events if name in event), None)
                if first is not None:
                    self.known[name] = first
        for page in [page for event in events if (page := event.get("page")) is not None]:
            self.entry_page = self.entry_page or page
            self.exit_page = page
        for event in events:
            if self.source and not self.by_source:
                break  # nobody asks for the hosts any more
            self._trace(event)

    def _trace(self, event: Event) -> None:
        """Take in where an event says that its visitor came from, and on which host it happened."""
        if not self.source:
            self.source = self._source_of(event)
        page = event.get("page")
        if page is not None and (host := host_of(page)):
            self.hosts.add(host)

    def _source_of(self, event: Event) -> dict[str, str]:
        """Where an event says that its visitor came from; its own site is no such place."""
        found = {name: event[name] for name in UTM if name in event}
        referrer = event.get("referrer")
        if referrer is not None and referrer not in self.hosts:
            page = event.get("page")
            if page is None or host_of(page) != referrer:
                found["referrer"] = referrer
        return found


class Derivation:
    """Takes the counted events of one session id by (at, _id) and gives its sessions."""

    def __init__(self, site: str, session: str, by_source: bool) -> None:
        self._site = site
        self._session = session
        self._by_source = by_source
        self._running: _Running | None = None

    def add(self, event: Event) -> Session | None:
        """Take the next event; the session that it ended, if it did."""
        running, ended, at = self._running, None, event["at"]
        if running is not None and (
            at - running.last > MAX_PAUSE
            # Two sessions of one session id never start at the same instant: it tells them apart.
            or (self._by_source and at > running.start and running.comes_anew(event))
        ):
            ended, running = self.end(), None
        if running is None:
            running = self._running = _Running(at, at, event["visitor"], self._by_source)
        running.last = at
        running.waiting.append(event)
        if len(running.waiting) >= MOST_WAITING:
            running.look()
        return ended

    def end(self) -> Session | None:
        """There are no more events: the last session."""
        running, self._running = self._running, None
        if running is None:
            return None
        running.look()
        return Session(
            id=session_id(self._site, self._session, running.start),
            site=self._site,
            session=self._session,
            start=running.start,
            last=running.last,
            visitor=running.visitor,
            events=running.events,
            page_views=running.page_views,
            conversions=running.conversions,
            items_seen=len(running.seen),
            items_clicked=len(running.clicked),
            bounced=running.page_views == 1 and not running.interactions,
            by_source=self._by_source,
            entry_page=running.entry_page,
            exit_page=running.exit_page,
            weight=running.weight if running.weight > 1 else None,
            is_final=None,
            **running.source,
            **running.known,
        )
