"""What a bulk write that did not go through in full means."""

import pytest
from pymongo.errors import BulkWriteError

from app.core.errors import UnavailableError
from app.repositories.base import Refused, refused_by

DUPLICATE = {
    "index": 3,
    "code": 11000,
    "errmsg": 'E11000 duplicate key error collection: f.events index: _id_ dup key: { _id: "a" }',
}
NO_MAJORITY = {"code": 50, "errmsg": "operation exceeded time limit"}


def test_duplicates_are_told_with_their_place_and_index() -> None:
    """A duplicate key is an answer, not an error."""
    assert refused_by(BulkWriteError({"writeErrors": [DUPLICATE]})) == [Refused(3, "_id_")]


@pytest.mark.parametrize("refused", [[], [DUPLICATE]])
def test_without_a_majority_nothing_is_sure(refused: list[dict[str, object]]) -> None:
    """Written on the primary alone: unavailable, and no word on duplicates, which may be undone too."""
    error = BulkWriteError({"writeErrors": refused, "writeConcernErrors": [NO_MAJORITY]})
    with pytest.raises(UnavailableError):
        refused_by(error)


def test_a_mistake_of_ours_stays_one() -> None:
    """A document that the server refuses for another reason is not taken for a duplicate."""
    error = BulkWriteError({"writeErrors": [DUPLICATE, {"index": 4, "code": 2, "errmsg": "bad"}]})
    with pytest.raises(BulkWriteError):
        refused_by(error)
