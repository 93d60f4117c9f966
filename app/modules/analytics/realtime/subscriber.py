"""Who reads live events, each at its own pace."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import FootfallError, LimitExceededError
from app.modules.analytics.realtime.entries import Backlog, FeedEntry, FeedEntryKind
from app.modules.analytics.realtime.key_watch import KeyWatch
from app.schemas.event import EventType

TURN = 100  # entries that are passed over before others have their turn


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """Which events are wanted; None: of any."""

    types: frozenset[EventType] | None = None
    item: str | None = None

    def matches(self, entry: FeedEntry) -> bool:
        event = entry.event
        return event is None or (
            (self.types is None or event.type in self.types)
            and (self.item is None or event.item == self.item)
        )


class Subscriber:
    """One reader of one site's backlog. Nobody waits for it: what it has not read in time is gone."""

    def __init__(self, backlog: Backlog, wanted: FeedFilter) -> None:
        self._backlog = backlog
        self._wanted = wanted
        self._started: datetime | None = None
        self._next = 0
        self._arrived = asyncio.Event()
        self._end: FootfallError | None = None

    def start(self, at: datetime) -> None:
        """From now on every event comes, if that was not so before."""
        if self._started is None:
            self._started = at
            self._next = self._backlog.end
            self._arrived.set()

    def wake(self) -> None:
        """There is more to read."""
        self._arrived.set()

    def end(self, error: FootfallError) -> None:
        """Nothing more comes, and this is why."""
        self._end = error
        self._arrived.set()

    async def entries(self, watch: KeyWatch) -> AsyncGenerator[FeedEntry, None]:
        """What comes, in order. Raises LimitExceededError for a reader that is too slow for it."""
        await watch.wait(self._arrived)
        if self._started is not None:
            yield FeedEntry(FeedEntryKind.STARTED, self._started)
        while True:
            await watch.check()
            self._check_pace()
            if self._next < self._backlog.end:
                entry = self._backlog[self._next]
                self._next += 1
                wanted = self._wanted.matches(entry)
                if wanted:
                    yield entry
                if wanted or self._next % TURN == 0:
                    # A socket that takes everything at once would leave nobody else a turn.
                    await asyncio.sleep(0)
            elif self._end is not None:
                raise self._end
            else:
                self._arrived.clear()
                await watch.wait(self._arrived)

    def _check_pace(self) -> None:
        if self._next < self._backlog.first:
            missed = self._backlog.end - self._next
            raise LimitExceededError(
                f"Too slow: {missed:,} events of the site were missed. At most {self._backlog.keeps:,} "
                "wait for a reader. Subscribe again, perhaps to fewer types or one item."
            )
