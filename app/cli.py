"""The command line. Each command reads its settings from the environment and .env (docs/settings.md)."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table

from app.core.auth import Scope
from app.core.config import Settings
from app.core.embedded import EmbeddedMongo
from app.core.errors import FootfallError

T = TypeVar("T")

console = Console()
complaints = Console(stderr=True)

cli = typer.Typer(
    name="footfall",
    help="Counts what people see, click and buy: exactly, explainably, reproducibly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys of a site.", no_args_is_help=True)
cli.add_typer(keys, name="keys")

SiteOption = Annotated[str, typer.Option(help="The site's short name.")]


@cli.command()
def serve(
    demo: Annotated[
        bool,
        typer.Option(
            help="Make the site demo, fill it with data where it is empty, print its keys."
        ),
    ] = False,
) -> None:
    """Serve the API. Without FOOTFALL_MONGO_URL an embedded MongoDB is started with it."""
    import uvicorn

    # uvicorn raises the signal again when it has shut down; this lets the embedded MongoDB end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with database() as settings:
        if demo:
            asyncio.run(_prepare_demo(settings))
        address = f"http://{_display_host(settings.host)}:{settings.port}"
        console.print(f"[bold]GraphQL and GraphiQL[/]  {address}/graphql", highlight=False)
        console.print(f"[bold]Health[/]                {address}/health/ready", highlight=False)
        console.print("Ctrl-C ends it.")
        uvicorn.run(
            "app.main:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_level=settings.log_level,
            access_log=settings.log_level == "debug",
            timeout_graceful_shutdown=8,
            ws_max_size=256 * 1024,
            proxy_headers=False,  # FOOTFALL_TRUSTED_PROXIES says who is believed (app/http/requests.py)
        )


@cli.command()
def schema() -> None:
    """Print the GraphQL schema."""
    from app.api import build_schema

    typer.echo(build_schema().as_str())


@keys.command("create")
def create_key(
    scope: Annotated[Scope, typer.Argument(help="What it is for.")],
    site: SiteOption = "demo",
    label: Annotated[str, typer.Option(help="A name to know it by.")] = "made by hand",
) -> None:
    """Make a key and print it, once: it is stored hashed."""

    async def make(services: Any) -> str:
        await services.sites.ensure_site(site)
        key: str = (await services.sites.create_key(site, scope, label)).key
        return key

    typer.echo(with_services(make))


@keys.command("list")
def list_keys(site: SiteOption = "demo") -> None:
    """List the keys of a site by their first characters."""
    found = with_services(lambda services: services.sites.list_keys(site))
    table = Table("begins", "scope", "label", "made", "revoked")
    for key in found:
        revoked = key.revoked_at.isoformat(" ", "seconds") if key.revoked_at else ""
        table.add_row(
            key.hint, key.scope.value, key.label, key.created_at.isoformat(" ", "seconds"), revoked
        )
    console.print(table)


@keys.command("revoke")
def revoke_key(
    begins: Annotated[str, typer.Argument(help="Its first characters, as `list` shows them.")],
    site: SiteOption = "demo",
) -> None:
    """Revoke a key. It is refused everywhere within seconds."""
    revoked = with_services(lambda services: services.sites.revoke_key(site, begins))
    if not revoked:
        raise FootfallError("There is no key on this site that begins so and is not revoked yet.")
    typer.echo(f"{revoked} revoked")


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
    with EmbeddedMongo(settings.data_dir, settings.mongod) as url:
        os.environ["FOOTFALL_MONGO_URL"] = url  # for the workers, which read their own settings
        yield settings.model_copy(update={"mongo_url": url})


def with_services(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work with connected services."""
    from app.main import open_services

    async def run(settings: Settings) -> T:
        async with open_services(settings) as services:
            return await work(services)

    with database() as settings:
        return asyncio.run(run(settings))


def _display_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104


async def _prepare_demo(settings: Settings) -> None:
    raise NotImplementedError


def main() -> None:
    """Run a command; what goes wrong is said in a line or two, without a traceback."""
    try:
        cli()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            complaints.print(f"FOOTFALL_{name}: {problem['msg']}", style="red", highlight=False)
        sys.exit(2)
    except FootfallError as error:
        complaints.print(str(error), style="red", highlight=False)
        sys.exit(1)
    except PyMongoError as error:
        complaints.print(
            "MongoDB cannot be reached or refused the command. "
            f"Check FOOTFALL_MONGO_URL ({type(error).__name__}).",
            style="red",
            highlight=False,
        )
        sys.exit(1)
