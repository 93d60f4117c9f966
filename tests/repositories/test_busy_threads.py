"""What every request waits for does not queue behind reports."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from motor.frameworks import asyncio as driver

from app.core.auth import Scope

TRACK = """mutation ($input: BatchInput!) { trackBatch(input: $input) {
  accepted results { verdict reason } } }"""
REQUIRE_TOKENS = """mutation {
  rotateItemTokenSecret { secret }
  updateSite(input: {requireItemToken: true}) { name } }"""


@pytest.fixture
def occupy() -> Iterator[Any]:
    """Make all threads of the driver busy, as many slow reports do, until the test is over."""
    over = threading.Event()

    def all_threads() -> None:
        for _ in range(driver._EXECUTOR._max_workers):
            driver._EXECUTOR.submit(over.wait)

    yield all_threads
    over.set()


async def test_tracking_goes_on_while_reports_have_all_threads(make_api: Any, occupy: Any) -> None:
    """A process that knows neither the key nor the site, the day's salt or the secret of item tokens yet
    answers for events of a visitor without cookies."""
    before = await make_api()
    await before.ask(REQUIRE_TOKENS)
    api = await make_api(empty=False)
    occupy()
    visitor = {"userAgent": "Mozilla/5.0 (X11; Linux x86_64)"}
    events = [
        {"type": "PAGE_VIEW", **visitor},
        {"type": "CLICK", "itemId": "lot-1", "itemToken": "x.y", **visitor},
    ]
    answer = await api.ask(
        TRACK,
        {"input": {"events": events}},
        scope=Scope.WRITE,
        headers={"Origin": "https://shop.example"},
    )
    endings = [each["reason"] or each["verdict"] for each in answer["trackBatch"]["results"]]
    assert endings == ["ACCEPTED", "BAD_SIGNATURE"]
