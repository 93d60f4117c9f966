"""Any history: what processes that remember answer is what one answers that does not."""

from datetime import timedelta
from typing import Any

import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.rollups.removal import KeepingRemoval
from app.modules.analytics.rollups.retention import Retention
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.sessions import SessionRepository
from tests.examples import examples
from tests.modules.analytics.asking import event, report, store
from tests.modules.analytics.test_caching import DAY, INSIDE, applications, withdraw

INSTANTS = [
    INSIDE + timedelta(minutes=minutes) for minutes in (0, 5, 15, 16 * 60, 17 * 60, 40 * 60)
]
RANGES = [DAY, {"start": "2026-06-10T08:10:00Z", "end": "2026-06-12T00:00:00Z"}]
OVERVIEW = """query ($range: RangeInput) { overview(range: $range) {
  current { events uniqueVisitors revenue } previous { events uniqueVisitors revenue } } }"""
POPULAR = """query ($range: RangeInput) { popularItems(by: REVENUE, range: $range) {
  itemId impressions uniqueUsers } }"""

processes = st.integers(0, 1)
acts = st.one_of(
    st.tuples(st.just("store"), st.sampled_from(INSTANTS), st.sampled_from("vw"), st.booleans()),
    st.tuples(st.just("void"), st.integers(0, 5)),
    st.tuples(st.just("roll up"), processes, st.sampled_from([0, 3_600])),
    st.tuples(st.just("remove"), st.sampled_from(INSTANTS)),
    st.tuples(st.just("rebuild"), processes),
    st.tuples(st.just("ask"), processes, st.sampled_from(RANGES)),
    st.tuples(st.just("ask"), processes, st.sampled_from(RANGES)),
)


@pytest_asyncio.fixture
async def processes_and_plain(make_api: Any) -> list[Any]:
    return await applications(make_api)


async def answers(api: Any, asked: dict[str, str]) -> list[Any]:
    return [
        await report(api, range=asked, by=["SOURCE"]),
        await api.ask(OVERVIEW, {"range": asked}),
        await api.ask(POPULAR, {"range": asked}),
    ]


@settings(
    deadline=None,
    max_examples=examples(8),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(history=st.lists(acts, min_size=4, max_size=12))
async def test_whatever_happens_answers_are_what_they_are_without_a_cache(
    processes_and_plain: list[Any], history: list[tuple[Any, ...]]
) -> None:
    """Events, late ones, withdrawn ones, removal and rollups by two processes that remember."""
    *remembering, plain = processes_and_plain
    for name in ("events", "marks", "quarter_hours", "rollups", "sessions", "changes"):
        await plain.database[name].delete_many({})
    for api in remembering:
        api.services.cache.clear()
    stored: list[dict[str, Any]] = []
    for act, *details in history:
        await do(act, details, remembering, stored)
        if act == "ask":
            api, asked = remembering[details[0]], details[1]
            assert await answers(api, asked) == await answers(plain, asked)
    for asked in RANGES:
        wanted = await answers(plain, asked)
        for api in remembering:
            assert await answers(api, asked) == wanted


async def do(
    act: str, details: list[Any], processes: list[Any], stored: list[dict[str, Any]]
) -> None:
    """One act of a history; asking is left to the test."""
    if act == "store":
        at, visitor, sold = details
        kind, fields = ("CONVERSION", {"value": "1.10"}) if sold else ("IMPRESSION", {})
        stored.append(event(kind, at=at, visitor=visitor, item="a", source=visitor, **fields))
        await store(stored[-1])
    elif act == "void" and stored:
        await withdraw(stored[details[0] % len(stored)])
    elif act == "remove":
        removal = KeepingRemoval(
            EventRepository(),
            MarkRepository(),
            QuarterHourRepository(),
            Retention(None, processes[0].clock),
            SessionRepository(),
        )
        await removal.remove_before("demo", quarter_of(details[0]) + QUARTER)
    elif act == "roll up":
        worker = processes[details[0]].services.rollups
        await worker.roll_up(0, details[1], details[1])
        await worker.release()
    elif act == "rebuild":
        worker = processes[details[0]].services.rollups
        await worker.rebuild("demo", INSTANTS[0], INSTANTS[-1], lambda *_: None)
        await worker.release()
