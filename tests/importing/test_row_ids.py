"""Ids of rows: different for different rows, always the same for the same."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.importing.identity import digest, event_id, row_id

ROW = "43bef96fff77e50ecc3eb08a292a062f"
CLICK = "9c79fb80-caf2-58f0-9307-df30f3d14444"

rows = st.tuples(
    st.text(max_size=6), st.binary(max_size=6), st.integers(1, 50), st.binary(max_size=6)
)


@given(rows, rows)
def test_only_the_same_row_has_the_same_id(
    one: tuple[object, ...], other: tuple[object, ...]
) -> None:
    """Site, file, line and content all count, and no two of them run into each other."""
    assert (row_id(*one) == row_id(*other)) == (one == other)  # type: ignore[arg-type]


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_parts_do_not_run_into_each_other(one: list[bytes], other: list[bytes]) -> None:
    """`ab` and `c` is not `a` and `bc`."""
    assert (digest(*one) == digest(*other)) == (one == other)


def test_events_of_a_row_have_uuids_of_their_own() -> None:
    """One for each type; they stay what they are, or files would count again after an upgrade."""
    row = row_id("demo", b"header", 2, b"content")
    assert row == ROW
    assert event_id(row, "CLICK") == CLICK
    assert event_id(row, "IMPRESSION") != CLICK
    assert UUID(CLICK).version == 5
