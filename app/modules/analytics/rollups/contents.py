"""What is stored of the events of a quarter of an hour (schemas/quarter_hour.py)."""

from typing import Any

import bson
import numpy as np

from app.modules.analytics.rollups.columns import Columns, packed

# Of a part of a quarter of an hour. MongoDB takes documents of 16 MB, which some 300,000 events fill.
MOST_BYTES = 8 * 1024 * 1024


def contents_of(columns: Columns) -> list[dict[str, Any]]:
    """The contents of its parts: one, where that is not too large; none of no events."""
    if not len(columns):
        return []
    content: dict[str, Any] = {
        "events": len(columns),
        "weighted": columns.weight is not None,
        "columns": packed(columns),
    }
    if len(columns) == 1 or len(bson.encode(content)) <= MOST_BYTES:
        return [content]
    first, rest = np.array_split(np.arange(len(columns)), 2)
    return contents_of(columns.rows(first)) + contents_of(columns.rows(rest))
