"""`footfall export`: events and reports as files."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.commands.audit import FORMATS, utc
from app.commands.running import INTERRUPTED, SiteOption, complaints, with_services
from app.core.admin_actions import note_change
from app.core.event_types import EventType
from app.exporting.events import EventExport, EventSelection
from app.exporting.formats import Format, format_of
from app.exporting.reports import ReportExport
from app.modules.analytics.buckets import Granularity
from app.modules.analytics.query import MAX_ROWS, Dimension
from app.modules.analytics.ranges import RangePreset, RangeRequest
from app.modules.analytics.service import AnalyticsService, ReportRequest
from app.repositories.exported_events import ExportedEvents

if TYPE_CHECKING:
    from app.wiring import Services

exports = typer.Typer(help="Export events and reports to files.", no_args_is_help=True)

FileName = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", dir_okay=False, help="Ends in .ndjson or .csv; with .gz it is compressed."
    ),
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="Default: told from the file's name.")
]
Start = Annotated[
    datetime | None, typer.Option(formats=FORMATS, help="The first instant, UTC. Default: any.")
]
End = Annotated[
    datetime | None,
    typer.Option(formats=FORMATS, help="The first instant after the range, UTC. Default: any."),
]


@exports.command("events", no_args_is_help=True)
def export_events(
    file: FileName,
    site: SiteOption = "demo",
    start: Start = None,
    end: End = None,
    types: Annotated[
        list[EventType] | None,
        typer.Option(
            "--type", case_sensitive=False, help="Only events of this type; again for more."
        ),
    ] = None,
    derived: Annotated[
        bool,
        typer.Option(
            "--derived",
            help="With what the server has found out: device, browser, os, country, weight, ... "
            "Such a file cannot be imported as it is.",
        ),
    ] = False,
    file_format: FormatOption = None,
) -> None:
    """Export the counted events of a site by when they happened, one a line.

    `footfall import events` takes the file again. What an admin has withdrawn is left out.
    """
    _check_range(start, end)
    chosen = _format(file, file_format)

    selection = EventSelection(site, utc(start), utc(end), tuple(types or ()))

    async def work(services: "Services") -> int:
        await services.sites.get(site)
        _note(start=utc(start), end=utc(end), types=types, derived=derived or None)
        export = EventExport(ExportedEvents(), selection, derived=derived)
        with _progress(await export.count()) as advance:
            return await export.write(file, chosen, advance)

    _run(file, site, "exportEvents", "events", work)


@exports.command("report", no_args_is_help=True)
def export_report(
    file: FileName,
    site: SiteOption = "demo",
    by: Annotated[
        list[Dimension] | None,
        typer.Option(case_sensitive=False, help="What the rows are of; twice for two dimensions."),
    ] = None,
    granularity: Annotated[
        Granularity | None, typer.Option(case_sensitive=False, help="Rows for each such time.")
    ] = None,
    preset: Annotated[
        RangePreset | None,
        typer.Option(case_sensitive=False, help="A range by its name. Default: the last 30 days."),
    ] = None,
    start: Start = None,
    end: End = None,
    timezone: Annotated[
        str | None, typer.Option(help='Such as "Europe/Zurich". Default: the site\'s.')
    ] = None,
    limit: Annotated[int, typer.Option(help="How many rows at most.")] = MAX_ROWS,
    file_format: FormatOption = None,
) -> None:
    """Export the rows of a report: the same numbers that the API's query `report` answers."""
    _check_range(start, end)
    chosen = _format(file, file_format)
    asked = RangeRequest(preset, utc(start), utc(end))

    request = ReportRequest(tuple(by or ()), granularity, timezone, limit=limit)

    async def work(services: "Services") -> int:
        _note(by=by, granularity=granularity, preset=preset, start=utc(start), end=utc(end))
        analytics = cast(AnalyticsService, services.registry[AnalyticsService])
        written = await ReportExport(analytics, site, asked, request).write(file, chosen)
        if written.beyond > 0:
            complaints.print(f"{written.beyond:,} rows more are beyond the limit.", style="yellow")
        return written.rows

    _run(file, site, "exportReport", "rows", work)


def _note(**asked: Any) -> None:
    """Let the log of admin actions have what was asked for; what is None was not."""
    for name, value in asked.items():
        note_change(name, None, value)


def _run(
    file: Path,
    site: str,
    action: str,
    things: str,
    work: Callable[["Services"], Awaitable[int]],
) -> None:
    """Run an export and say how it ended. `action` is what the log of admin actions calls it."""

    async def recorded(services: "Services") -> int:
        async with services.admin_log.recorded(site, action):
            written = await work(services)
            _note(**{things: written})
            return written

    try:
        written = with_services(recorded)
    except KeyboardInterrupt:
        complaints.print(Text(f"Interrupted. {file} is as it was."))
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        complaints.print(Text(f"{file}: {error.strerror}. It is as it was.", style="red"))
        raise typer.Exit(1) from None
    complaints.print(Text(f"{written:,} {things} are in {file}."))


def _format(file: Path, told: Format | None) -> Format:
    found = told or format_of(file.name)
    if found is None:
        raise typer.BadParameter("must end in .ndjson or .csv; or say --format", param_hint="FILE")
    return found


def _check_range(start: datetime | None, end: datetime | None) -> None:
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("must be after --start", param_hint="--end")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar over the events, on a terminal."""
    columns = (
        TextColumn("Exporting"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=complaints, transient=True, disable=not complaints.is_terminal
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda written: progress.update(task, completed=written)
