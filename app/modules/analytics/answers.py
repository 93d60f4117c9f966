"""What the aggregations of a report found, put together: rows in the report's order, buckets filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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

    def copied(self) -> "Answer":
        """The same once more; rows and measures are shared, and not to be written to any more."""
        copy = Answer(self.totals, list(self.rows), self.number_of_rows)
        copy.currencies = set(self.currencies)
        return copy


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
        rows = self._found()
        if self._query.is_series:
            of_bucket = {bucket: measures for (bucket, *_), measures in self._measures.items()}
            rows = filled_series(self._query, of_bucket, self._parts)
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


def filled_series(
    query: ReportQuery, found: Mapping[datetime, Measures], parts: Sequence[Part]
) -> list[Row]:
    """A row for every bucket of a series, given what was counted by the buckets' keys.

    Empty ones at the end that are still to come are left out.
    """
    buckets = list(query.timeline.buckets) if query.timeline else []
    until = query.time_range.filled_until
    while until and buckets and buckets[-1].start > until and buckets[-1].key not in found:
        buckets.pop()
    return [
        Row((), bucket.start, found.get(bucket.key) or Measures.none(parts)) for bucket in buckets
    ]


def _key(found: Mapping[str, Any]) -> _Key:
    """What a row is found by: its bucket and its dimensions' values."""
    key = found["_id"] or {}
    return key.get("b"), key.get("d0"), key.get("d1")
