"""Health under many questions at once."""

import asyncio
from typing import Any

import pytest

from app.http import health


async def test_however_many_ask_the_database_is_asked_once(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions that come while the database is asked share its answer."""
    asked: list[Any] = []
    answered = asyncio.Event()

    async def ping(client: Any) -> bool:
        asked.append(client)
        await answered.wait()
        return True

    monkeypatch.setattr(health, "ping", ping)
    waiting = [asyncio.create_task(api.http.get("/health/ready")) for _ in range(20)]
    await asyncio.sleep(0)
    while not asked:  # noqa: ASYNC110  # the first of them has to come so far
        await asyncio.sleep(0)
    answered.set()
    assert {response.status_code for response in await asyncio.gather(*waiting)} == {200}
    assert len(asked) == 1
