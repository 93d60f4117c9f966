"""Items like another: of its category, then of its kind, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.schemas import Item as ItemDocument
from app.schemas.item import ItemStatus

Stage = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes other items like one."""

    category: str | None
    kind: str

    def closeness(self, item: ItemDocument) -> int | None:
        """0 for the same category, 1 for the same kind, None for neither."""
        if self.category is not None and item.category == self.category:
            return 0
        return 1 if item.kind == self.kind else None

    def conditions(self) -> list[Stage]:
        """The conditions of either closeness, apart from the site."""
        active = {"status": ItemStatus.ACTIVE.value}
        same_kind: Stage = {**active, "kind": self.kind}
        if self.category is None:
            return [same_kind]
        return [
            {**active, "category": self.category},
            {**same_kind, "category": {"$ne": self.category}},
        ]

    def closest(self, items: Sequence[ItemDocument], count: int) -> list[ItemDocument]:
        """The first so many of these items that are like it, closer ones first, then newer ones."""
        alike = [item for item in items if self.closeness(item) is not None]
        alike.sort(key=lambda item: (item.created_at, item.id), reverse=True)
        alike.sort(key=lambda item: self.closeness(item) or 0)
        return alike[:count]


def newest_stages(site: str, conditions: Sequence[Stage], count: int) -> list[Stage]:
    """The stages after a match of the first condition: the newest so many items of each condition."""
    newest: list[Stage] = [{"$sort": {"created_at": -1, "_id": -1}}, {"$limit": count}]
    others: list[Stage] = [
        {
            "$unionWith": {
                "coll": ItemDocument.Settings.name,
                "pipeline": [{"$match": {"site": site, **condition}}, *newest],
            }
        }
        for condition in conditions[1:]
    ]
    return [*newest, *others]
