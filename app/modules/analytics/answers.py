"""What the aggregations of a report found, put together: rows in the report's order, buckets filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.modules.analytics.buckets import Bucket
from app.modules.analytics.measures import Measures, Part
from app.modules.analytics.query import ReportQuery

_Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a report: a value for each of its dimensions, and where its bucket begins."""

    values: tuple[str | None, ...]
    start: datetime | None
    measures: Measures


@dataclass(slots=True)
class Answer:
    """What was counted. `number_of_rows` is how many there are, of which `rows` may be the first.

    `currencies` are those of all conversions of the report that have a value.
    """

    totals: Measures
    rows: list[Row] = field(default_factory=list)
    number_of_rows: int = 0
    currencies: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.currencies = self.totals.currencies


class Rows:
    """The rows of a report while its parts come in. `counted` is what COUNTS found, in order."""

    def __init__(
        self, query: ReportQuery, parts: Sequence[Part], counted: Sequence[dict[str, Any]]
    ) -> None:
        self._query = query
        self._parts = parts
        self._measures = {_key(found): Measures.none(parts) for found in counted}
        self.keys = [found["_id"] for found in counted]
        self.take(Part.COUNTS, counted)

    def __len__(self) -> int:
        return len(self._measures)

    def take(self, part: Part, found: Sequence[dict[str, Any]]) -> None:
        """Set what one part found for the rows."""
        for row in found:
            self._measures[_key(row)].take(part, row)

    def add_to(self, answer: Answer) -> None:
        """The rows as the report shows them."""
        for measures in self._measures.values():
            answer.currencies |= measures.currencies
        rows = self._series() if self._query.is_series else self._found()
        answer.rows = rows[: self._query.limit]
        answer.number_of_rows = len(rows)

    def _found(self) -> list[Row]:
        timeline = self._query.timeline
        starts = {bucket.key: bucket.start for bucket in timeline.buckets} if timeline else {}
        number = len(self._query.dimensions)
        return [
            Row(tuple(values[:number]), starts[bucket] if timeline else None, measures)
            for (bucket, *values), measures in self._measures.items()
        ]

    def _series(self) -> list[Row]:
        """A row for every bucket. Empty ones at the end that are still to come are left out."""
        timeline = self._query.timeline
        buckets = list(timeline.buckets) if timeline else []
        until = self._query.time_range.filled_until
        while until and buckets and buckets[-1].start > until and not self._of(buckets[-1]):
            buckets.pop()
        return [
            Row((), bucket.start, self._of(bucket) or Measures.none(self._parts))
            for bucket in buckets
        ]

    def _of(self, bucket: Bucket) -> Measures | None:
        """What was counted in a bucket of a series; None where nothing was."""
        return self._measures.get((bucket.key, None, None))


def _key(found: Mapping[str, Any]) -> _Key:
    """What a row is found by: its bucket and its dimensions' values."""
    key = found["_id"] or {}
    return key.get("b"), key.get("d0"), key.get("d1")
