"""`footfall sites`: the sites of this instance, and their settings."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from app.commands.running import console, with_services
from app.core.auth import INSTANCE, Scope
from app.core.errors import BadInputError
from app.core.names import camel_case

if TYPE_CHECKING:
    from app.modules.keys.service import NewKey
    from app.schemas import Site
    from app.wiring import Services

sites = typer.Typer(help="The sites of this instance.", no_args_is_help=True)

SiteName = Annotated[str, typer.Argument(help="The site's short name.")]


@sites.command("list")
def list_sites(
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
) -> None:
    """List the sites."""
    table = Table("site", "name", "time zone", "currency", "made", "archived")
    for site in with_services(lambda services: services.sites.all(archived=archived)):
        table.add_row(
            site.id,
            site.name,
            site.timezone,
            site.currency,
            f"{site.created_at:%Y-%m-%d}",
            f"{site.archived_at:%Y-%m-%d}" if site.archived_at else "",
        )
    console.print(table)


@sites.command("create")
def create_site(
    site: Annotated[str, typer.Argument(help="Its short name, which stays.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[SETTING=VALUE]...", help="As for `set`.")
    ] = None,
) -> None:
    """Make a site. Its keys are made with `footfall keys create`."""
    changes = _read(settings or [])

    async def create(services: "Services") -> None:
        async with services.admin_log.recorded(site, "createSite"):
            await services.sites.create(site, changes)

    with_services(create)
    typer.echo(f"made {site}; `footfall keys create write --site {site}` makes it a key")


@sites.command("rename")
def rename_site(
    site: SiteName, name: Annotated[str, typer.Argument(help="Its new name for people.")]
) -> None:
    """Give a site another name for people. Its short name stays."""
    _update(site, {"name": name})


@sites.command("show")
def show_site(site: SiteName) -> None:
    """Print the settings of a site, each as `set` takes it."""
    from app.modules.sites.settings import SETTINGS
    from app.modules.sites.texts import write

    found = with_services(lambda services: services.sites.get(site))
    for name in SETTINGS:
        typer.echo(f"{camel_case(name)}={write(getattr(found, name))}")


@sites.command("set")
def set_settings(
    site: SiteName,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="SETTING=VALUE...",
            help="Named as in updateSite; `show` lists them. Lists have commas between: "
            "allowedOrigins=https://a.example,https://b.example, retention=CLICK:30,VIEW:7.",
        ),
    ],
) -> None:
    """Change settings of a site. They count in every process within seconds."""
    _update(site, _read(settings))


@sites.command("archive")
def archive_site(site: SiteName) -> None:
    """Take in and change nothing more on a site. Its reports can still be asked for."""

    async def archive(services: "Services") -> "Site":
        async with services.admin_log.recorded(site, "archiveSite"):
            return await services.sites.archive(site)

    typer.echo(f"archived {with_services(archive).id}")


@sites.command("restore")
def restore_site(site: SiteName) -> None:
    """Use an archived site again."""

    async def restore(services: "Services") -> "Site":
        async with services.admin_log.recorded(site, "restoreSite"):
            return await services.sites.restore(site)

    typer.echo(f"restored {with_services(restore).id}")


@sites.command("owner-key")
def make_owner_key(
    label: Annotated[str, typer.Option(help="A name to know it by.")] = "made by hand",
    replace: Annotated[
        bool, typer.Option("--replace", help="Revoke the owner's other keys.")
    ] = False,
) -> None:
    """Make a key of the instance's owner, who manages all sites, and print it, once."""

    async def make(services: "Services") -> "NewKey":
        async with services.admin_log.recorded(INSTANCE, "createOwnerKey"):
            others = await services.keys.list_keys(INSTANCE) if replace else []
            made = await services.keys.create_key(INSTANCE, Scope.OWNER, label)
            for other in others:
                await services.keys.revoke_key(INSTANCE, other.public_id)
            return made

    typer.echo(with_services(make).key)


def _read(settings: list[str]) -> dict[str, Any]:
    """Settings of a command line by their field. Raises BadInputError."""
    from app.modules.sites.settings import SETTINGS

    fields = {camel_case(name): name for name in SETTINGS}
    changes = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in fields:
            raise BadInputError(f"Settings are given as SETTING=VALUE, of {', '.join(fields)}.")
        try:
            changes[fields[name]] = SETTINGS[fields[name]].read(text)
        except ValueError as error:
            raise BadInputError(str(error), name) from None
    return changes


def _update(site: str, changes: dict[str, Any]) -> None:
    async def update(services: "Services") -> None:
        async with services.admin_log.recorded(site, "updateSite"):
            await services.sites.update(site, changes)

    with_services(update)
    typer.echo(f"changed {site}")
