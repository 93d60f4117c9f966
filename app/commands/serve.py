"""`footfall serve`: the API."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.commands.demo import prepare_demo, show_demo
from app.commands.running import INTERRUPTED, complaints, console, database
from app.core.config import Settings
from app.core.errors import FootfallError
from app.demo.size import DEFAULT_EVENTS


def serve(
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Make the site demo, fill it with data where it is empty, print its keys.",
        ),
    ] = False,
    demo_events: Annotated[
        int,
        typer.Option(
            min=1, max=100_000_000, help="About how many events the site demo is filled with."
        ),
    ] = DEFAULT_EVENTS,
) -> None:
    """Serve the API. Without FOOTFALL_MONGO_URL an embedded MongoDB is started with it."""
    # uvicorn raises the signal again when it has shut down; this lets the embedded MongoDB end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with database() as settings:
            _check_port(settings)
            address = f"http://{_display_host(settings.host)}:{settings.port}"
            if demo:
                show_demo(address, prepare_demo(settings, demo_events))
            else:
                console.print(f"[bold]GraphQL and GraphiQL[/]  {address}/graphql", highlight=False)
                console.print(
                    f"[bold]Health[/]                {address}/health/ready", highlight=False
                )
                console.print("Ctrl-C ends it.")
            with _shared_metrics(settings):
                _run(settings)
    except KeyboardInterrupt:
        complaints.print("Stopped.")
        raise typer.Exit(INTERRUPTED) from None


def _run(settings: Settings) -> None:
    import uvicorn

    uvicorn.run(
        "app.serving:create_process",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",
        timeout_graceful_shutdown=8,
        http="app.http.connection:HttpConnection",
        ws="app.http.websocket:WebSocketConnection",
        ws_max_size=256 * 1024,
        proxy_headers=False,  # FOOTFALL_TRUSTED_PROXIES says who is believed (app/http/requests.py)
    )


@contextmanager
def _shared_metrics(settings: Settings) -> Iterator[None]:
    """A folder in which several workers add up their metrics, as prometheus-client wants it."""
    if settings.workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="footfall-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def _check_port(settings: Settings) -> None:
    """Say at once that the address cannot be had, not when everything else is prepared."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise FootfallError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}. "
            "Choose others with FOOTFALL_HOST and FOOTFALL_PORT."
        ) from None


def _display_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
