"""Sends batches through the tracking's `ingest`, in their order, a few of them at a time."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from app.core.database import is_unavailable
from app.core.errors import UnavailableError

T = TypeVar("T")

logger = logging.getLogger("footfall.importing")

BATCH_SIZE = 1_000
# While one batch is being written the next ones are prepared; more at a time is no faster.
IN_FLIGHT = 3
# How long to wait before each new try while the database is away; then it is given up.
RETRY_SECONDS = (0.5, 1, 2, 4, 8, 15)


async def feed(
    things: Iterable[T], send: Callable[[Sequence[T]], Awaitable[None]], size: int = BATCH_SIZE
) -> None:
    """Send everything in batches. They begin in their order, and a few are under way at a time.

    A batch is tried again while the database is away: events with ids of their own are not counted
    twice by that, but what the first try did store is then answered as a repeat. Raises what a batch ended with, and then others that are under way are given up;
    or what the reading of `things` ended with, when all that was read before is sent.
    """
    iterator = iter(things)
    under_way: deque[asyncio.Task[None]] = deque()
    problem: Exception | None = None
    try:
        while problem is None:
            batch, problem = _take(iterator, size)
            if not batch:
                break
            under_way.append(asyncio.create_task(_send_with_patience(batch, send)))
            await asyncio.sleep(0)  # so that it begins before the next one is read
            if len(under_way) >= IN_FLIGHT:
                await under_way.popleft()
        while under_way:
            await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
    if problem is not None:
        raise problem


def _take(iterator: Iterator[T], size: int) -> tuple[list[T], Exception | None]:
    """The next ones, at most so many, and the error that came instead of more."""
    batch: list[T] = []
    try:
        for thing in iterator:
            batch.append(thing)
            if len(batch) == size:
                break
    except Exception as error:
        return batch, error
    return batch, None


async def _send_with_patience(
    batch: Sequence[T], send: Callable[[Sequence[T]], Awaitable[None]]
) -> None:
    for seconds in RETRY_SECONDS:
        try:
            await send(batch)
        except Exception as error:
            if not isinstance(error, UnavailableError) and not is_unavailable(error):
                raise
            logger.warning("the database is away; trying again in %g s", seconds)
            await asyncio.sleep(seconds)
        else:
            return
    await send(batch)
