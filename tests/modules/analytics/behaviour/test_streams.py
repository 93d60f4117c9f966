"""Long results come in portions and in bounded time."""

from typing import Any

import pytest
from pymongo.errors import ExecutionTimeout

from app.core.errors import LimitExceededError
from app.modules.analytics.runner import Runner
from app.repositories import base
from app.repositories.events import EventRepository
from tests.modules.analytics.asking import event, store

IN_ORDER = [{"$sort": {"_id": 1}}]


async def test_results_come_in_portions(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in order, at most so many at once; withdrawn and other sites' events are not there."""
    monkeypatch.setattr(base, "PORTION", 2)
    events = [event() for _ in range(5)]
    await store(*events, event(void={"id": "x"}))
    await store(event(site="other"), site="other")
    portions: list[list[str]] = []
    async with Runner(EventRepository(), 10).run("demo") as run:
        await run.stream(IN_ORDER, lambda found: portions.append([each["_id"] for each in found]))
    assert [len(portion) for portion in portions] == [2, 2, 1]
    assert [each for portion in portions for each in portion] == sorted(e["_id"] for e in events)


async def test_what_takes_too_long_is_refused(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it begins, in the database and while its portions are worked through."""
    monkeypatch.setattr(base, "PORTION", 1)
    await store(event(), event())
    taken: list[Any] = []
    async with Runner(EventRepository(), 0).run("demo") as run:
        with pytest.raises(LimitExceededError, match="longer than the server allows"):
            await run.stream(IN_ORDER, taken.append)
    async with Runner(EventRepository(), 10).run("demo") as run:

        def take_for_ever(portion: list[Any]) -> None:
            taken.append(portion)
            monkeypatch.setattr(run, "_deadline", 0)

        with pytest.raises(LimitExceededError, match="longer than the server allows"):
            await run.stream(IN_ORDER, take_for_ever)
    assert len(taken) == 1

    class Slow(EventRepository):
        async def _stream(self, *_: Any, **__: Any) -> None:
            raise ExecutionTimeout("operation exceeded time limit", 50)

    async with Runner(Slow(), 10).run("demo") as run:
        with pytest.raises(LimitExceededError, match="longer than the server allows"):
            await run.stream(IN_ORDER, taken.append)
