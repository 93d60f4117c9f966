"""Sends batches through the tracking's `ingest`, in their order, a few of them at a time."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
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


def batches(things: Iterable[T], size: int = BATCH_SIZE) -> Iterator[list[T]]:
    """Lists of so many, the last one shorter."""
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch


async def feed(
    work: Iterable[Sequence[T]],
    send: Callable[[Sequence[T]], Awaitable[None]],
    in_flight: int = IN_FLIGHT,
) -> None:
    """Send every batch. Batches begin in their order, and at most `in_flight` are under way.

    A batch is tried again while the database is away: events with ids of their own are not counted
    twice by that. Raises what a batch ended with; batches that are under way then are given up.
    """
    under_way: deque[asyncio.Task[None]] = deque()
    try:
        for batch in work:
            under_way.append(asyncio.create_task(_send_with_patience(batch, send)))
            await asyncio.sleep(0)  # so that it begins before the next one is read
            if len(under_way) >= in_flight:
                await under_way.popleft()
        while under_way:
            await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


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
