"""The group commit: who shares a write, what bounds it, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pymongo import MongoClient

from app.core.errors import UnavailableError
from app.modules.tracking import commit as commit_module
from app.modules.tracking.commit import GroupCommit
from app.modules.tracking.events import Candidate, Verdict
from tests.conftest import NOW, start_server


class StoredInMemory:
    """Stands in for the events: writes wait for `gate`, and each is remembered."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.writes: list[list[str]] = []
        self.error: Exception | None = None

    async def stored(self, site: str, event_ids: Sequence[str]) -> dict[str, Any]:
        return {}

    async def of_orders(self, site: str, orders: Sequence[str]) -> dict[str, str]:
        return {}

    async def insert(self, site: str, events: Sequence[dict[str, Any]]) -> list[Any]:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.writes.append([event["_id"] for event in events])
        return []


class NoCooldown:
    """Stands in for the deduplication: every claim is won."""

    async def claim(self, site: str, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        return candidates

    async def settle(self, site: str, winners: Sequence[Candidate]) -> set[str]:
        return set()


class Unmarked:
    """Stands in for the marks: nothing is."""

    async def touch(self, site: str, instants: Iterable[datetime]) -> None:
        pass


@pytest.fixture
def events() -> StoredInMemory:
    return StoredInMemory()


@pytest_asyncio.fixture
async def commit(events: StoredInMemory) -> AsyncIterator[GroupCommit]:
    group_commit = GroupCommit(events, NoCooldown(), Unmarked())  # type: ignore[arg-type]
    group_commit.start()
    yield group_commit
    events.gate.set()
    await group_commit.stop()


def candidates(*event_ids: str) -> list[Candidate]:
    return [
        Candidate(i, {"_id": i, "site": "demo", "at": NOW}, id_is_callers=True) for i in event_ids
    ]


async def settled() -> None:
    """Let everything run that can run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_lone_request_waits_for_nobody(commit: GroupCommit, events: StoredInMemory) -> None:
    """It is written by itself at once."""
    [outcome] = await commit.submit("demo", candidates("1"))
    assert outcome.verdict is Verdict.ACCEPTED
    assert events.writes == [["1"]]


async def test_who_waits_meanwhile_shares_the_next_write(
    commit: GroupCommit, events: StoredInMemory
) -> None:
    """While one write is under way, all that comes in becomes one more; each gets its own outcomes."""
    events.gate.clear()
    first = asyncio.create_task(commit.submit("demo", candidates("1")))
    await settled()
    others = [
        asyncio.create_task(commit.submit("demo", candidates(f"{n}a", f"{n}b"))) for n in range(5)
    ]
    await settled()
    events.gate.set()
    answers = await asyncio.gather(first, *others)
    assert [len(write) for write in events.writes] == [1, 10]
    assert [[o.event_id for o in outcomes] for outcomes in answers[1:]] == [
        [f"{n}a", f"{n}b"] for n in range(5)
    ]


async def test_nothing_is_answered_before_it_is_durable(
    commit: GroupCommit, events: StoredInMemory
) -> None:
    """As long as the write is under way there is no verdict."""
    events.gate.clear()
    waiting = asyncio.create_task(commit.submit("demo", candidates("1")))
    await settled()
    assert not waiting.done()
    events.gate.set()
    assert (await waiting)[0].verdict is Verdict.ACCEPTED


async def test_a_write_that_fails_is_nobodys_verdict(
    commit: GroupCommit, events: StoredInMemory
) -> None:
    """Everyone in the group gets the error; the next group is written."""
    events.error = ConnectionError("gone")
    results = await asyncio.gather(
        *[commit.submit("demo", candidates(str(n))) for n in range(3)], return_exceptions=True
    )
    assert [type(result) for result in results] == [ConnectionError] * 3
    events.error = None
    assert (await commit.submit("demo", candidates("4")))[0].verdict is Verdict.ACCEPTED


async def test_the_queue_is_bounded(
    commit: GroupCommit, events: StoredInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound the answer is UNAVAILABLE at once, and room is there again afterwards."""
    monkeypatch.setattr(commit_module, "MAX_WAITING", 3)
    events.gate.clear()
    first = asyncio.create_task(commit.submit("demo", candidates("1")))
    await settled()
    second = asyncio.create_task(commit.submit("demo", candidates("2", "3", "4")))
    await settled()
    with pytest.raises(UnavailableError, match="waiting"):
        await commit.submit("demo", candidates("5"))
    events.gate.set()
    await asyncio.gather(first, second)
    assert (await commit.submit("demo", candidates("5")))[0].verdict is Verdict.ACCEPTED


async def test_a_write_that_hangs_is_unavailable_in_time(
    commit: GroupCommit, events: StoredInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told before its 5 s are over, whatever the database does."""
    assert commit_module.DEADLINE_SECONDS < 5
    monkeypatch.setattr(commit_module, "DEADLINE_SECONDS", 0.01)
    events.gate.clear()
    with pytest.raises(UnavailableError):
        await commit.submit("demo", candidates("1"))


async def test_sites_do_not_share_a_write(commit: GroupCommit, events: StoredInMemory) -> None:
    """A group is of one site; the others keep their order and come next."""
    events.gate.clear()
    tasks = [asyncio.create_task(commit.submit("demo", candidates("0")))]
    await settled()
    for n, site in enumerate(["a", "b", "a", "b"], start=1):
        tasks.append(asyncio.create_task(commit.submit(site, candidates(str(n)))))
    await settled()
    events.gate.set()
    await asyncio.gather(*tasks)
    assert events.writes == [["0"], ["1", "3"], ["2", "4"]]


async def test_stopping_writes_what_waits(events: StoredInMemory) -> None:
    """Everything taken in is answered; what comes later is UNAVAILABLE."""
    group_commit = GroupCommit(events, NoCooldown(), Unmarked())  # type: ignore[arg-type]
    group_commit.start()
    events.gate.clear()
    waiting = [
        asyncio.create_task(group_commit.submit("demo", candidates(str(n)))) for n in range(3)
    ]
    await settled()
    stopping = asyncio.create_task(group_commit.stop())
    await settled()
    events.gate.set()
    await stopping
    assert [outcomes[0].verdict for outcomes in await asyncio.gather(*waiting)] == [
        Verdict.ACCEPTED
    ] * 3
    with pytest.raises(UnavailableError):
        await group_commit.submit("demo", candidates("9"))


@pytest.mark.timeout(60)
async def test_sigterm_under_load_answers_what_was_accepted(
    mongo_url: str, database_name: str, tmp_path: Any
) -> None:
    """Two workers, busy clients, SIGTERM: it ends within 10 s with exit code 0, and every ACCEPTED is stored."""
    database = f"{database_name}_sigterm"
    server = start_server(mongo_url, database, tmp_path, FOOTFALL_WORKERS="2")
    accepted: set[str] = set()
    enough = asyncio.Event()

    async def client(name: int) -> None:
        async with httpx.AsyncClient(timeout=10) as http:
            for n in range(10_000):
                event = {"itemId": "a", "id": f"{name}-{n}", "sessionId": f"{name}-{n}"}
                try:
                    response = await http.post(
                        f"{server.url}/graphql",
                        json={
                            "query": "mutation ($i: TrackInput!) { trackClick(input: $i) { verdict } }",
                            "variables": {"i": event},
                        },
                        headers={"X-API-Key": server.write_key},
                    )
                except httpx.TransportError:
                    return  # the server has closed its door
                if "errors" in response.json():
                    return
                assert response.json()["data"]["trackClick"]["verdict"] == "ACCEPTED"
                accepted.add(f"demo:{event['id']}")
                if len(accepted) >= 300:
                    enough.set()

    clients = [asyncio.create_task(client(name)) for name in range(16)]
    await enough.wait()
    server.process.terminate()
    assert await asyncio.to_thread(server.process.wait, 10) == 0
    await asyncio.gather(*clients)
    with MongoClient(mongo_url) as mongo:
        stored = {event["_id"] for event in mongo[database]["events"].find({}, {"_id": 1})}
    assert len(accepted) >= 300
    assert accepted <= stored


async def test_what_is_on_its_way_shares_the_write(
    commit: GroupCommit, events: StoredInMemory
) -> None:
    """Requests that come in one turn of the event loop after the other are one group."""

    async def come(turn: int) -> None:
        for _ in range(turn):
            await asyncio.sleep(0)
        await commit.submit("site", candidates(f"e{turn}"))

    await asyncio.gather(*(come(turn) for turn in range(10)))
    assert events.writes == [[f"e{turn}" for turn in range(10)]]


async def test_endless_arrivals_hold_nobody_up(commit: GroupCommit, events: StoredInMemory) -> None:
    """Where requests come in every turn the first is written all the same."""
    first = asyncio.create_task(commit.submit("site", candidates("first")))
    others = []
    while not first.done():
        others.append(asyncio.create_task(commit.submit("site", candidates(f"e{len(others)}"))))
        await asyncio.sleep(0)
        assert len(others) < 100 * commit_module.MAX_TURNS
    await asyncio.gather(first, *others)
    assert len(events.writes) > 1
    written = [event_id for write in events.writes for event_id in write]
    assert sorted(written) == sorted(["first", *(f"e{n}" for n in range(len(others)))])
