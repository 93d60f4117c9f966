"""`footfall keys`: the API keys of a site."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from app.commands.running import SiteOption, console, with_services
from app.core.auth import Scope
from app.core.errors import NotFoundError

if TYPE_CHECKING:
    from app.wiring import Services

keys = typer.Typer(help="API keys of a site.", no_args_is_help=True)


@keys.command("create")
def create_key(
    scope: Annotated[Scope, typer.Argument(help="What it is for.")],
    site: SiteOption = "demo",
    label: Annotated[str, typer.Option(help="A name to know it by.")] = "made by hand",
) -> None:
    """Make a key and print it, once: it is stored hashed."""

    async def make(services: "Services") -> str:
        await services.sites.ensure_site(site)
        return (await services.sites.create_key(site, scope, label)).key

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
        raise NotFoundError("There is no key on this site that begins so and is not revoked yet.")
    typer.echo(f"{revoked} revoked")
