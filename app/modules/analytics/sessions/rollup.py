"""Keeps the stored sessions what their events say. Deriving them again changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.ports import SiteSettings
from app.modules.analytics.sessions.at_once import NamedEvents, sessions_of
from app.modules.analytics.sessions.derivation import MAX_PAUSE, document_of
from app.modules.analytics.sessions.resolution import PORTION, Differences, Resolver
from app.repositories.sessions import SessionEvents, SessionRepository, Span

# A longer time is taken in steps of this, so that no single search runs for long.
STEP = timedelta(days=1)


class SessionRollup:
    """Derives sessions from raw events and stores them. One worker at a time does so for a site."""

    def __init__(
        self, sessions: SessionRepository, events: SessionEvents, sites: SiteSettings
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._sites = sites
        self._resolver = Resolver(sessions, events)

    async def refresh(
        self,
        site: str,
        start: datetime,
        end: datetime,
        events: NamedEvents | None = None,
        withdrawn: Collection[str] = (),
    ) -> int:
        """Make right all sessions of every session id with an event from start to end, end left out.

        How many were stored or deleted. Where several quarters of an hour in a row are to be
        refreshed, one call for all of them derives each session once instead of several times.

        `events` are all counted events of this time, where the caller has read them, and `withdrawn` the
        session ids of the others. Then only sessions with an event in this time are made right, and
        events are read only of those that reach beyond it or were not what they should be. What changes
        in between is marked, and comes again.
        """
        if events is not None and not await self._by_source(site):
            return await self._refresh_at_once(site, (start, end), events, withdrawn)
        changed = 0
        while start < end:
            until = min(start + STEP, end)
            async for portion in self._events.sessions_in(site, [(start, until)]):
                changed += await self.refresh_sessions(site, portion)
            start = until
        return changed

    async def _refresh_at_once(
        self, site: str, span: Span, events: NamedEvents, withdrawn: Collection[str]
    ) -> int:
        derived = await asyncio.to_thread(sessions_of, site, events)
        first, last = span[0] - MAX_PAUSE, span[1] + MAX_PAUSE
        around = [(first, span[0]), (span[1], last)]
        again = set(withdrawn)
        async for portion in self._events.sessions_in(site, around):
            again.update(derived.keys() & set(portion))
        stored: dict[str, list[dict[str, Any]]] = {}
        for document in await self._sessions.of_sessions(site, [*derived]):
            if first <= document["last"] and document["start"] <= last:
                stored.setdefault(document["session"], []).append(document)
        again.update(each for each, those in stored.items() if those != derived[each])
        missing = [
            document
            for each, those in derived.items()
            if each not in stored and each not in again
            for document in those
        ]
        await self._sessions.replace(site, missing, ())
        return len(missing) + await self.refresh_sessions(site, list(again))

    async def refresh_another_rule(
        self, site: str, may_go_on: Callable[[], Awaitable[bool]] | None = None
    ) -> int:
        """Derive anew what was derived before the site's sessionEndsOnNewSource was changed.

        `may_go_on` is asked before each portion. What is not reached then is found the next time.
        """
        changed = 0
        by_source = await self._by_source(site)
        async for portion in self._sessions.of_another_rule(site, by_source):
            if may_go_on is not None and not await may_go_on():
                break
            changed += await self.refresh_sessions(site, portion)
        return changed

    async def refresh_sessions(
        self, site: str, sessions: Sequence[str], *, keep: bool = True
    ) -> int:
        """Make right the sessions of these session ids; how many were stored or deleted.

        Sessions without any events left stay, because it is their age that has deleted those; with
        `keep` off they are deleted.
        """
        by_source = await self._by_source(site)
        changed = 0
        for place in range(0, len(sessions), PORTION):
            portion = sessions[place : place + PORTION]
            async with self._sessions.snapshot() as snapshot:
                found = await self._resolver.differences(
                    site, portion, by_source, snapshot=snapshot, keep=keep
                )
            changed += await self._store(site, found)
        return changed

    async def _store(self, site: str, found: Differences) -> int:
        documents = [document_of(session) for session in found.missing]
        wrong = {session.id for session in found.wrong}
        obsolete = wrong.difference(document["_id"] for document in documents)
        await self._sessions.replace(site, documents, list(obsolete), known=wrong)
        return len(documents) + len(obsolete)

    async def forget(self, site: str, sessions: Sequence[str]) -> int:
        """After events of these session ids were erased: what is stored follows, and nothing else stays.

        How many were stored or deleted.
        """
        return await self.refresh_sessions(site, sessions, keep=False)

    async def _by_source(self, site: str) -> bool:
        return (await self._sites.get(site)).session_ends_on_new_source
