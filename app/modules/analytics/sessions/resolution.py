"""What is stored of sessions against what their events say now."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

from app.modules.analytics.sessions.derivation import Derivation, Event, Session, session_of
from app.repositories.base import Snapshot
from app.repositories.sessions import BACKGROUND_SECONDS, SessionEvents, SessionRepository

# So many session ids are looked at together.
PORTION = 500

_event_id = itemgetter("_id")
_start = attrgetter("start")


@dataclass(slots=True)
class Differences:
    """Stored sessions that are not right, and sessions that should be stored and are not."""

    wrong: list[Session] = field(default_factory=list)
    missing: list[Session] = field(default_factory=list)

    def add(self, others: "Differences") -> None:
        self.wrong += others.wrong
        self.missing += others.missing


class Resolution:
    """One session id: its stored sessions, and then its events in order of time, also withdrawn ones.

    A stored session stays as it is where no event at all is left in its time: its events were
    deleted by their age. One that is final stays in any case, and events in its time are in it or
    too late. With `keep` off neither stays.
    """

    def __init__(
        self, site: str, session: str, stored: Sequence[Session], by_source: bool, *, keep: bool
    ) -> None:
        self._derivation = Derivation(site, session, by_source)
        self._by_source = by_source
        self._stored = sorted(stored, key=_start)
        self._keep = keep
        self._passed = 0
        self._final_until: datetime | None = None
        self._right: list[Session] = []
        self._at_once: list[Event] = []

    def add(self, event: Event) -> None:
        """The next event; those of one instant may come in any order."""
        if self._at_once and self._at_once[0]["at"] != event["at"]:
            self._take_those_at_once()
        self._at_once.append(event)

    def differences(self) -> Differences:
        """What is wrong and what is missing, when all events were added."""
        if self._at_once:
            self._take_those_at_once()
        self._pass_until(None)
        self._found(self._derivation.end())
        if not self._stored:
            return Differences(missing=self._right)
        stored = {session.id: session for session in self._stored}
        right = {session.id: session for session in self._right}
        return Differences(
            wrong=[one for one in self._stored if right.get(one.id) != one],
            missing=[one for one in self._right if stored.get(one.id) != one],
        )

    def _take_those_at_once(self) -> None:
        events, self._at_once = self._at_once, []
        if len(events) > 1:
            events.sort(key=_event_id)
        at = events[0]["at"]
        if self._stored:
            self._pass_until(at)
        if self._final_until is not None and at <= self._final_until:
            return
        for event in events:
            if "void" not in event and (ended := self._derivation.add(event)) is not None:
                self._right.append(ended)

    def _pass_until(self, at: datetime | None) -> None:
        """Stored sessions that started until then: no event is in their time but one at `at`."""
        while self._passed < len(self._stored):
            stored = self._stored[self._passed]
            if at is not None and stored.start > at:
                return
            self._passed += 1
            is_final = self._keep and stored.is_final
            if is_final:
                self._found(self._derivation.end())
                self._final_until = stored.last
            if is_final or (self._keep and (at is None or stored.last < at)):
                self._found(replace(stored, by_source=self._by_source))

    def _found(self, session: Session | None) -> None:
        if session is not None:
            self._right.append(session)


class Resolver:
    """Reads what is stored of sessions and their events."""

    def __init__(self, sessions: SessionRepository, events: SessionEvents) -> None:
        self._sessions = sessions
        self._events = events

    async def differences(
        self,
        site: str,
        sessions: Sequence[str],
        by_source: bool,
        *,
        snapshot: Snapshot | None = None,
        max_seconds: float = BACKGROUND_SECONDS,
        keep: bool = True,
    ) -> Differences:
        """What is wrong and missing of all sessions of these session ids, of which there are few."""
        reading: dict[str, Any] = {"snapshot": snapshot, "max_seconds": max_seconds}
        stored: dict[str, list[Session]] = {session: [] for session in sessions}
        for document in await self._sessions.of_sessions(site, sessions, **reading):
            stored[document["session"]].append(session_of(document))

        def begun(session: str) -> Resolution:
            return Resolution(site, session, stored.pop(session), by_source, keep=keep)

        found = Differences()
        current, resolution = None, None
        async for portion in self._events.of_sessions(site, sessions, **reading):
            for event in portion:
                if event["session"] != current:
                    if resolution is not None:
                        found.add(resolution.differences())
                    current = event["session"]
                    resolution = begun(current)
                assert resolution is not None  # noqa: S101  # made with the first event
                resolution.add(event)
        if resolution is not None:
            found.add(resolution.differences())
        for session in list(stored):  # those without events
            found.add(begun(session).differences())
        return found
