"""Tracking through the API, on a real mongod."""

from typing import Any


async def test_first_impression_counts_and_its_repeat_does_not(api: Any) -> None:
    """The same impression within the cooldown is a DUPLICATE of the accepted one."""
    event = {"type": "IMPRESSION", "itemId": "lot-1", "sessionId": "s"}
    [first] = await api.track(event)
    [second] = await api.track(event)
    assert first["verdict"] == "ACCEPTED"
    assert (second["verdict"], second["reason"]) == ("DUPLICATE", "COOLDOWN")
