"""Keeps the stored sessions what their events say. Deriving them again changes nothing."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from app.core.ports import SiteSettings
from app.modules.analytics.sessions.derivation import Event, document_of
from app.modules.analytics.sessions.resolution import PORTION, Differences, Resolver
from app.repositories.sessions import SessionEvents, SessionRepository

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
        events: Sequence[Event] | None = None,
    ) -> int:
        """Make right all sessions of every session id with an event from start to end, end left out.

        How many were stored or deleted. Where several quarters of an hour in a row are to be
        refreshed, one call for all of them derives each session once instead of several times.

        `events` are all events of this time by time, also the withdrawn ones, where the caller has
        read them. Then only sessions with an event in this time are made right, and events are read
        only of those that reach beyond it. What changes in between is marked, and comes again.
        """
        if events is not None:
            found, reaching = await self._resolver.differences_within(
                site, (start, end), events, await self._by_source(site)
            )
            return await self._store(site, found) + await self.refresh_sessions(site, reaching)
        changed = 0
        while start < end:
            until = min(start + STEP, end)
            async for portion in self._events.sessions_in(site, [(start, until)]):
                changed += await self.refresh_sessions(site, portion)
            start = until
        return changed

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
