"""Marking before writing: never too late, and no more often than needed."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.quarters import QUARTER
from app.modules.tracking import touching
from app.modules.tracking.touching import Touching
from app.repositories.events import EventRepository
from app.repositories.marks import REUSED_FOR_SECONDS, RIPE_AFTER_SECONDS
from tests.conftest import NOW

AT = datetime(2026, 6, 1, 12, 7, tzinfo=UTC)
NOON = AT.replace(minute=0)
LONGEST_WRITE_SECONDS = 4


class SlowMarks:
    """Remembers what is marked; each write takes `seconds` of a clock that only they move."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.seconds = 0.0
        self.fails = False
        self.marked: list[tuple[str, set[datetime]]] = []

    async def mark(self, site: str, starts: Collection[datetime]) -> None:
        self.now += self.seconds
        if self.fails:
            raise ConnectionError
        self.marked.append((site, set(starts)))

    def taken(self) -> list[tuple[str, set[datetime]]]:
        """What was marked since the last time."""
        taken, self.marked = self.marked, []
        return taken


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> SlowMarks:
    slow = SlowMarks()
    monkeypatch.setattr(touching, "time", SimpleNamespace(monotonic=lambda: slow.now))
    return slow


def touching_with(marks: Any) -> Touching:
    return Touching(marks)


async def test_quarters_are_marked_once_for_some_seconds(marks: SlowMarks) -> None:
    """Those that were not marked a moment ago, each once, for each site of its own."""
    found = touching_with(marks)
    await found.touch("demo", [AT, AT + timedelta(seconds=1), AT + QUARTER])
    assert marks.taken() == [("demo", {NOON, NOON + QUARTER})]
    await found.touch("demo", [AT, AT + 2 * QUARTER])
    assert marks.taken() == [("demo", {NOON + 2 * QUARTER})]
    await found.touch("other", [AT])
    assert marks.taken() == [("other", {NOON})]
    await found.touch("demo", [])
    assert marks.taken() == []
    marks.now += REUSED_FOR_SECONDS - 0.01
    await found.touch("demo", [AT])
    assert marks.taken() == []
    marks.now += 0.02
    await found.touch("demo", [AT])
    assert marks.taken() == [("demo", {NOON})]
    found.forget()
    await found.touch("demo", [AT])
    assert marks.taken() == [("demo", {NOON})]


async def test_no_mark_is_relied_on_that_may_be_ripe_before_the_write_ends(
    marks: SlowMarks,
) -> None:
    """However long marking took: what is relied on is younger than a rollup and a write need."""
    for seconds in (0, 0.5, 0.99, 1, 3, 30):
        found = touching_with(marks)
        marks.seconds = seconds
        begun = marks.now
        await found.touch("demo", [AT])
        marks.seconds = 0
        marks.taken()
        relied_on = begun
        while True:
            await found.touch("demo", [AT])
            if marks.taken():
                break
            relied_on = marks.now
            marks.now += 0.1
        # The mark may be as old as the moment when writing it began.
        assert relied_on - begun + LONGEST_WRITE_SECONDS < RIPE_AFTER_SECONDS
        if seconds >= 1:
            assert relied_on == begun


async def test_what_could_not_be_marked_is_not_taken_for_marked(marks: SlowMarks) -> None:
    """The error goes to the caller, who must not write; the next one tries again."""
    found = touching_with(marks)
    marks.fails = True
    with pytest.raises(ConnectionError):
        await found.touch("demo", [AT])
    marks.fails = False
    await found.touch("demo", [AT])
    assert marks.taken() == [("demo", {NOON})]


async def test_events_are_marked_before_they_are_stored(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when many are stored at once: at the moment of the write every quarter has its mark."""
    insert, marked_then = EventRepository.insert, []

    async def looking(self: EventRepository, site: str, events: Any) -> Any:
        marked = {mark["start"] async for mark in api.database["marks"].find({"site": site})}
        marked_then.extend(any(at <= e["at"] < at + QUARTER for at in marked) for e in events)
        return await insert(self, site, events)

    monkeypatch.setattr(EventRepository, "insert", looking)
    times = [(NOW - n * 2 * QUARTER).isoformat() for n in range(6)]
    await api.track(*[{"type": "PAGE_VIEW", "timestamp": at} for at in times])
    assert marked_then == [True] * 6
