"""When keys were used last."""

import asyncio
import logging
from collections import defaultdict
from datetime import datetime

from app.core.database import deadline
from app.repositories.api_keys import ApiKeyRepository
from app.schemas import ApiKey

logger = logging.getLogger("footfall.keys")

WRITE_SECONDS = 60.0


class KeyUses:
    """Remembers uses, and writes them down once a minute: no request waits for it, nor fails with it."""

    def __init__(self, keys: ApiKeyRepository) -> None:
        self._keys = keys
        self._unwritten: dict[str, dict[str, datetime]] = defaultdict(dict)

    def remember(self, key: ApiKey, now: datetime) -> None:
        """The key is used now."""
        self._unwritten[key.site][key.id] = now

    async def run(self) -> None:
        """Write down what was remembered, each minute and in the end."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write down what was remembered. What cannot be written now waits for the next time."""
        unwritten, self._unwritten = self._unwritten, defaultdict(dict)
        try:
            with deadline():
                for site in list(unwritten):
                    await self._keys.record_uses(site, unwritten[site])
                    del unwritten[site]
        except Exception as error:
            logger.warning("last uses of keys are not written yet: %s", type(error).__name__)
            for site, uses in unwritten.items():
                self._unwritten[site] = uses | self._unwritten[site]
