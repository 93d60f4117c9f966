"""The made-up events: of the shape that was asked for, and the same ones each time."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import FIRST_MS, LENGTH_MS, OF_SESSIONS, Columns, make_columns

EVENTS = 100_000


@pytest.fixture(scope="module")
def columns() -> Columns:
    return make_columns(EVENTS)


def test_a_seed_makes_the_same_events(columns: Columns) -> None:
    """Every column is the same again; with another seed it is not."""
    again, other = make_columns(EVENTS), make_columns(EVENTS, seed=1)
    for field in fields(Columns):
        assert np.array_equal(getattr(columns, field.name), getattr(again, field.name)), field.name
    assert not np.array_equal(columns.at, other.at)


def test_saved_columns_are_read_again(columns: Columns, tmp_path: Path) -> None:
    """What is loaded is what was saved."""
    columns.save(tmp_path / "columns")
    loaded = Columns.load(tmp_path / "columns")
    for field in fields(Columns):
        assert np.array_equal(getattr(columns, field.name), getattr(loaded, field.name)), field.name


def test_every_event_has_its_numbers(columns: Columns) -> None:
    """As many as were asked for, in order of time and within it; every session has its own numbers."""
    assert columns.events == EVENTS
    assert columns.sessions == len(np.unique(columns.session)) == columns.session.max() + 1
    for field in fields(Columns):
        expected = columns.sessions if field.name in OF_SESSIONS else columns.events
        assert len(getattr(columns, field.name)) == expected, field.name
    assert (np.diff(columns.at) >= 0).all()
    assert columns.at[0] >= FIRST_MS
    assert columns.at[-1] < FIRST_MS + LENGTH_MS


def test_types_occur_as_often_as_they_should(columns: Columns) -> None:
    """Mostly impressions, few conversions: the shares that the bench promises, within a tenth."""
    shares = np.bincount(columns.type, minlength=len(words.TYPES)) * 100 / EVENTS
    found = dict(zip(words.TYPES, shares, strict=True))
    wanted = {"IMPRESSION": 70, "VIEW": 15, "PAGE_VIEW": 8, "CLICK": 4, "CONVERSION": 0.5}
    for event_type, share in wanted.items():
        assert found[event_type] == pytest.approx(share, rel=0.1), event_type


def test_items_have_a_long_tail(columns: Columns) -> None:
    """The first hundred ranks have a third of the events, the last half of the items an eighth."""
    times = np.bincount(columns.item[columns.item >= 0], minlength=words.ITEMS)
    by_rank = times[[words.item_of_rank(rank) for rank in range(words.ITEMS)]]
    assert sorted({words.item_of_rank(rank) for rank in range(words.ITEMS)}) == list(
        range(words.ITEMS)
    )
    assert 0.30 < by_rank[:100].sum() / by_rank.sum() < 0.40
    assert 0.05 < by_rank[words.ITEMS // 2 :].sum() / by_rank.sum() < 0.15


def test_only_what_fits_is_there(columns: Columns) -> None:
    """Item events have items; conversions alone have values, custom events alone names."""

    def of(*types: str) -> np.ndarray:
        return np.isin(columns.type, [words.TYPES.index(each) for each in types])

    assert (columns.item[~of("PAGE_VIEW", "CUSTOM")] >= 0).all()
    assert (columns.name > 0).tolist() == of("CUSTOM").tolist()
    assert (columns.engagement >= 0).tolist() == of("ENGAGEMENT").tolist()
    assert (columns.cents[~of("CONVERSION")] < 0).all()
    assert (columns.cents[of("CONVERSION")] >= 0).sum() > 0
    assert set(columns.currency[columns.cents >= 0].tolist()) == {0, 1}
    assert not ((columns.position > 0) & (columns.source == 0)).any()


def test_three_of_ten_visitors_have_a_user() -> None:
    """Two of those three are one user's."""
    assert [words.user_id(visitor) for visitor in range(20, 25)] == [
        "user-10", "user-10", "user-11", None, None,
    ]  # fmt: skip
    ids = [words.user_id(visitor) for visitor in range(1_000)]
    assert sum(each is not None for each in ids) == 300
    assert len(set(ids) - {None}) == 200
