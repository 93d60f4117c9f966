"""Whether a subscriber may still listen: keys are revoked while subscriptions are open."""

import asyncio
import contextlib

from app.core.auth import Principal
from app.core.database import is_unavailable
from app.core.errors import UnauthenticatedError, UnavailableError
from app.core.ports import KeyCheck

# The key is looked at so often. With the second that a look may take, 10 s are kept with ease.
CHECK_SECONDS = 4.0


class KeyWatch:
    """Looks at one principal's key again and again, every so many seconds."""

    def __init__(self, keys: KeyCheck, principal: Principal, seconds: float | None = None) -> None:
        self._keys = keys
        self._principal = principal
        self._seconds = CHECK_SECONDS if seconds is None else seconds
        self._due = asyncio.get_running_loop().time() + self._seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep so long, and look meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, self._seconds_left()))
            await self.check()

    async def wait(self, event: asyncio.Event) -> None:
        """Wait for the event, and look meanwhile."""
        while not event.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_left()):
                    await event.wait()
            await self.check()

    async def check(self) -> None:
        """Look when it is due. Raises UnauthenticatedError when the key is no longer valid.

        While the database is away nobody can tell, and nothing comes that could be shown.
        """
        if self._seconds_left():
            return
        try:
            valid = await self._keys.is_valid(self._principal)
        except Exception as error:
            if not (isinstance(error, UnavailableError) or is_unavailable(error)):
                raise
        else:
            if not valid:
                raise UnauthenticatedError("The API key is no longer valid.")
        self._due = asyncio.get_running_loop().time() + self._seconds

    def _seconds_left(self) -> float:
        """Until the next look is due."""
        return max(0.0, self._due - asyncio.get_running_loop().time())
