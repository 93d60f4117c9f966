"""Batches go out in their order, a few at a time, and none is lost."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from pymongo.errors import AutoReconnect

from app.core.errors import UnavailableError
from app.importing import feed as module
from app.importing.feed import IN_FLIGHT, feed


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """New tries follow at once."""
    monkeypatch.setattr(module, "RETRY_SECONDS", (0, 0, 0))


async def test_batches_begin_in_order_and_a_few_at_a_time() -> None:
    """Nothing is sent twice, nothing is left, and never more are under way than the bound says."""
    sent: list[int] = []
    under_way = 0
    most = 0

    async def send(batch: Sequence[int]) -> None:
        nonlocal under_way, most
        sent.extend(batch)
        under_way += 1
        most = max(most, under_way)
        for _ in range(10):
            await asyncio.sleep(0)
        under_way -= 1

    await feed(range(25), send, size=2)
    assert sent == list(range(25))
    assert most == IN_FLIGHT


@pytest.mark.parametrize("away", [UnavailableError(), AutoReconnect("away")])
async def test_a_batch_is_sent_again_while_the_database_is_away(away: Exception) -> None:
    """Whoever says so, the service or the driver."""
    tries = 0

    async def send(batch: Sequence[int]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise away

    await feed([1, 2], send)
    assert tries == 3


async def test_a_database_that_stays_away_ends_it() -> None:
    """After the last try the error is the caller's."""

    async def send(batch: Sequence[int]) -> None:
        raise UnavailableError

    with pytest.raises(UnavailableError):
        await feed([1], send)


async def test_other_errors_are_not_tried_again() -> None:
    """A mistake would be the same the next time; what is under way is given up."""
    tries = 0

    async def send(batch: Sequence[int]) -> None:
        nonlocal tries
        tries += 1
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # any
        await feed(range(10), send, size=1)
    assert tries <= IN_FLIGHT


async def test_what_was_read_before_an_error_is_sent() -> None:
    """Then the error is raised."""
    sent: list[int] = []

    def numbers() -> Iterator[int]:
        yield from range(7)
        raise OSError("damaged")

    async def send(batch: Sequence[int]) -> None:
        await asyncio.sleep(0)
        sent.extend(batch)

    with pytest.raises(OSError, match="damaged"):
        await feed(numbers(), send, size=3)
    assert sent == list(range(7))
