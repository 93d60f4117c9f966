"""Writes the rows of a report to a file, with one value for each name."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.core.names import camel_case
from app.core.scalars import format_instant
from app.exporting.formats import Format, header, lines
from app.exporting.output import output_file
from app.modules.analytics.planner import Wanted
from app.modules.analytics.query import Dimension
from app.modules.analytics.ranges import RangeRequest
from app.modules.analytics.service import (
    ALL_PARTS,
    AnalyticsService,
    Counted,
    Reported,
    ReportRequest,
)
from app.modules.analytics.types import Metrics

# Not one value, but a list of them.
_LEFT_OUT = {"revenue_by_currency"}
_NUMBERS = [field.name for field in dataclasses.fields(Metrics) if field.name not in _LEFT_OUT]


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """How many rows a file has, and how many more there would be without the limit."""

    rows: int
    beyond: int


class ReportExport:
    """Writes a report of a site."""

    def __init__(
        self, analytics: AnalyticsService, site: str, asked: RangeRequest, request: ReportRequest
    ) -> None:
        self._analytics = analytics
        self._site = site
        self._asked = asked
        self._request = request

    async def write(self, path: Path, file_format: Format) -> Written:
        """Write the file, whole or not at all. Raises what a report raises, and OSError."""
        wanted = Wanted(rows=ALL_PARTS, number_of_rows=True)
        reported = await self._analytics.report(self._site, self._asked, self._request, wanted)
        dimensions = self._request.dimensions
        names = columns(dimensions, with_start=self._request.granularity is not None)
        with output_file(path) as output:
            output.write(header(file_format, names))
            output.write(lines(file_format, names, records(reported, dimensions)))
        rows = len(reported.answer.rows)
        return Written(rows, reported.answer.number_of_rows - rows)


def columns(dimensions: Sequence[Dimension], *, with_start: bool) -> list[str]:
    """The names, in their order: what the row is of, when it begins, its numbers."""
    names = [_name(dimension) for dimension in dimensions]
    return [*names, *(["start"] if with_start else []), *map(camel_case, _NUMBERS)]


def records(reported: Reported, dimensions: Sequence[Dimension]) -> Iterator[dict[str, Any]]:
    """The rows in the report's order. Amounts are exact decimals, rates percentages."""
    for row in reported.answer.rows:
        metrics = Metrics.of(Counted(row.measures, reported.currency))
        found: dict[str, Any] = dict(zip(map(_name, dimensions), row.values, strict=True))
        if row.start is not None:
            found["start"] = format_instant(row.start)
        yield found | {camel_case(name): getattr(metrics, name) for name in _NUMBERS}


def _name(dimension: Dimension) -> str:
    """`utmSource` for UTM_SOURCE."""
    return camel_case(dimension.value.lower())
