"""The numbers of the last minutes, for one question and for subscribers."""

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta

from app.core.clock import Clock
from app.core.config import Settings
from app.core.database import is_unavailable
from app.core.errors import BadInputError, LimitExceededError, UnavailableError
from app.modules.analytics.realtime.key_watch import KeyWatch
from app.modules.analytics.realtime.numbers import Numbers, Window
from app.modules.analytics.realtime.pipeline import last_minutes, numbers
from app.modules.analytics.runner import Runner
from app.repositories.events import EventRepository

DEFAULT_EVERY, MAX_EVERY = 2, 60
# The database may spend at most so many seconds on the numbers of the last minutes.
MAX_SECONDS = 10.0
# For subscribers, a process has it count at most so many at once, ...
AT_ONCE = 2
# ... and rests so many times longer than that took before they are counted again.
REST = 4


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers, and how many seconds it took to count them."""

    numbers: Numbers
    seconds: float


class RealtimeService:
    """Counts the last minutes from the raw events. `second` is how long a tick of subscribers is."""

    def __init__(
        self, events: EventRepository, settings: Settings, clock: Clock, second: float = 1.0
    ) -> None:
        self._runner = Runner(events, min(settings.report_timeout, MAX_SECONDS))
        self._clock = clock
        self._tolerance = timedelta(seconds=settings.clock_tolerance)
        self._second = second
        self._at_once = asyncio.Semaphore(AT_ONCE)
        # What is being counted or was in this tick, by site and minutes.
        self._counts: dict[tuple[str, int], tuple[int, asyncio.Task[Counted]]] = {}

    async def numbers(self, site: str, minutes: int) -> Numbers:
        """The numbers as they are now. Raises LimitExceededError when there are too many events."""
        window = Window(self._clock.now(), minutes, self._tolerance)
        try:
            async with self._runner.run(site) as run:
                [found] = await run.aggregate(last_minutes(window))
        except LimitExceededError:
            raise LimitExceededError(
                "Counting these minutes takes longer than the server allows. Ask for fewer.",
                "minutes",
            ) from None
        return numbers(window, found)

    async def changes(
        self, site: str, minutes: int, limit: int, every: int, watch: KeyWatch
    ) -> AsyncGenerator[Numbers, None]:
        """The numbers at once and whenever they changed, looked at every so many seconds.

        However many listen, a process counts once a tick for each site and number of minutes.
        """
        shown = None
        while True:
            seconds = 0.0
            try:
                counted = await self._shared(site, minutes)
            except Exception as error:
                if not (isinstance(error, UnavailableError) or is_unavailable(error)):
                    raise  # else it is asked again: subscribers outlive a failover
            else:
                seconds = counted.seconds
                now = counted.numbers.top(limit)
                if now != shown:
                    await watch.check()
                    yield now
                    shown = now
            await watch.sleep(self._until_next(every, seconds * REST))

    async def _shared(self, site: str, minutes: int) -> Counted:
        """What this tick's first subscriber has had counted."""
        tick = self._tick()
        key = (site, minutes)
        last = self._counts.get(key)
        if last is None or (last[0] < tick and last[1].done()):
            self._forget_before(tick)
            task = asyncio.create_task(self._count(site, minutes))
            task.add_done_callback(_retrieved)
            self._counts[key] = last = (tick, task)
        return await asyncio.shield(last[1])

    async def _count(self, site: str, minutes: int) -> Counted:
        loop = asyncio.get_running_loop()
        async with self._at_once:
            began = loop.time()
            found = await self.numbers(site, minutes)
            return Counted(found, loop.time() - began)

    def _forget_before(self, tick: int) -> None:
        for key, (counted_in, task) in list(self._counts.items()):
            if counted_in < tick and task.done():
                del self._counts[key]

    def _tick(self) -> int:
        # A timer may fire a little before its time.
        return int(asyncio.get_running_loop().time() / self._second + 0.01)

    def _until_next(self, every: int, rest: float) -> float:
        """Seconds until the next tick that `every` divides: all subscribers wake at the same ones."""
        now = asyncio.get_running_loop().time()
        period = every * self._second
        earliest = max(now + rest, now + self._second * 0.01)
        return math.ceil(earliest / period) * period - now


def _retrieved(task: asyncio.Task[Counted]) -> None:
    """Whoever asked may be gone when a count fails."""
    if not task.cancelled():
        task.exception()


def check_every(seconds: int | None) -> int:
    """How many seconds lie between two looks; None stands for the default. Raises BadInputError."""
    wanted = DEFAULT_EVERY if seconds is None else seconds
    if not 1 <= wanted <= MAX_EVERY:
        raise BadInputError(f"must be from 1 to {MAX_EVERY}", "everySeconds")
    return wanted
