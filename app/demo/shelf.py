"""Shelves: items to choose from, the popular ones more often."""

from bisect import bisect
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from app.demo.catalogue import BANNER, DemoItem, catalogue


@dataclass(frozen=True, slots=True)
class Shelf:
    """Items and their cumulated popularity."""

    items: tuple[DemoItem, ...]
    weights: tuple[float, ...]

    def pick(self, random: Random) -> DemoItem:
        return self.items[
            min(bisect(self.weights, random.random() * self.weights[-1]), len(self.items) - 1)
        ]

    def pick_several(self, random: Random, count: int) -> list[DemoItem]:
        """Different ones."""
        picked: dict[str, DemoItem] = {}
        while len(picked) < min(count, len(self.items)):
            item = self.pick(random)
            picked[item.id] = item
        return list(picked.values())


@lru_cache(maxsize=64)
def shelf(category: str | None = None, kind: str | None = None) -> Shelf:
    """All lots and products; those of one category; or the items of one kind."""
    chosen = tuple(
        item
        for item in catalogue()
        if (item.kind == kind if kind else item.kind != BANNER)
        and (category is None or item.category == category)
    )
    return Shelf(chosen, tuple(accumulate(item.popularity for item in chosen)))
