"""`footfall import`: events and items from files."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from app.commands.running import (
    INTERRUPTED,
    SiteOption,
    complaints,
    ensure_site,
    show_tally,
    with_services,
)
from app.core.admin_actions import note_change
from app.core.config import Settings
from app.core.errors import UnavailableError
from app.importing.events import EventImport, event_files
from app.importing.files import Advance, FileSet
from app.importing.items import ItemImport, item_files
from app.importing.mapping import FileMapping, MappingError
from app.importing.rows import Format
from app.importing.source import STDIN, BrokenSourceError
from app.importing.tally import Tally

if TYPE_CHECKING:
    from app.wiring import Services

imports = typer.Typer(help="Import events and items from files.", no_args_is_help=True)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...", help="NDJSON or CSV in UTF-8, plain or gzipped; - is standard input."
    ),
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="The column that is a field, or a template: 'userId={first}/{second}'. {row} is the "
        "line in the file, {rowId} the row's own id, {file} the file's name without extensions. "
        "Again for each field.",
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A field that is the same in every row."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="All of this in a TOML file: tables `map` and `set`, a list `events`, `format` and "
        "`delimiter`. docs/examples has one.",
    ),
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="Default: told from how the file begins.")
]
SourceName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Know the rows by this name and not by how their file begins: for different files "
        "that begin alike, or where the first row was mended.",
    ),
]
Delimiter = Annotated[
    str | None, typer.Option(help="Between the cells of CSV: default ','; '\\t' for tabs.")
]


EVENTS_HELP = """
Import events: NDJSON with one EventInput a line as in the API, or CSV with a header.

CSV columns are fields by their names (itemId, item_id), or as --map says. With any of --map, --set \
and --event, other columns are left out; without, they are an error. Empty cells are absent.

Importing the same file again counts nothing twice, and an import that was interrupted can be run \
again. Rows without an id get one, made from the site, how the file begins (its header and first row, \
whatever it is called and however it is packed), the line, and what the row says: of a file that has \
grown, or in which a later row was mended, only that is new. Two files with the same header and first \
row are taken for one that has changed: tell them apart with --source.

Rows with a visitorId or userId but no sessionId belong to that visitor's session of the day on which \
they happened. Rows with none of the three are a session of their own.

Exit code: 0 when every row is stored now, 1 when some were rejected (they are listed), 2 when the \
files or the options cannot be used.
"""


@imports.command("events", no_args_is_help=True, help=EVENTS_HELP)
def import_events(
    files: Files,
    site: SiteOption = "demo",
    maps: Maps = None,
    sets: Sets = None,
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="TYPE [if COLUMN=VALUE]",
            help="What a row stands for: 'IMPRESSION', 'CLICK if click=1'. Several make several "
            "events of one row. Default: the field `type`.",
        ),
    ] = None,
    mapping: MappingFile = None,
    table_format: FormatOption = None,
    delimiter: Delimiter = None,
    source: SourceName = None,
) -> None:
    with _usage_errors():
        told = FileMapping.of(
            maps or (), sets or (), events or (), table_format, delimiter, mapping
        )
        chosen = event_files(site, told, source)
        chosen.check(files)
    _run(
        files,
        chosen,
        "importEvents",
        lambda services: EventImport(services.tracking, services.clock, chosen),
    )


ITEMS_HELP = """
Import items of the catalogue: NDJSON with one CreateItemInput a line as in the API, or CSV with a \
header. Columns and options are as for events.

Items that are there already stay as they are, or with --change get what their row says: fields that \
the row leaves empty stay. Rows without an id get the same one each time, as events do.

Exit code: 0 when every row is in the catalogue now, 1 when some were rejected (they are listed), 2 \
when the files or the options cannot be used.
"""


@imports.command("items", no_args_is_help=True, help=ITEMS_HELP)
def import_items(
    files: Files,
    site: SiteOption = "demo",
    maps: Maps = None,
    sets: Sets = None,
    change: Annotated[
        bool, typer.Option("--change", help="Change items that are there already.")
    ] = False,
    mapping: MappingFile = None,
    table_format: FormatOption = None,
    delimiter: Delimiter = None,
    source: SourceName = None,
) -> None:
    with _usage_errors():
        told = FileMapping.of(maps or (), sets or (), (), table_format, delimiter, mapping)
        if told.events:
            raise MappingError("Items are not events: `events` in the mapping has no meaning here.")
        chosen = item_files(site, told, source)
        chosen.check(files)
    _run(
        files,
        chosen,
        "importItems",
        lambda services: ItemImport(services.items, chosen, change=change),
    )


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What cannot be used is said with the command's usage, and ends with exit code 2."""
    try:
        yield
    except (MappingError, BrokenSourceError) as error:
        raise typer.BadParameter(str(error)) from None


def _run(
    files: list[str],
    chosen: FileSet,
    action: str,
    begin: Callable[["Services"], EventImport | ItemImport],
) -> None:
    """Run an import, show how it goes and what became of it, and end with its exit code.

    `action` is what the log of admin actions calls it.
    """
    started = time.monotonic()
    tally = Tally()
    code = 0

    async def work(services: "Services") -> None:
        nonlocal tally
        await ensure_site(services, chosen.site)
        async with services.admin_log.recorded(chosen.site, action):
            job = begin(services)
            tally = job.tally
            try:
                await job.run(files, advance)
            finally:
                _note(tally)

    signal.signal(signal.SIGINT, _interrupt)
    try:
        with _progress(files) as advance:
            with_services(work)
    except MappingError as error:  # of standard input, which cannot be looked at before
        raise typer.BadParameter(str(error)) from None
    except (BrokenSourceError, UnavailableError) as error:
        complaints.print(
            Text(
                f"{error} What was read before is imported; running it again counts nothing twice.",
                style="red",
            )
        )
        code = 1
    except KeyboardInterrupt:
        complaints.print("Interrupted. Run it again to go on: nothing is counted twice.")
        code = INTERRUPTED
    _show_problems(tally)
    show_tally(tally, time.monotonic() - started)
    raise typer.Exit(code or (0 if tally.clean else 1))


def _note(tally: Tally) -> None:
    """What the log of admin actions keeps of an import: how much, not the names of files."""
    note_change("accepted", 0, tally.accepted)
    note_change("duplicates", 0, tally.duplicates.total())
    note_change("rejected", 0, tally.rejected.total())


def _interrupt(*_: object) -> None:
    """Ctrl-C at once, also while standard input is waited for: asyncio's own handler would not see it."""
    raise KeyboardInterrupt


@contextmanager
def _progress(files: list[str]) -> Iterator[Advance]:
    """A bar over the bytes of all files, on a terminal."""
    sizes = {name: Path(name).stat().st_size for name in files if name != STDIN}
    read: Counter[str] = Counter()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=complaints, transient=True, disable=not complaints.is_terminal
    ) as progress:
        total = None if STDIN in files else sum(sizes.values())
        task = progress.add_task("Importing", total=total)

        def advance(name: str, position: int) -> None:
            read[name] = position
            progress.update(task, completed=read.total())

        yield advance


def _show_problems(tally: Tally) -> None:
    for problem in tally.problems:
        complaints.print(
            Text(f"{problem.file}, line {problem.line}: {problem.message}"), soft_wrap=True
        )
    more = tally.rejected.total() - len(tally.problems)
    if more > 0:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(tally.rejected.items()))
        complaints.print(f"and {more} more; together {counts}", highlight=False)
    if tally.too_old * 2 > tally.total:
        days = Settings().data_retention_days
        complaints.print(
            f"Most of it is older than events are kept here ({days} days). To keep it, set "
            "FOOTFALL_DATA_RETENTION_DAYS=0 (for ever), both for the server and for this command, "
            "and run the import again.",
            style="yellow",
            highlight=False,
        )
