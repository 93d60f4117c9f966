"""Any events, in any order, over any batches and processes, with repeats and restarts."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.examples import examples

COOLDOWN = {"IMPRESSION": 30.0, "VIEW": 30.0, "CLICK": 5.0}

event = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["IMPRESSION", "VIEW", "CLICK", "CONVERSION", "PAGE_VIEW"]),
        "itemId": st.sampled_from(["lot-1", "lot-2"]),
        "sessionId": st.sampled_from(["s", "t"]),
        "id": st.one_of(st.none(), st.integers(0, 6).map(str)),
        # Half seconds around the edges of both cooldowns.
        "seconds": st.one_of(
            st.integers(0, 200).map(lambda n: n / 2), st.sampled_from([4.999, 29.999])
        ),
    }
)
batches = st.lists(st.lists(event, min_size=1, max_size=8), min_size=1, max_size=6)

relaxed = settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest_asyncio.fixture
async def processes(make_api: Any) -> list[Any]:
    """Two of them, on one database."""
    return [await make_api(), await make_api(empty=False)]


@dataclass
class Oracle:
    """The definitions, as simply as they can be said."""

    ids: set[str] = field(default_factory=set)
    accepted: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)

    def verdict(self, sent: dict[str, Any]) -> str:
        if sent["id"] in self.ids:
            return "REPLAYED"
        times = self.accepted.setdefault((sent["type"], sent["sessionId"], sent["itemId"]), [])
        cooldown = COOLDOWN.get(sent["type"], 0)
        if any(abs(sent["seconds"] - at) < cooldown for at in times):
            return "COOLDOWN"
        times.append(sent["seconds"])
        if sent["id"] is not None:
            self.ids.add(sent["id"])
        return "ACCEPTED"


def wire(sent: dict[str, Any]) -> dict[str, Any]:
    """The event as the API takes it."""
    at = NOW - timedelta(hours=1) + timedelta(seconds=sent["seconds"])
    return {**{k: v for k, v in sent.items() if k != "seconds"}, "timestamp": at.isoformat()}


def ending(result: dict[str, Any]) -> str:
    return str(result["reason"] or result["verdict"])


async def empty(api: Any) -> None:
    """Forget everything that was stored, and what the process remembers of it."""
    for name in ("events", "session_items", "decisions"):
        await api.database[name].delete_many({})
    forget(api)


def forget(api: Any) -> None:
    """What a restart does to the in-memory cache."""
    api.services.deduplication._accepted.clear()


async def track(api: Any, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = await api.track(*[wire(one) for one in batch])
    return results


@relaxed
@given(sent=batches, restarts=st.sets(st.integers(0, 5)))
async def test_one_batch_after_the_other_is_what_the_oracle_says(
    processes: list[Any], sent: list[list[dict[str, Any]]], restarts: set[int]
) -> None:
    """Batches to two processes in turn, which forget their caches now and then: verdict for verdict."""
    await empty(processes[0])
    forget(processes[1])
    oracle = Oracle()
    for place, batch in enumerate(sent):
        process = processes[place % 2]
        if place in restarts:
            forget(process)
        results = await track(process, batch)
        assert [ending(result) for result in results] == [oracle.verdict(one) for one in batch]
    accepted = sum(len(times) for times in oracle.accepted.values())
    assert await processes[0].database["events"].count_documents({}) == accepted


@relaxed
@given(sent=batches)
async def test_batches_at_once_leave_nothing_out_and_count_nothing_twice(
    processes: list[Any], sent: list[list[dict[str, Any]]]
) -> None:
    """All batches at once to two processes: accepted ones are a cooldown apart and have ids of their
    own, every other one has an accepted one that stands for it, and what was accepted is stored."""
    await empty(processes[0])
    forget(processes[1])
    answers = await asyncio.gather(
        *[track(processes[n % 2], batch) for n, batch in enumerate(sent)]
    )
    ended = [
        (one, ending(result))
        for batch, results in zip(sent, answers, strict=True)
        for one, result in zip(batch, results, strict=True)
    ]
    accepted = [one for one, how in ended if how == "ACCEPTED"]
    oracle = Oracle()
    assert [oracle.verdict(one) for one in accepted] == ["ACCEPTED"] * len(accepted)
    for one, how in ended:
        if how == "REPLAYED":
            assert one["id"] in {other["id"] for other in accepted}
        elif how == "COOLDOWN":
            assert oracle.verdict(one | {"id": None}) == "COOLDOWN"
    assert await processes[0].database["events"].count_documents({}) == len(accepted)
