"""Cells and tables of longer periods, merged from those of shorter ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from app.modules.analytics.rollups.cells import SITE, Period, merged_amounts, table_of
from app.modules.analytics.rollups.distinct import merged_set
from app.modules.analytics.rollups.sessions_seen import merged_sessions
from app.modules.analytics.rollups.tally import ID_OF_SET

Content = Mapping[str, Any]


def merged(contents: Sequence[Content]) -> dict[str, Any]:
    """The content of the cell that these cells of one value make together."""
    counts = np.sum([content["counts"] for content in contents], 0)
    found: dict[str, Any] = {"counts": counts.tolist(), "value": contents[0]["value"]}
    amounts = merged_amounts([amount for each in contents for amount in each.get("amounts", ())])
    if amounts:
        found["amounts"] = amounts
    for name in ID_OF_SET:
        parts = [content[name] for content in contents if name in content]
        if parts:
            found[name] = merged_sessions(parts) if name == "sessions" else merged_set(parts)
    return found


def merged_rollups(
    period: Period, dimension: str, contents: Sequence[Content]
) -> Iterator[dict[str, Any]]:
    """The cells of a dimension in a longer period, and their table, from the cells of shorter ones."""
    by_value: dict[str | None, list[Content]] = {}
    for content in contents:
        by_value.setdefault(content["value"], []).append(content)
    cells = [merged(of_value) for of_value in by_value.values()]
    for cell in cells:
        yield period.document(period.cell_id(dimension, cell["value"]), cell)
    if cells and dimension != SITE:
        yield period.document(period.table_id(dimension), table_of(cells))
