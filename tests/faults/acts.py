"""What goes wrong, while events come in."""

import asyncio
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.faults.replica_set import Member
from tests.faults.stage import ANSWER_IN_TIME_SECONDS, Stage

FROZEN_SECONDS = 12.0
SLOW_SECONDS = 16.0
MARKERS = 50


async def kill_workers(stage: Stage) -> None:
    await _kill_workers(stage, times=12, apart=1)


async def kill_some_workers(stage: Stage) -> None:
    await _kill_workers(stage, times=4, apart=3)


async def _kill_workers(stage: Stage, times: int, apart: float) -> None:
    killed = 0
    for _ in range(times):
        stage.recovers_from_now()
        killed += stage.random.choice(stage.servers).kill_a_worker(stage.random)
        await asyncio.sleep(apart)
    stage.note(f"{killed} workers killed")


async def kill_parents(stage: Stage) -> None:
    for server in stage.servers:
        stage.recovers_from_now()
        server.program.kill()
        await asyncio.sleep(1.5)  # its workers are orphans now, and still answer
        server.program.kill_all()
        server.program.start()
        await server.ready()
        await asyncio.sleep(2)


async def freeze_api(stage: Stage) -> None:
    program = stage.servers[0].program
    stage.recovers_from_now()
    program.freeze()
    await asyncio.sleep(13)  # longer than a claim is left to its maker
    program.thaw()
    await asyncio.sleep(4)


async def kill_secondary(stage: Stage) -> None:
    for secondary in await asyncio.to_thread(stage.replica_set.secondaries):
        stage.recovers_from_now()
        secondary.program.kill()
        await asyncio.sleep(3)
        await stage.heal()
        await asyncio.sleep(1)


async def kill_primary(stage: Stage) -> None:
    for _ in range(3):
        primary = await asyncio.to_thread(stage.replica_set.primary)
        stage.recovers_from_now()
        primary.program.kill()
        await asyncio.sleep(4)
        await stage.heal()
        await asyncio.sleep(1)
    _expect_in_time(stage)


async def step_down(stage: Stage) -> None:
    done = 0
    for _ in range(5):
        primary = await asyncio.to_thread(stage.replica_set.primary)
        stage.recovers_from_now()
        done += await asyncio.to_thread(_step_down, primary)
        await asyncio.sleep(3)
    stage.note(f"{done} step-downs")
    _expect_in_time(stage)


def _step_down(primary: Member) -> bool:
    try:
        with primary.client() as client:
            client.admin.command({"replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 2})
    except PyMongoError:
        return False
    return True


async def freeze_primary(stage: Stage) -> None:
    primary = await asyncio.to_thread(stage.replica_set.primary)
    stage.recovers_from_now()
    primary.program.freeze()
    await asyncio.sleep(FROZEN_SECONDS)
    primary.program.thaw()
    await asyncio.sleep(3)
    _expect_in_time(stage)


async def freeze_both_secondaries(stage: Stage) -> None:
    secondaries = await asyncio.to_thread(stage.replica_set.secondaries)
    for secondary in secondaries:
        secondary.program.freeze()
    frozen = time.monotonic()
    await asyncio.sleep(12)
    thawed = time.monotonic()
    for secondary in secondaries:
        secondary.program.thaw()
    stage.recovers_from_now()
    await asyncio.sleep(4)
    _expect_silence(stage, frozen, thawed)


def _expect_silence(stage: Stage, since: float, until: float) -> None:
    """While there is no majority nothing is acknowledged, and everybody hears so in time."""
    journal = stage.traffic.journal
    acknowledged = journal.verdicts_between(since, until)
    stage.expect(not acknowledged, f"{len(acknowledged)} acknowledged without a majority")
    times = [took for sent, took in journal.refusals if since <= sent and sent + took <= until]
    stage.expect(bool(times), "nobody was answered UNAVAILABLE")
    slowest = max(times, default=0.0)
    stage.expect(slowest <= ANSWER_IN_TIME_SECONDS, f"UNAVAILABLE came after {slowest:.1f} s")
    stage.note(
        f"without a majority for {until - since:.0f} s: {len(acknowledged)} acknowledged, "
        f"{len(times)} answered UNAVAILABLE, the slowest after {slowest:.1f} s"
    )


async def hold_replication(stage: Stage) -> None:
    """The primary stays primary, since it hears from the others, but nobody copies its writes."""
    secondaries = await asyncio.to_thread(stage.replica_set.secondaries)
    for secondary in secondaries:
        await asyncio.to_thread(secondary.hold_replication, True)
    held = time.monotonic()
    await asyncio.sleep(12)
    released = time.monotonic()
    for secondary in secondaries:
        await asyncio.to_thread(secondary.hold_replication, False)
    stage.recovers_from_now()
    await asyncio.sleep(4)
    _expect_silence(stage, held, released)


def _expect_in_time(stage: Stage) -> None:
    """The database is slow or away, the API is not: each answer comes in time, whatever it says."""
    slowest = stage.traffic.journal.slowest
    stage.expect(slowest <= ANSWER_IN_TIME_SECONDS, f"an answer took {slowest:.1f} s")


async def isolate_primary(stage: Stage) -> None:
    """The primary takes writes that nobody else has, dies, and comes back to a set that went on."""
    old = await asyncio.to_thread(stage.replica_set.primary)
    secondaries = await asyncio.to_thread(stage.replica_set.secondaries)
    await asyncio.to_thread(_write_markers, stage, old, "before", "majority")
    # Killed, not frozen: what is on its way to a frozen one is still there when it wakes up.
    for secondary in secondaries:
        secondary.program.kill()
    written = await asyncio.to_thread(_write_markers, stage, old, "isolated", 1)
    # Long enough for its journal to be flushed, too short for it to notice that it is alone.
    await asyncio.sleep(1.2)
    old.program.kill()
    for secondary in secondaries:
        secondary.program.start()
    stage.recovers_from_now()
    await asyncio.sleep(5)
    await stage.heal()
    await asyncio.sleep(1)
    before, isolated = await asyncio.to_thread(_count_markers, stage)
    stage.expect(before == MARKERS, f"{MARKERS - before} markers of a majority are gone")
    stage.expect(written > 0, "no marker could be written to the isolated primary")
    stage.expect(isolated == 0, f"{isolated} of {written} markers were not rolled back")
    stage.note(
        f"{written - isolated} of {written} markers written with w: 1 meanwhile were rolled back"
    )
    _expect_in_time(stage)


def _write_markers(stage: Stage, member: Member, kind: str, concern: int | str) -> int:
    """Documents of the harness itself, beside the events; how many were acknowledged."""
    written = 0
    with member.client(w=concern, journal=True, retryWrites=False) as client:
        for place in range(MARKERS):
            try:
                client[stage.database]["markers"].insert_one({"_id": f"{kind}-{place}"})
            except PyMongoError:
                break
            written += 1
    return written


def _count_markers(stage: Stage) -> tuple[int, int]:
    client: MongoClient[dict[str, Any]] = MongoClient(stage.replica_set.url)
    with client:
        markers = client[stage.database]["markers"]
        return (
            markers.count_documents({"_id": {"$regex": "^before"}}),
            markers.count_documents({"_id": {"$regex": "^isolated"}}),
        )


async def slow_disks(stage: Stage) -> None:
    """Every flush of a journal takes up to half a second, on every member; once it takes 6 s."""
    began = time.monotonic()

    async def slow(member: Member, pauses: bool) -> None:
        while (passed := time.monotonic() - began) < SLOW_SECONDS:
            await asyncio.to_thread(member.hold_journal, True)
            long = pauses and passed > SLOW_SECONDS / 2
            pauses = pauses and not long
            await asyncio.sleep(6 if long else stage.random.uniform(0.05, 0.5))
            await asyncio.to_thread(member.hold_journal, False)
            await asyncio.sleep(0.02)

    primary = await asyncio.to_thread(stage.replica_set.primary)
    members = stage.replica_set.members
    await asyncio.gather(*[slow(member, member is primary) for member in members])
    accepted = stage.traffic.journal.accepted_between(began, time.monotonic())
    times = sorted(answer.answered - answer.sent for answer in accepted)
    stage.expect(bool(times), "nothing was accepted")
    if times:
        stage.note(
            f"{len(times)} events were accepted meanwhile, half of them after more than "
            f"{times[len(times) // 2]:.1f} s"
        )
    _expect_in_time(stage)


async def full_disks(stage: Stage) -> None:
    """The disks of two of three members fill up; mongod ends itself; there is room again."""
    primary = await asyncio.to_thread(stage.replica_set.primary)
    [other, _] = await asyncio.to_thread(stage.replica_set.secondaries)
    full = [primary, other]
    for member in full:
        await asyncio.to_thread(member.fill_disk)
    for _ in range(200):
        if not any(member.program.alive() for member in full):
            break
        await asyncio.sleep(0.1)
    ended = time.monotonic()
    stage.expect(
        not any(member.program.alive() for member in full), "a mongod went on with a full disk"
    )
    await asyncio.sleep(6)
    _expect_silence(stage, ended, time.monotonic())
    stage.recovers_from_now()
    await stage.heal()
    await asyncio.sleep(3)


async def nothing_wrong(stage: Stage) -> None:
    await asyncio.sleep(12)
