"""One scenario from beginning to end."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.oracle import Findings, check, stored_events
from tests.faults.proxy import DroppingProxy
from tests.faults.replica_set import NotPossibleError, ReplicaSet
from tests.faults.servers import ApiServer
from tests.faults.stage import Result, Scenario, Stage
from tests.faults.traffic import Traffic
from tests.faults.workload import Workload

WARM_UP_SECONDS = 1.5
COOL_DOWN_SECONDS = 2.0
LONGEST_SECONDS = 240.0  # a scenario that takes longer is broken off

Show = Callable[[str], None]


async def run_scenario(
    scenario: Scenario, replica_set: ReplicaSet, folder: Path, show: Show
) -> Result:
    """Run it on this replica set, or on one of its own where it needs small disks."""
    began = time.monotonic()
    result = Result(scenario.name, scenario.title, scenario.meaning)
    own: ReplicaSet | None = None
    try:
        if scenario.disk_mb is not None:
            own = ReplicaSet(folder / scenario.name, scenario.disk_mb)
            await asyncio.to_thread(own.start)
        async with asyncio.timeout(LONGEST_SECONDS):
            await _run_on(own or replica_set, scenario, folder, show, result)
    except NotPossibleError as reason:
        result.verdict = f"not run: {reason}"
    except Exception as error:  # the others are to run all the same, and the table is to say it
        result.as_it_must = False
        result.verdict = f"**broke off**: {type(error).__name__}: {error}"
    finally:
        if own is not None:
            await asyncio.to_thread(own.close)
    result.seconds = time.monotonic() - began
    return result


async def _run_on(
    replica_set: ReplicaSet, scenario: Scenario, folder: Path, show: Show, result: Result
) -> None:
    database = f"faults_{scenario.name.replace('-', '_')}"
    choose = random.Random(scenario.name)
    show("starting")
    await asyncio.to_thread(replica_set.heal)
    servers = [ApiServer(replica_set.url, database, folder, v) for v in scenario.variants]
    proxies: list[DroppingProxy] = []
    try:
        servers[0].program.start()  # the first one makes the indexes
        await servers[0].ready()
        for server in servers[1:]:
            server.program.start()
            await server.ready()
        urls = [server.url for server in servers]
        if scenario.drops_answers:
            proxies = [DroppingProxy(server.port, choose) for server in servers]
            for proxy in proxies:
                await proxy.start()
            urls = [proxy.url for proxy in proxies]
        workload = Workload(scenario.name, scenario.most_events, scenario.shape)
        traffic = Traffic(workload, urls, scenario.name)
        stage = Stage(replica_set, servers, traffic, database, choose)
        await _act(scenario, stage, show)
        show("checking")
        if proxies:
            stage.note(f"{sum(proxy.dropped for proxy in proxies)} answers dropped")
    finally:
        for proxy in proxies:
            await proxy.stop()
        for server in servers:
            await asyncio.to_thread(server.program.stop)
    if scenario.must_fail is None:
        await asyncio.to_thread(_audit, servers[0], stage)
    stored = await asyncio.to_thread(stored_events, replica_set.url, database)
    findings = check(workload.stories, traffic.journal, stored)
    _fill_in(result, scenario, stage, findings)


async def _act(scenario: Scenario, stage: Stage, show: Show) -> None:
    """The traffic begins, things go wrong, they are mended, and the traffic ends."""
    traffic = stage.traffic
    watcher = asyncio.create_task(_watch(stage, show))
    traffic.start()
    try:
        await asyncio.sleep(WARM_UP_SECONDS)
        await scenario.act(stage)
        await stage.heal()
        await asyncio.sleep(COOL_DOWN_SECONDS)
        await traffic.finish()
    except BaseException:
        await traffic.abort()
        raise
    finally:
        watcher.cancel()


async def _watch(stage: Stage, show: Show) -> None:
    while True:
        journal = stage.traffic.journal
        show(
            f"{journal.accepted:,} accepted, {journal.duplicates:,} repeats, {journal.refused:,} refused"
        )
        await asyncio.sleep(0.5)


def _audit(server: ApiServer, stage: Stage) -> None:
    """`footfall audit` recounts the site, and finds that the reports say the same."""
    done = server.footfall("audit")
    stage.expect(done.returncode == 0, "`footfall audit` is not clean")
    if done.returncode != 0:
        stage.note(f"audit: {' '.join((done.stdout + done.stderr).split())[-300:]}")


def _fill_in(result: Result, scenario: Scenario, stage: Stage, findings: Findings) -> None:
    journal = stage.traffic.journal
    result.sent = journal.sent
    result.accepted, result.duplicates = journal.accepted, journal.duplicates
    result.refused, result.broken = journal.refused, journal.broken + journal.silent
    result.stored, result.lost = findings.stored, findings.lost
    result.doubled, result.unsent = findings.doubled, findings.unsent
    result.slowest = journal.slowest
    result.recovery = _recovery(stage)
    result.notes = stage.notes
    if journal.given_up:
        result.notes.append(f"senders who gave up: {journal.given_up}")
    if scenario.must_fail is not None:
        result.as_it_must = bool(getattr(findings, scenario.must_fail))
        result.verdict = (
            "fails as it must" if result.as_it_must else "**does not fail: the harness is blind**"
        )
        return
    wrong = _what_is_wrong(stage, findings)
    result.as_it_must = not wrong
    result.verdict = "holds" if not wrong else f"**fails**: {'; '.join(wrong)}"
    result.notes += findings.examples


def _what_is_wrong(stage: Stage, findings: Findings) -> list[str]:
    journal = stage.traffic.journal
    numbers = {
        "lost": findings.lost,
        "doubled": findings.doubled,
        "stored but not sent": findings.unsent,
        "never answered": journal.unanswered,
        **journal.unexpected,
    }
    wrong = [f"{count} {what}" for what, count in numbers.items() if count]
    if not journal.accepted:
        wrong.append("nothing was accepted")
    return wrong + stage.failures


def _recovery(stage: Stage) -> float | None:
    """The longest time, in seconds, from a fault to the next ACCEPTED of what was sent after it."""
    waits = []
    for moment in stage.recovering_since:
        after = stage.traffic.journal.accepted_between(moment, float("inf"))
        waits.append(min((a.answered for a in after), default=float("inf")) - moment)
    return max(waits, default=None)
