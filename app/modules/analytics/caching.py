"""Keeps answers of finished periods, and gives them again while nothing in the period has changed.

An answer is kept where no quarter of its range was marked in its snapshot, with `since`: when anything
of the site had last been rolled up, as that snapshot saw it. It is given again in another snapshot
where (1) no quarter of the range is marked, (2) nothing of the range was rolled up after `since`, and
(3) `since` is not after what the other snapshot sees to be last.

It is then what would be computed anew, whatever process asks. Say that it was computed in snapshot A
and is asked for in snapshot B, and that an event of the range was stored, withdrawn or deleted in
between. That write relied on a mark, which was made before and stays until a roll-up that began after
the write had ended clears it (repositories/marks.py); and that roll-up makes its note when it has
replaced what it computed, before it clears the mark.
- A before B: B sees the write and no mark, so it sees the note as well. The note is after the write,
  which is after A, and so the note is after every note that A sees, of which `since` is the last: (2)
  does not hold.
- B before A: A sees the write and no mark, so it sees the note, and `since` is not before that. The
  note is after every note that B sees: (3) does not hold.
A rebuild notes what it replaces as well, marked or not, so that what it puts right is seen.

"After" is by the database's logical clock, which gives a time later than everything that whoever asks
for it can know of: no clock of a machine has a say in this. How long answers are kept is a matter of
memory alone, and notes are never deleted.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from cachetools import TTLCache

from app.core.clock import Clock
from app.core.config import Settings
from app.core.quarters import quarter_of
from app.core.telemetry import REPORT_CACHE
from app.modules.analytics.answers import Answer
from app.modules.analytics.planner import Plan
from app.modules.analytics.ranges import TimeRange
from app.repositories.base import Snapshot
from app.repositories.changes import ChangeRepository, Instant
from app.repositories.marks import MarkRepository

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found out, and when anything of its site had last been rolled up by then."""

    value: Any
    since: Instant

    @property
    def size(self) -> int:
        """In rows, and one for what every answer takes."""
        return 1 + (len(self.value.rows) if isinstance(self.value, Answer) else 0)


class ReportCache:
    """The answers of one process, those of all sites."""

    def __init__(
        self,
        marks: MarkRepository,
        changes: ChangeRepository,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self.marks = marks
        self.changes = changes
        self._clock = clock
        size, seconds = settings.report_cache_size, settings.report_cache_seconds
        self._on = size > 0 and seconds > 0
        self._rollups_stay = timedelta(days=settings.rollup_retention_days)
        self._kept: TTLCache[Hashable, Kept] = TTLCache(
            size,
            seconds,
            timer=lambda: clock.now().timestamp(),
            getsizeof=lambda kept: kept.size,
        )

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def rows(self) -> float:
        """How much of its size is taken."""
        return self._kept.currsize

    def takes(self, time_range: TimeRange) -> bool:
        """Whether it is for this range: one that is over, and in which nothing goes for its age."""
        now = self._clock.now()
        if not self._on or not time_range.start < time_range.end <= quarter_of(now):
            return False
        return not self._rollups_stay or time_range.start >= now - self._rollups_stay

    def find(self, key: Hashable) -> Kept | None:
        return self._kept.get(key)

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Until its time is over or its place is needed. One that is larger than the cache is not kept."""
        if kept.size <= self._kept.maxsize:
            self._kept[key] = kept

    def forget(self, key: Hashable) -> None:
        self._kept.pop(key, None)

    def sweep(self) -> None:
        """Drop what has expired."""
        self._kept.expire()

    def clear(self) -> None:
        self._kept.clear()


class Recall:
    """What is kept of one site, as far as it holds in one snapshot."""

    def __init__(self, cache: ReportCache, site: str, snapshot: Snapshot) -> None:
        self._cache = cache
        self._site = site
        self._snapshot = snapshot
        # Asked once for a snapshot, in which they do not change.
        self._last: Instant | None = None
        self._marked: dict[TimeRange, bool] = {}
        self._changed: dict[tuple[TimeRange, Instant], bool] = {}

    async def answer(self, plan: Plan, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of a plan: the one that is kept, or else what `compute` says.

        Its rows and measures are shared with others who asked; nobody writes to those of an answer.
        """
        # Which category an item is in changes without a mark.
        if plan.needs_categories or not self._cache.takes(plan.query.time_range):
            return await compute()
        kept, answer = await self._recalled(plan, plan.query.time_range, compute)
        REPORT_CACHE.labels("hit" if kept else "miss").inc()
        return answer.copied()

    async def fact(
        self, name: str, time_range: TimeRange, compute: Callable[[], Awaitable[T]]
    ) -> T:
        """The same for anything else that is asked of the events of a range and cannot be changed."""
        if not self._cache.takes(time_range):
            return await compute()
        _, value = await self._recalled((name, time_range), time_range, compute)
        return value

    async def _recalled(
        self, question: Hashable, time_range: TimeRange, compute: Callable[[], Awaitable[T]]
    ) -> tuple[bool, T]:
        """Whether it was kept, and the value."""
        key = (self._site, question)
        kept = self._cache.find(key)
        if kept is not None and await self._holds(key, kept, time_range):
            return True, kept.value
        value = await compute()
        if not await self._is_marked(time_range):
            self._cache.keep(key, Kept(value, await self._last_noted()))
        return False, value

    async def _holds(self, key: Hashable, kept: Kept, time_range: TimeRange) -> bool:
        if await self._is_marked(time_range):
            return False
        last = await self._last_noted()
        if kept.since == last:
            return True
        if kept.since > last:
            return False  # of a later snapshot than this one, where it will be wanted
        if await self._is_changed(time_range, kept.since):
            self._cache.forget(key)
            return False
        return True

    async def _is_marked(self, time_range: TimeRange) -> bool:
        if time_range not in self._marked:
            self._marked[time_range] = await self._cache.marks.is_dirty(
                self._site, time_range.start, time_range.end, self._snapshot
            )
        return self._marked[time_range]

    async def _is_changed(self, time_range: TimeRange, since: Instant) -> bool:
        asked = (time_range, since)
        if asked not in self._changed:
            self._changed[asked] = await self._cache.changes.any_since(
                self._site, since, time_range.start, time_range.end, self._snapshot
            )
        return self._changed[asked]

    async def _last_noted(self) -> Instant:
        if self._last is None:
            self._last = await self._cache.changes.last(self._site, self._snapshot)
        return self._last
