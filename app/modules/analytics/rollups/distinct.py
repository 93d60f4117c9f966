"""Distinct ids that can be added up over any periods: exact while they are few, sketches beyond.

A set is stored as its hashes up to EXACT ids, and as an Apache DataSketches HLL sketch, with its
exact count where that is known, beyond.
Sets of between MIXED and EXACT ids have both, so that adding them to a sketch takes no loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.modules.analytics.rollups.columns import Hashes, once_each
from app.modules.analytics.rollups.registers import (
    Coupons,
    coupons_of,
    estimate,
    merged_sketch,
    sketch_of,
)

EXACT = 1_024
MIXED = 32
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
    return once_each(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)


def stored_set(ids: Hashes, coupons: Coupons | None = None) -> Stored:
    """How a set of distinct ids is stored. `coupons` are theirs, where they are known."""
    stored: Stored = {}
    if len(ids) <= EXACT:
        stored["ids"] = ids.astype("<u8").tobytes()
    else:
        stored["count"] = len(ids)  # exact, where a report is of this one period
    if len(ids) > MIXED:
        stored["sketch"] = sketch_of(coupons_of(ids) if coupons is None else coupons)
    return stored


def count_stored(parts: Sequence[Stored], live: Sequence[Hashes] = ()) -> Distinct:
    """The distinct ids of stored sets and further ids together."""
    if len(parts) == 1 and not live and "count" in parts[0]:
        return Distinct(parts[0]["count"])
    known = exact_ids(parts)
    if known is not None:
        return Distinct(len(distinct([*known, *live])))
    return Distinct(round(estimate(*_to_merge(parts, live))), exact=False)


def merged_set(parts: Sequence[Stored]) -> Stored:
    """The stored set of all ids of these."""
    known = exact_ids(parts)
    if known is not None:
        return stored_set(distinct(known))
    return {"sketch": sketch_of_all(parts)}


def sketch_of_all(parts: Sequence[Stored]) -> bytes:
    """The sketch of all ids of these sets, one of which has more than MIXED."""
    return merged_sketch(*_to_merge(parts))


def exact_ids(parts: Sequence[Stored]) -> list[Hashes] | None:
    """The ids of stored sets; None where those of one are not all known."""
    if not all("ids" in part for part in parts):
        return None
    return [np.frombuffer(part["ids"], "<u8") for part in parts]


def _to_merge(parts: Sequence[Stored], live: Sequence[Hashes] = ()) -> tuple[list[bytes], Coupons]:
    """The sketches of sets, and the coupons of what is in none of them."""
    loose = [*live, *(np.frombuffer(p["ids"], "<u8") for p in parts if "sketch" not in p)]
    coupons = coupons_of(np.concatenate(loose)) if loose else np.empty(0, np.uint32)
    return [part["sketch"] for part in parts if "sketch" in part], coupons
