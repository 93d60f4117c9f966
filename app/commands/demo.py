"""`footfall demo`, and what `footfall serve --demo` does before it serves."""

import asyncio
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import orjson
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.commands.running import (
    INTERRUPTED,
    complaints,
    console,
    database,
    run_with_services,
    show_tally,
)
from app.core.auth import Scope
from app.core.config import Settings
from app.demo.size import DEFAULT_DAYS, DEFAULT_EVENTS, DEFAULT_SEED, DemoSize
from app.importing.tally import Tally

if TYPE_CHECKING:
    from app.wiring import Services

USES = {
    Scope.WRITE: "browsers and apps: tracking, may be public",
    Scope.READ: "analysts: every query, nothing else",
    Scope.ADMIN: "everything of the site demo",
    Scope.OWNER: "you: every site of this instance (docs/sites.md)",
}


def demo(
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="How many days until now; not more than are kept.")
    ] = DEFAULT_DAYS,
    events: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="About how many events, over all days.")
    ] = DEFAULT_EVENTS,
    seed: Annotated[
        str, typer.Option(help="Another one makes other events, beside those that are there.")
    ] = DEFAULT_SEED,
) -> None:
    """Fill the site demo with items and events, as if a shop had been open until now.

    Running it again adds only what is new since then; an interrupted run is completed so.
    """
    started = time.monotonic()
    with database() as settings:
        try:
            tally = run_with_services(
                settings, lambda services: _fill(services, DemoSize(days, events, seed))
            )
        except KeyboardInterrupt:
            complaints.print("Interrupted. Run it again to complete it.")
            raise typer.Exit(INTERRUPTED) from None
    show_tally(tally, time.monotonic() - started)


def prepare_demo(settings: Settings, events: int) -> dict[Scope, str]:
    """Make the site demo and its keys, and fill it where it is empty; its keys, and the owner's."""
    from app.demo.keys import ensure_keys, ensure_owner_key
    from app.main import DEMO_SITE

    async def work(services: "Services") -> dict[Scope, str]:
        await services.sites.ensure_site(DEMO_SITE, "Demonstration")
        if (await services.sites.get(DEMO_SITE)).demo_filled_at is None:
            await _fill(services, DemoSize(events=events))
        return {
            **await ensure_keys(services.keys, settings),
            Scope.OWNER: await ensure_owner_key(services.keys, settings),
        }

    return run_with_services(settings, work)


def show_demo(address: str, keys: dict[Scope, str]) -> None:
    """Where to look, and with which keys."""
    body = {"query": 'mutation { trackImpression(input: {itemId: "lot-001"}) { verdict reason } }'}
    request = (
        f"curl {address}/graphql -H 'Content-Type: application/json' "
        f"-H {shlex.quote(f'Authorization: Bearer {keys[Scope.WRITE]}')} "
        f"-d {shlex.quote(orjson.dumps(body).decode())}"
    )
    console.print()
    console.print("[bold]The site demo is ready.[/]")
    _show_line(
        "Begin here", f"{address}/graphql#key={quote(keys[Scope.READ], safe='')}", "bold cyan"
    )
    _show_line("GraphiQL", f"{address}/graphql", "cyan")
    _show_line("Health", f"{address}/health/ready", "cyan")
    console.print()
    for scope, use in USES.items():
        _show_line(f"{scope.value.capitalize()} key", keys[scope], "green", use)
    console.print("\nTrack an impression:")
    console.print(Text(request), soft_wrap=True)
    console.print("\nCtrl-C ends it.\n")


def _show_line(name: str, value: str, style: str, note: str = "") -> None:
    """One line, never broken nor cut, so that it can be copied."""
    line = Text.assemble(
        (f"{name:<12}", "bold"), (value, style), (f"   {note}" if note else "", "dim")
    )
    console.print(line, soft_wrap=True)


async def roll_up(services: "Services") -> None:
    """So that the first reports are quick.

    What was written in the last seconds waits for the server: other processes may be writing to the
    same times (repositories/marks.py). Where a server rolls up now, all of it does.
    """
    from app.main import DEMO_SITE
    from app.modules.analytics.rollups.worker import LeaseLostError

    with suppress(LeaseLostError), complaints.status("Rolling up..."):
        await services.rollups.hold(patience=timedelta(seconds=2))
        try:
            await services.rollups.roll_up(days_after=0, weeks_after=0, sites=[DEMO_SITE])
        finally:
            await asyncio.shield(services.rollups.release())


async def _fill(services: "Services", size: DemoSize) -> Tally:
    from app.demo.fill import DemoFill

    fill = DemoFill(services, size)
    with _progress() as advance:
        await fill.run(advance)
    await roll_up(services)
    return fill.tally


@contextmanager
def _progress() -> Iterator[Callable[[float, int], None]]:
    """A bar on a terminal, a line elsewhere."""
    if not complaints.is_terminal:
        complaints.print("Filling the site demo with demonstration data.")
    columns = (
        TextColumn("Filling the site demo"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[events]:,} events"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=complaints, disable=not complaints.is_terminal) as progress:
        task = progress.add_task("", total=1.0, events=0)
        yield lambda share, events: progress.update(task, completed=share, events=events)
