"""Any events, anybody: after they are erased nothing names them, and reports are what is left."""

from datetime import datetime
from typing import Any

import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import FixedClock
from app.modules.tracking.cleanup import CleanupService
from tests.examples import examples
from tests.modules.analytics import oracle
from tests.modules.analytics.asking import REPORT
from tests.modules.analytics.oracle import Asked
from tests.modules.privacy.looking import ERASE, export, naming
from tests.properties.test_reports import (
    LATER,
    counted,
    histories,
    instants,
    reports,
    store,
    thorough,
)


@pytest_asyncio.fixture
async def long_ago(make_api: Any) -> Any:
    """An application that keeps events for ever, at a time when all that is tested is over."""
    return await make_api(
        data_retention_days=0,
        report_cache_size=0,
        max_query_cost=10_000_000,
        clock=FixedClock(LATER),
    )


async def delete_before(api: Any, instant: datetime) -> None:
    """Delete events as an admin does: their numbers stay."""
    cleanup: CleanupService = api.services.registry[CleanupService]
    await cleanup._removal.remove_before("demo", instant)


@settings(thorough, max_examples=examples(5))
@given(
    history=histories(),
    asked=st.lists(reports(), min_size=2, max_size=2),
    who=st.sampled_from([("v", "v"), ("v", "w"), ("u", "u"), ("u", "$u")]),
    deleted_before=st.none() | instants,
    half_done=st.booleans(),
)
async def test_what_is_left_is_what_never_knew_them(
    long_ago: Any,
    history: list[tuple[dict[str, Any], int]],
    asked: list[tuple[dict[str, Any], Asked]],
    who: tuple[str, str],
    deleted_before: datetime | None,
    half_done: bool,
) -> None:
    """Reports of every kind, at once and when everything is rolled up again; no document of the site
    has the id or its hash; another site that has the same ids keeps them."""
    api = long_ago
    await api.database["erasures"].delete_many({})
    await store(api, history)
    if deleted_before is not None:
        await delete_before(api, deleted_before)
    if half_done:
        await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()
    named, subject = who
    field = {"v": "visitor", "u": "user"}[named]
    everything = counted(history)
    left = [event for event in everything if event.get(field) != subject]
    exported = await export(api, limit=3, **{named: subject})

    receipt = (await api.ask(ERASE, {named: subject}))["eraseVisitor"]
    assert receipt["finishedAt"] is not None
    gone = sum(len(r["data"]["events"]) for r in exported if r["kind"] == "gone_events")
    kinds = [record["kind"] for record in exported]
    assert receipt["removed"] == {
        "events": kinds.count("events"),
        "sessions": kinds.count("sessions"),
        "decisions": kinds.count("decisions"),
        "goneEvents": gone,
    }
    withdrawn = sum(e.get(field) == subject for e, arrival in history if arrival == -1)
    assert 0 <= kinds.count("events") + gone - (len(everything) - len(left)) <= withdrawn
    for _ in range(2):
        assert await naming(api, subject) == []
        for sent, report in asked:
            wanted = oracle.report(left, report, {})
            rows = wanted.pop("rows in all")
            answer = (await api.ask(REPORT, sent))["report"]
            assert answer.pop("meta")["rows"] == rows
            assert answer == wanted
        await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()
    others = sum(event.get(field) == subject for event, _ in history)
    assert await api.database["events"].count_documents({"site": "other", field: subject}) == others
    assert await export(api, **{named: subject}) == []
