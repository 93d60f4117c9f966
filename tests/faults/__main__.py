"""`python -m tests.faults`: run all scenarios, or one; the exit code is 0 when all end as they must."""

import asyncio
import logging
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.core.embedded import NoMongodError
from tests.faults.replica_set import ReplicaSet
from tests.faults.report import show_table, write_page
from tests.faults.run import run_scenario
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Result, Scenario

console = Console()


def main(
    only: Annotated[
        str, typer.Option(help="Run this one scenario, and leave the page alone.")
    ] = "",
) -> None:
    """Prove that every event counts exactly once, whatever is killed, frozen or cut off."""
    names = [scenario.name for scenario in SCENARIOS]
    if only and only not in names:
        raise typer.BadParameter(f"there are: {', '.join(names)}", param_hint="--only")
    chosen = [scenario for scenario in SCENARIOS if only in ("", scenario.name)]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # Ends what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="footfall-faults-"))
    try:
        results, mongod = asyncio.run(_run(chosen, folder))
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, NoMongodError):
            raise
        console.print(str(error), style="red")
        raise typer.Exit(2) from None
    seconds = time.monotonic() - began
    show_table(console, results)
    console.print(f"{seconds / 60:.1f} minutes")
    if not only:
        write_page(results, mongod, seconds)
    if not all(result.as_it_must for result in results):
        console.print(f"The logs are in {folder}.")
        raise typer.Exit(1)
    shutil.rmtree(folder)


async def _run(chosen: list[Scenario], folder: Path) -> tuple[list[Result], str]:
    results: list[Result] = []
    replica_set = ReplicaSet(folder / "set")
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}"),
    )
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("replica set", total=len(chosen), doing="starting")
            await asyncio.to_thread(replica_set.start)
            for scenario in chosen:
                progress.update(task, description=scenario.title)
                result = await run_scenario(
                    scenario, replica_set, folder, lambda doing: progress.update(task, doing=doing)
                )
                results.append(result)
                progress.advance(task)
                progress.print(f"{scenario.title}: {result.verdict} ({result.seconds:.0f} s)")
        return results, await asyncio.to_thread(replica_set.version)
    finally:
        replica_set.close()


if __name__ == "__main__":
    typer.run(main)
