"""Live events: one stream a process, shared by all who listen."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.errors import FootfallError, UnavailableError
from app.core.failures import log_failure
from app.modules.analytics.realtime.entries import (
    AcceptedEvent,
    Backlog,
    FeedEntry,
    FeedEntryKind,
)
from app.modules.analytics.realtime.subscriber import FeedFilter, Subscriber
from app.repositories.event_stream import (
    EventStream,
    OpenStream,
    StreamBrokenError,
    StreamLostError,
    Token,
)

logger = logging.getLogger("footfall.realtime")

RETRY_SECONDS = 0.5
TURN = 100  # events that are handed out before others have their turn


@dataclass(slots=True)
class _Site:
    """A site with readers."""

    backlog: Backlog = field(default_factory=Backlog)
    readers: set[Subscriber] = field(default_factory=set)

    def wake(self) -> None:
        for reader in self.readers:
            reader.wake()


class LiveFeed:
    """Hands every accepted event to the subscribers of its site.

    The stream begins with the first subscriber and ends with the last: until then and from then on
    there is nothing, neither here nor in the database. It covers the sites that have subscribers.
    """

    def __init__(self, stream: EventStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._sites: dict[str, _Site] = {}
        # The sites whose events the open stream has.
        self._covered: frozenset[str] = frozenset()
        self._worker: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def is_running(self) -> bool:
        """Whether the database is asked for events."""
        return self._worker is not None

    @contextmanager
    def subscribed(self, site: str, wanted: FeedFilter) -> Iterator[Subscriber]:
        """`with feed.subscribed(site, wanted) as subscriber:` it is given the site's events."""
        if self._stopping:
            raise _stopping()
        listened = self._sites.setdefault(site, _Site())
        subscriber = Subscriber(listened.backlog, wanted)
        listened.readers.add(subscriber)
        if site in self._covered:
            subscriber.start(self._clock.now())
        if self._worker is None:
            self._worker = asyncio.create_task(self._run(), name="live-events")
        try:
            yield subscriber
        finally:
            listened.readers.discard(subscriber)
            if not listened.readers:
                del self._sites[site]

    async def stop(self) -> None:
        """End all subscriptions."""
        self._stopping = True
        self._end_all(_stopping())
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker

    async def _run(self) -> None:
        """Read the stream as long as anybody listens, through whatever happens to it."""
        token: Token | None = None
        lost = False
        try:
            while sites := frozenset(self._sites):
                try:
                    async with self._stream.open(sites, token) as stream:
                        token = stream.token
                        self._cover(sites, after_gap=lost)
                        lost = False
                        while frozenset(self._sites) == sites:
                            await self._hand_out(stream)
                            token = stream.token
                except StreamBrokenError as error:
                    cause = type(error.__cause__).__name__
                    logger.warning("live events are interrupted (%s); trying again", cause)
                    await asyncio.sleep(RETRY_SECONDS)
                except StreamLostError:
                    logger.warning("live events: some were missed; going on from now")
                    token, lost = None, True
                    await asyncio.sleep(RETRY_SECONDS)
                finally:
                    self._covered = frozenset()
        except Exception as error:
            log_failure(logger, "live events have ended", error)
            self._end_all(UnavailableError("Live events have ended. Subscribe again."))
        finally:
            # Nothing is waited for between the last look at the subscribers and this.
            self._worker = None

    def _cover(self, sites: frozenset[str], *, after_gap: bool) -> None:
        """From now on all events of these sites come: say so to those who wait for it."""
        self._covered = sites
        now = self._clock.now()
        for listened in self._of(sites):
            if after_gap:
                listened.backlog.add(FeedEntry(FeedEntryKind.GAP, now))
                listened.wake()
            for reader in listened.readers:
                reader.start(now)

    async def _hand_out(self, stream: OpenStream) -> None:
        documents = await stream.next()
        now = self._clock.now()
        for begin in range(0, len(documents), TURN):
            turn = documents[begin : begin + TURN]
            for document in turn:
                listened = self._sites.get(document["site"])
                if listened is not None:
                    event = AcceptedEvent.of(document)
                    listened.backlog.add(FeedEntry(FeedEntryKind.EVENT, now, event))
            for listened in self._of({document["site"] for document in turn}):
                listened.wake()
            await asyncio.sleep(0)

    def _end_all(self, error: FootfallError) -> None:
        for listened in self._of(self._sites):
            for reader in listened.readers:
                reader.end(error)

    def _of(self, sites: Iterable[str]) -> list[_Site]:
        return [self._sites[site] for site in sites if site in self._sites]


def _stopping() -> UnavailableError:
    return UnavailableError("The server is stopping. Subscribe again.")
