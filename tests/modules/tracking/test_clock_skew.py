"""Callers whose clock is off."""

from datetime import timedelta
from typing import Any

import pytest

BATCH = """mutation ($i: BatchInput!) { trackBatch(input: $i) { results { verdict reason } } }"""


async def track_at(api: Any, clock_ahead: timedelta, *ages: float) -> list[dict[str, Any]]:
    """Page views so many seconds old, sent by a caller whose clock is ahead."""
    theirs = api.clock.now() + clock_ahead
    events = [
        {"type": "PAGE_VIEW", "timestamp": (theirs - timedelta(seconds=age)).isoformat()}
        for age in ages
    ]
    data = await api.ask(BATCH, {"i": {"sentAt": theirs.isoformat(), "events": events}})
    results: list[dict[str, Any]] = data["trackBatch"]["results"]
    return results


@pytest.mark.parametrize("days", [3, -3, 400, -400])
async def test_a_clock_that_is_off_is_corrected_and_both_times_are_kept(
    api: Any, days: int
) -> None:
    """The event is placed where it happened by our clock; the caller's own time stays beside it."""
    [result] = await track_at(api, timedelta(days=days), 60)
    assert result["verdict"] == "ACCEPTED"
    [event] = await api.database["events"].find({}).to_list(None)
    assert event["at"] == api.clock.now() - timedelta(seconds=60)
    assert event["client_at"] == event["at"] + timedelta(days=days)


async def test_the_time_on_the_way_is_no_skew(api: Any) -> None:
    """A difference under 5 s leaves the timestamps alone."""
    await track_at(api, timedelta(seconds=-4.9), 60)
    [event] = await api.database["events"].find({}).to_list(None)
    assert event["at"] == api.clock.now() - timedelta(seconds=64.9)
    assert "client_at" not in event


async def test_corrected_times_are_held_to_the_bounds(api: Any) -> None:
    """Wild timestamps get TIMESTAMP whatever clock they are sent with; arithmetic never fails."""
    results = await track_at(api, timedelta(days=3), 100 * 86_400, -301, 0)
    assert [result["reason"] for result in results] == ["TIMESTAMP", "TIMESTAMP", None]
    event = {"type": "PAGE_VIEW", "timestamp": "9999-12-31T23:59:59Z"}
    data = await api.ask(BATCH, {"i": {"sentAt": "0001-01-01T00:00:00Z", "events": [event]}})
    assert data["trackBatch"]["results"][0]["reason"] == "TIMESTAMP"
