"""`footfall keys`: the API keys of a site."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from app.commands.running import SiteOption, console, ensure_site, with_services
from app.core.auth import SITE_SCOPES, Scope
from app.core.errors import BadInputError, NotFoundError

if TYPE_CHECKING:
    from app.modules.keys.service import NewKey
    from app.schemas import ApiKey
    from app.wiring import Services

keys = typer.Typer(help="API keys of a site.", no_args_is_help=True)

KeyName = Annotated[
    str, typer.Argument(help="Its id or its first characters, as `list` shows them.")
]


def _site_scope(text: str) -> str:
    if text not in SITE_SCOPES:
        raise typer.BadParameter("must be write, read or admin")
    return text


@keys.command("create")
def create_key(
    scope: Annotated[
        str,
        typer.Argument(
            callback=_site_scope, metavar="SCOPE", help="What it is for: write, read or admin."
        ),
    ],
    site: SiteOption = "demo",
    label: Annotated[str, typer.Option(help="A name to know it by.")] = "made by hand",
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Origin of pages that may use it; may be given again. Default: any."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            help='What it may send, such as "6000/minute", or "off". Default: the settings\'.'
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days until it ends. Default: never.")
    ] = None,
) -> None:
    """Make a key and print it, once: it is stored hashed. A site that there is not is made."""

    async def make(services: "Services") -> "NewKey":
        attributes: dict[str, Any] = {"allowed_origins": origin or [], "rate_limit": rate}
        if days is not None:
            attributes["expires_at"] = services.clock.now() + timedelta(days=days)
        await ensure_site(services, site)
        async with services.admin_log.recorded(site, "createKey"):
            return await services.keys.create_key(site, Scope(scope), label, attributes)

    typer.echo(with_services(make).key)


@keys.command("list")
def list_keys(site: SiteOption = "demo") -> None:
    """List the keys of a site: those that can be used first."""
    found = with_services(lambda services: services.keys.list_keys(site))
    table = Table("id", "begins", "scope", "label", "origins", "rate", "made", "last used", "ends")
    for key in found:
        table.add_row(
            key.public_id,
            key.hint,
            key.scope.value,
            key.label,
            "\n".join(key.allowed_origins) or "any",
            key.rate_limit or "",
            _shown(key.created_at),
            _shown(key.last_used_at),
            f"revoked {_shown(key.revoked_at)}" if key.revoked_at else _shown(key.expires_at),
        )
    console.print(table)


@keys.command("rotate")
def rotate_key(
    name: KeyName,
    site: SiteOption = "demo",
    grace: Annotated[
        int, typer.Option(min=0, help="Seconds for which the old key can still be used.")
    ] = 0,
) -> None:
    """Make a key in place of another one, and print it, once. The old one is revoked."""

    async def rotate(services: "Services") -> "NewKey":
        old = await _found(services, site, name)
        async with services.admin_log.recorded(site, "rotateKey"):
            return await services.keys.rotate_key(site, old.public_id, timedelta(seconds=grace))

    typer.echo(with_services(rotate).key)


@keys.command("revoke")
def revoke_key(name: KeyName, site: SiteOption = "demo") -> None:
    """Revoke a key. It is refused everywhere within seconds."""

    async def revoke(services: "Services") -> "ApiKey":
        key = await _found(services, site, name)
        async with services.admin_log.recorded(site, "revokeKey"):
            return await services.keys.revoke_key(site, key.public_id)

    revoked = with_services(revoke)
    typer.echo(f"revoked {revoked.public_id}: {revoked.scope.value}, {revoked.label}")


async def _found(services: "Services", site: str, name: str) -> "ApiKey":
    """The key of this id, or the one that begins so. Raises NotFoundError, BadInputError."""
    listed = await services.keys.list_keys(site)
    found = [key for key in listed if name in (key.public_id, key.hint)]
    if not found:
        raise NotFoundError("There is no key on this site of this id or that begins so.")
    if len(found) > 1:
        raise BadInputError("Several keys begin so. Name the one that is meant by its id.")
    return found[0]


def _shown(instant: datetime | None) -> str:
    return instant.strftime("%Y-%m-%d %H:%M") if instant else ""
