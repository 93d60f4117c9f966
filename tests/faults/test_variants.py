"""The careless variants are as careless as they say: else the harness that must catch them proves nothing."""

from collections.abc import Iterator
from unittest import mock

import pytest

from app.core.database import connect, direct_database
from app.repositories.session_items import ClaimRequest, SessionItemRepository
from tests.conftest import NOW
from tests.faults import variants


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """What a variant changes it changes for its process."""
    yield
    mock.patch.stopall()


async def test_one_is_content_with_the_primary(mongo_url: str) -> None:
    """Whichever way its writes take."""
    variants.write_concern_1()
    client = connect(mongo_url)
    assert client.write_concern.document == {"w": 1, "j": False}
    client.close()
    async with direct_database(mongo_url, "variants") as direct:
        assert direct.write_concern.document == {"w": 1, "j": False}


async def test_one_claims_nothing_before_it_looks() -> None:
    """Every request of a claim is left to the way that looks first and writes then."""
    variants.check_then_act()
    wanted = [ClaimRequest("demo:k", f"e{number}", NOW, 30) for number in range(3)]
    assert await SessionItemRepository().claim_new("demo", wanted, NOW) == [0, 1, 2]
