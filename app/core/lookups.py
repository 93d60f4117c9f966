"""Asking the database once for what many requests ask for at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Lookups(Generic[T]):
    """Fills a cache. While a value is looked up, whoever else wants it waits for the same answer.

    Without it every request that comes while a value has expired asks for it, which are hundreds where
    there is most to do.
    """

    def __init__(
        self, known: MutableMapping[str, T], look_up: Callable[[str], Awaitable[T]]
    ) -> None:
        self._known = known
        self._look_up = look_up
        self._under_way: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str) -> T:
        """The value of the key. Raises what looking it up raises, which is not kept."""
        try:
            return self._known[key]
        except KeyError:
            pass
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fill(key))
        return await asyncio.shield(task)

    def forget(self, key: str) -> None:
        """Look it up again, also where that is under way: what it finds may be from before."""
        self._known.pop(key, None)
        self._under_way.pop(key, None)

    def clear(self) -> None:
        """The same for every key."""
        self._known.clear()
        self._under_way.clear()

    async def _fill(self, key: str) -> T:
        own = asyncio.current_task()
        try:
            found = await self._look_up(key)
            if self._under_way.get(key) is own:
                self._known[key] = found
            return found
        finally:
            if self._under_way.get(key) is own:
                del self._under_way[key]
