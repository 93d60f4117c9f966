"""What the commands share: where they print, their settings, a database and services to work with."""

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from app.core.admin_actions import note_target
from app.core.config import Settings
from app.core.embedded import EmbeddedMongo
from app.core.errors import NotFoundError
from app.importing.tally import Tally

if TYPE_CHECKING:
    from app.wiring import Services

T = TypeVar("T")

console = Console()
complaints = Console(stderr=True)

INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended

SiteOption = Annotated[str, typer.Option(help="The site's short name.")]


@contextmanager
def database() -> Iterator[Settings]:
    """Settings with a MongoDB to use: the running one that they name, else the embedded one."""
    settings = Settings()
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    if settings.mongo_url is not None:
        yield settings
        return
    salts = settings.salt_dir or settings.data_dir / "salts"
    with EmbeddedMongo(settings.data_dir, settings.mongod) as url:
        # For the workers, which read their own settings.
        os.environ |= {"FOOTFALL_MONGO_URL": url, "FOOTFALL_SALT_DIR": str(salts)}
        yield settings.model_copy(update={"mongo_url": url, "salt_dir": salts})


def with_services(work: Callable[["Services"], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work with connected services."""
    with database() as settings:
        return run_with_services(settings, work)


def run_with_services(
    settings: Settings, work: Callable[["Services"], Coroutine[Any, Any, T]]
) -> T:
    """The same with settings that `database()` gave. Rates are for requests: here there are none."""
    # The wiring is slow to import, and not every command needs it.
    from app.main import open_services
    from app.serving import GC_THRESHOLDS

    rates = ("rate_limit", "rate_limit_per_key", "rate_limit_per_session", "query_rate_limit")
    unlimited = settings.model_copy(update=dict.fromkeys(rates, "off"))

    gc.set_threshold(*GC_THRESHOLDS)

    async def run() -> T:
        asyncio.get_running_loop().set_exception_handler(_report)
        async with open_services(unlimited) as services:
            return await work(services)

    return asyncio.run(run())


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio's report of what nobody waited for; Ctrl-C may meet any task, and is said elsewhere."""
    if not isinstance(context.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(context)


async def ensure_site(services: "Services", site: str) -> None:
    """Make the site where there is none: it is said, in case that its name is a mistake, and recorded."""
    try:
        await services.sites.get(site)
    except NotFoundError:
        async with services.admin_log.recorded(site, "createSite"):
            await services.sites.ensure_site(site)
            note_target(site)
        complaints.print(f"The site {site} is new.", highlight=False)


def show_tally(tally: Tally, seconds: float) -> None:
    """What became of events or items, and how long it took."""
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, count in tally.lines():
        table.add_row(name, f"{count:,}")
    table.add_row("seconds", f"{seconds:,.1f}")
    table.add_row(f"{tally.things} a second", f"{tally.total / max(seconds, 0.001):,.0f}")
    console.print(table)
