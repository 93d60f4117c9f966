"""Work that goes on beside requests for as long as the server runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from app.core.database import is_unavailable
from app.core.failures import log_failure


async def again_and_again(
    name: str,
    work: Callable[[], Awaitable[object]],
    every_seconds: float,
    logger: logging.Logger,
    not_now: type[Exception] | tuple[()] = (),
) -> None:
    """Do `work` every so many seconds until cancelled, whatever becomes of it once.

    Failures are logged under `name`; `not_now` is what it raises where somebody else is at it.
    """
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await work()
        except not_now:
            continue
        except Exception as error:
            if is_unavailable(error):
                logger.warning("%s waits: the database is away", name)
            else:
                log_failure(logger, f"{name} failed and is tried again", error)
