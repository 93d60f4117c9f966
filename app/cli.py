"""The command line. Each command reads its settings from the environment and .env (docs/settings.md)."""

import sys

import typer
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from app.commands.audit import audit
from app.commands.demo import demo
from app.commands.exports import exports
from app.commands.imports import imports
from app.commands.keys import keys
from app.commands.rebuild import rebuild
from app.commands.running import complaints
from app.commands.scrub import scrub
from app.commands.serve import serve
from app.commands.sites import sites
from app.core.errors import FootfallError

cli = typer.Typer(
    name="footfall",
    help="Counts what people see, click and buy: exactly, explainably, reproducibly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.command()(serve)
cli.command()(demo)
cli.command()(audit)
cli.command()(rebuild)
cli.command()(scrub)
cli.add_typer(imports, name="import")
cli.add_typer(exports, name="export")
cli.add_typer(keys, name="keys")
cli.add_typer(sites, name="sites")


@cli.command()
def schema() -> None:
    """Print the GraphQL schema."""
    from app.api import build_schema

    typer.echo(build_schema().as_str())


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
