"""Distinct ids that can be added up over any periods: exact while they are few, sketches beyond.

A set is stored as its hashes up to EXACT ids, and as an Apache DataSketches HLL sketch, with its
exact count where that is known, beyond.
Sets of between MIXED and EXACT ids have both, so that adding them to a sketch takes no loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasketches import hll_sketch, hll_union, tgt_hll_type

from app.modules.analytics.rollups.columns import Hashes

EXACT = 1_024
MIXED = 32
LG_K = 15  # 32,768 registers in 16 KB
# Of a sketch that was merged from others, relative: 1.04 / sqrt(32,768).
STANDARD_ERROR = 0.00575


Stored = dict[str, Any]  # a set of ids as a document has it


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many distinct ids there are, and whether that is exact."""

    count: int
    exact: bool = True


def distinct(hashes: Sequence[Hashes]) -> Hashes:
    """Each of these ids once, in order."""
    if len(hashes) == 1:
        return np.unique(hashes[0])
    return np.unique(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)


def stored_set(ids: Hashes) -> Stored:
    """How a set of distinct ids is stored."""
    stored: Stored = {}
    if len(ids) <= EXACT:
        stored["ids"] = ids.astype("<u8").tobytes()
    else:
        stored["count"] = len(ids)  # exact, where a report is of this one period
    if len(ids) > MIXED:
        stored["sketch"] = sketch_of(ids).serialize_compact()
    return stored


def sketch_of(ids: Hashes) -> hll_sketch:
    """An HLL sketch of ids."""
    sketch = hll_sketch(LG_K, tgt_hll_type.HLL_4)
    for one in ids.tolist():
        sketch.update(one)
    return sketch


def count_stored(parts: Sequence[Stored], live: Sequence[Hashes] = ()) -> Distinct:
    """The distinct ids of stored sets and further ids together."""
    if len(parts) == 1 and not live and "count" in parts[0]:
        return Distinct(parts[0]["count"])
    known = exact_ids(parts)
    if known is not None:
        return Distinct(len(distinct([*known, *live])))
    union = _union_of(parts, live)
    # Merged with itself a sketch estimates from its registers alone: else the order would have a say.
    union.update(union.get_result(tgt_hll_type.HLL_8))
    return Distinct(round(union.get_estimate()), exact=False)


def merged_set(parts: Sequence[Stored]) -> Stored:
    """The stored set of all ids of these."""
    known = exact_ids(parts)
    if known is not None:
        return stored_set(distinct(known))
    return {"sketch": merged_sketch(parts)}


def merged_sketch(parts: Sequence[Stored]) -> bytes:
    """The sketch of all ids of these."""
    sketch: bytes = _union_of(parts, ()).get_result(tgt_hll_type.HLL_4).serialize_compact()
    return sketch


def exact_ids(parts: Sequence[Stored]) -> list[Hashes] | None:
    """The ids of stored sets; None where those of one are not all known."""
    if not all("ids" in part for part in parts):
        return None
    return [np.frombuffer(part["ids"], "<u8") for part in parts]


def _union_of(parts: Sequence[Stored], live: Sequence[Hashes]) -> hll_union:
    union = hll_union(LG_K)
    loose = list(live)
    for part in parts:
        if "sketch" in part:
            union.update(hll_sketch.deserialize(part["sketch"]))
        else:
            loose.append(np.frombuffer(part["ids"], "<u8"))
    if loose:
        union.update(sketch_of(distinct(loose)))
    return union
