"""Which aggregations answer a report. All of them read raw events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.modules.analytics.measures import Part
from app.modules.analytics.pipelines import passes
from app.modules.analytics.pipelines.dimensions import Categories, seen_items
from app.modules.analytics.pipelines.expressions import Stage
from app.modules.analytics.pipelines.matching import covered_in_any_category
from app.modules.analytics.query import Dimension, ReportQuery

# The database takes commands of 16 MB, in which a key may stand twice.
MAX_PORTION_BYTES = 4_000_000
_KEY_OVERHEAD = 50

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a report is asked for: which parts of its totals and of its rows, and how many rows there are."""

    totals: frozenset[Part] = frozenset()
    rows: frozenset[Part] = frozenset()
    number_of_rows: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The aggregations of one report. `totals` and `rows` are run in their order; COUNTS comes first."""

    query: ReportQuery
    totals: tuple[Part, ...]
    rows: tuple[Part, ...]
    number_of_rows: bool

    @property
    def row_limit(self) -> int | None:
        """How many rows are read. The buckets of a series are few, and all of them count as rows."""
        return None if self.query.is_series else self.query.limit

    @property
    def needs_categories(self) -> bool:
        """Whether it depends on the categories that the catalogue has."""
        conditions = (condition.dimension for condition in self.query.filter.where)
        return Dimension.CATEGORY in (*self.query.dimensions, *conditions)

    def category_stages(self) -> list[Stage] | None:
        """What finds the categories of the report's items; None where it needs none."""
        if not self.needs_categories:
            return None
        return seen_items(covered_in_any_category(self.query))

    def total_stages(self, part: Part, categories: Categories) -> list[Stage]:
        return passes.of_whole_report(part, self.query, categories)

    def first_row_stages(self, categories: Categories) -> list[Stage]:
        """COUNTS of the rows that are wanted, and of one more where there are more."""
        limit = None if self.row_limit is None else self.row_limit + 1
        return passes.first_rows(self.query, categories, limit)

    def more_row_stages(
        self, part: Part, categories: Categories, these: Sequence[Key] | None
    ) -> list[list[Stage]]:
        """Another part of the rows, in one aggregation or several.

        `these` are the keys of the rows that are wanted; None: all are.
        """
        if these is None:
            return [passes.more_of_rows(part, self.query, categories)]
        return [
            passes.more_of_these_rows(part, self.query, categories, keys)
            for keys in _portions(these)
        ]

    def number_of_rows_stages(self, categories: Categories) -> list[Stage]:
        return passes.number_of_rows(self.query, categories)


def plan(query: ReportQuery, wanted: Wanted) -> Plan:
    """What to run for what is wanted of a report."""
    rows = wanted.rows | {Part.COUNTS} if wanted.rows or wanted.number_of_rows else frozenset()
    return Plan(query, _in_order(wanted.totals), _in_order(rows), wanted.number_of_rows)


def _in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(part for part in Part if part in parts)


def _portions(keys: Sequence[Key]) -> list[list[Key]]:
    """The keys in as few portions as fit into one command each."""
    portions: list[list[Key]] = []
    left = 0
    for key in keys:
        size = sum(len(str(value).encode()) + _KEY_OVERHEAD for value in key.values())
        if not portions or size > left:
            portions.append([])
            left = MAX_PORTION_BYTES
        portions[-1].append(key)
        left -= size
    return portions
