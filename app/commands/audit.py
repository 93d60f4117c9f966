"""`footfall audit`."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from app.commands.running import SiteOption, complaints, console, with_services
from app.modules.audit.service import Audit

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def audit(
    site: SiteOption = "demo",
    start: Annotated[
        datetime | None,
        typer.Option(formats=FORMATS, help="The first instant, UTC. Default: the first event."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(formats=FORMATS, help="The first instant after the range, UTC. Default: now."),
    ] = None,
) -> None:
    """Recount a site from what is stored; exit code 1 where reports answer something else."""
    with console.status("Recounting..."):
        found = with_services(lambda services: services.audit.audit(site, utc(start), utc(end)))
    _show(found)
    for note in found.notes:
        console.print(f"[yellow]Note[/] {note}", highlight=False)
    for difference in found.differences:
        complaints.print(f"Difference in {difference}", style="red", highlight=False)
    if found.differences:
        raise typer.Exit(1)
    console.print("[green]Clean:[/] everything adds up, and reports answer what is stored.")


def utc(instant: datetime | None) -> datetime | None:
    """An instant of the command line, which has no offset."""
    return None if instant is None else instant.replace(tzinfo=UTC)


def _show(found: Audit) -> None:
    received = Table(
        "", "events", title=f"{found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC"
    )
    received.columns[1].justify = "right"
    received.add_row("received", f"{found.received:,}")
    received.add_row("accepted", f"{found.accepted:,}")
    for ended in found.ended:
        received.add_row(f"{ended.verdict.lower()} {ended.reason}", f"{ended.count:,}")
    console.print(received)
    compared = Table("number", "reports", "recounted", "")
    for check in found.checks:
        mark = "[green]ok[/]" if check.agrees else "[red]differs[/]"
        compared.add_row(check.name, f"{check.reported:,}", f"{check.recounted:,}", mark)
    console.print(compared)
