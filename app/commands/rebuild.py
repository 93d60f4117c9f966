"""`footfall rebuild`."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.commands.audit import FORMATS
from app.commands.running import INTERRUPTED, SiteOption, complaints, console, with_services
from app.core.admin_actions import note_change

if TYPE_CHECKING:
    from app.wiring import Services


def rebuild(
    site: SiteOption = "demo",
    start: Annotated[
        datetime | None,
        typer.Option(
            "--start",
            "--from",
            formats=FORMATS,
            help="The first day, UTC. Default: the first event's.",
        ),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(
            "--end",
            "--to",
            formats=FORMATS,
            help="The first instant after the range, UTC. Default: after the last event.",
        ),
    ] = None,
) -> None:
    """Compute the rollups that reports are answered from anew, from the events that are stored.

    May be interrupted at any time, and run beside the server: reports are right all the while. What
    was rolled up of events that are deleted since stays.
    """
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("must be after --start", param_hint="--end")
    try:
        events, seconds = with_services(lambda services: _recorded(services, site, start, end))
    except KeyboardInterrupt:
        complaints.print("Interrupted. Reports are right; what was not reached is as it was.")
        raise typer.Exit(INTERRUPTED) from None
    console.print(
        f"Rolled up [bold]{events:,}[/] {'event' if events == 1 else 'events'} in {seconds:,.1f} s "
        f"({events / max(seconds, 0.001):,.0f} a second).",
        highlight=False,
    )


async def _recorded(
    services: "Services", site: str, start: datetime | None, end: datetime | None
) -> tuple[int, float]:
    """The same as an action in the log."""
    async with services.admin_log.recorded(site, "rebuild"):
        note_change("start", None, start)
        note_change("end", None, end)
        events, seconds = await _rebuild(services, site, start, end)
        note_change("events", None, events)
        return events, seconds


async def _rebuild(
    services: "Services", site: str, start: datetime | None, end: datetime | None
) -> tuple[int, float]:
    await services.sites.get(site)
    extent = await services.rollups.extent(site)
    if extent is None:
        return 0, 0.0
    first = extent[0] if start is None else max(extent[0], start.replace(tzinfo=UTC))
    last = extent[1] if end is None else min(extent[1], end.replace(tzinfo=UTC))
    if first >= last:
        return 0, 0.0
    with console.status("Waiting until the server has rolled up what it is at..."):
        await services.rollups.hold(patience=timedelta(minutes=3))
    began = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Rolling up", total=None, events=0)

        def show(done: int, days: int, events: int) -> None:
            bar.update(task, completed=done, total=days, events=events)

        try:
            events = await services.rollups.rebuild(site, first, last, show)
        finally:
            await asyncio.shield(services.rollups.release())
    return events, time.monotonic() - began
