"""Paths: where sessions went from an item or page, or came from."""

from dataclasses import dataclass

from app.core.errors import BadInputError
from app.core.texts import check_id
from app.modules.analytics.behaviour.enums import PathDirection

DEFAULT_PATHS, MAX_PATHS = 10, 100


@dataclass(frozen=True, slots=True)
class Anchor:
    """What paths begin or end at: an item or a page. Raises BadInputError unless it is one of them."""

    item: str | None = None
    page: str | None = None
    direction: PathDirection = PathDirection.NEXT

    def __post_init__(self) -> None:
        if (self.item is None) == (self.page is None):
            raise BadInputError("must be given, or page, and not both", "itemId")
        for name, value in (("itemId", self.item), ("page", self.page)):
            if value is not None:
                check_id(value, name)


@dataclass(frozen=True, slots=True)
class Path:
    """To how many sessions' paths an item or page belongs."""

    value: str
    sessions: int


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the sessions of an anchor went or came from.

    `ended`: nowhere. `others`: sessions of paths beyond the limit.
    """

    paths: list[Path]
    ended: int
    others: int

    @property
    def sessions(self) -> int:
        return sum(path.sessions for path in self.paths) + self.ended + self.others
