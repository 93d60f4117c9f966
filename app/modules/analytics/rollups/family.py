"""Which rollups can serve a report: those of the whole site, or of one dimension's values."""

from dataclasses import dataclass

from app.modules.analytics.pipelines.dimensions import FIELDS
from app.modules.analytics.query import Dimension, ReportQuery
from app.modules.analytics.rollups.cells import DAY, FOUR_WEEKS, QUARTER, SITE, WEEK
from app.modules.analytics.rollups.coverage import BLOCKS, PARTS
from app.modules.analytics.rollups.keying import CALENDAR


@dataclass(frozen=True, slots=True)
class Family:
    """The rollups of a dimension. `values` are the ones that the report covers; None: all.

    `place` is where the dimension's value stands in the key of a row; None: rows do not differ in it.
    """

    dimension: str
    levels: tuple[str, ...]
    values: tuple[str, ...] | None = None
    place: int | None = None
    without_none: bool = False

    @property
    def is_ranked(self) -> bool:
        """Whether all values of the dimension are rows."""
        return self.place is not None and self.values is None


def family_of(query: ReportQuery) -> Family | None:
    """The rollups that can serve this report; None where only events can."""
    wanted = query.filter
    if query.sampled or wanted.user is not None or wanted.visitor is not None:
        return None
    conditions = [(one.dimension, set(one.values)) for one in wanted.where]
    if wanted.items is not None:
        conditions.append((Dimension.ITEM, set(wanted.items)))
    named = {dimension for dimension, _ in conditions}
    if wanted.with_item:
        named.add(Dimension.ITEM)
    rows = [dimension for dimension in query.dimensions if dimension not in CALENDAR]
    named.update(rows)
    if not named:
        return Family(SITE, (FOUR_WEEKS, WEEK, DAY, PARTS, QUARTER))
    [dimension, *others] = named
    if others or dimension not in FIELDS or len(rows) < len(query.dimensions):
        return None
    values = None
    if conditions:
        values = tuple(sorted(set.intersection(*(values for _, values in conditions))))
    place = 1 if rows else None
    if values is None and place is None:
        return None  # events with an item, whichever: no rollup is of these alone
    return Family(
        dimension, (FOUR_WEEKS, WEEK, DAY, BLOCKS), values, place, without_none=wanted.with_item
    )
