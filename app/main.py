"""The only place where things are wired: settings, database, services, schema, HTTP."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from pymongo.errors import PyMongoError
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse

from app.api import build_schema
from app.core.auth import Scope
from app.core.clock import Clock, SystemClock
from app.core.config import SECONDS_PER_DAY, Settings
from app.core.context import Context
from app.core.database import (
    Client,
    connect,
    current_lifetimes,
    prepare,
    reconcile_indexes,
    require_replica_set,
)
from app.core.errors import FootfallError, UnavailableError
from app.core.ports import ImpressionTracker, ItemDirectory, ItemReports
from app.http import health
from app.http.graphql import GraphQLEndpoint, GraphQLSocket
from app.http.metrics import metrics
from app.http.pages import static_files
from app.http.requests import key_of, parse_networks, request_info
from app.modules.analytics.item_reports import AnalyticsOfItems
from app.modules.analytics.report_totals import TotalsOfRange
from app.modules.analytics.service import AnalyticsService
from app.modules.audit.service import AuditService
from app.modules.items.directory import Catalogue
from app.modules.items.service import ItemService
from app.modules.sites.service import SiteService
from app.modules.tracking.commit import GroupCommit
from app.modules.tracking.dedup import Deduplication
from app.modules.tracking.identity import SaltOfTheDay
from app.modules.tracking.ledger import LedgerService
from app.modules.tracking.preparation import Preparation
from app.modules.tracking.screening import Screening
from app.modules.tracking.search_tracking import SearchTracking
from app.modules.tracking.service import TrackingService
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.audits import EventAudit, LedgerAudit
from app.repositories.decisions import DecisionRepository
from app.repositories.events import EventRepository
from app.repositories.items import ItemRepository
from app.repositories.salts import SaltRepository
from app.repositories.session_items import SessionItemRepository
from app.repositories.sites import SiteRepository
from app.schemas import DOCUMENTS
from app.schemas.decision import LEDGER_TTL_INDEX
from app.schemas.event import TTL_INDEX

logger = logging.getLogger("footfall")

RECONNECT_SECONDS = 2.0
DEMO_SITE = "demo"


@dataclass(slots=True)
class Services:
    """Everything that a request or a command may ask for, by its type."""

    settings: Settings
    clock: Clock
    sites: SiteService
    items: ItemService
    tracking: TrackingService
    audit: AuditService
    commit: GroupCommit
    deduplication: Deduplication
    registry: dict[type, object] = field(default_factory=dict)


def build_services(settings: Settings, clock: Clock) -> Services:
    """Wire repositories into services. The documents must be bound to a database before use."""
    events = EventRepository()
    sites = SiteService(SiteRepository(), ApiKeyRepository(), settings, clock)
    deduplication = Deduplication(
        SessionItemRepository(),
        events,
        clock,
        cache_seconds=max(settings.impression_cooldown, settings.click_cooldown),
    )
    commit = GroupCommit(events, deduplication)
    preparation = Preparation(settings, Screening(settings))
    decisions = DecisionRepository()
    tracking = TrackingService(
        preparation,
        commit,
        SaltOfTheDay(SaltRepository()),
        events,
        decisions,
        sites,
        settings,
        clock,
    )
    items = ItemService(ItemRepository(), sites, clock, settings.report_timeout)
    analytics = AnalyticsService(events, sites, settings, clock)
    reports = TotalsOfRange(analytics)
    audit = AuditService(events, EventAudit(), LedgerAudit(), reports, settings, clock)
    registry: dict[type, object] = {
        AuditService: audit,
        AnalyticsService: analytics,
        ImpressionTracker: SearchTracking(tracking),
        ItemDirectory: Catalogue(items),
        ItemReports: AnalyticsOfItems(analytics),
        ItemService: items,
        SiteService: sites,
        TrackingService: tracking,
        LedgerService: LedgerService(decisions, events, preparation, commit, clock),
    }
    return Services(settings, clock, sites, items, tracking, audit, commit, deduplication, registry)


async def prepare_database(client: Client, settings: Settings, *, serving: bool) -> None:
    """Bind the documents and make the indexes what they should be.

    How long things are kept follows the server's settings. A command may be run with others, and
    must not shorten it: what it finds stays.
    """
    await require_replica_set(client)
    database = client.get_database(settings.database)
    await prepare(database, DOCUMENTS)
    days = settings.data_retention_days
    lifetimes = {
        TTL_INDEX: days * SECONDS_PER_DAY if days else None,
        LEDGER_TTL_INDEX: settings.ledger_retention_days * SECONDS_PER_DAY,
    }
    if not serving:
        lifetimes |= await current_lifetimes(database, DOCUMENTS, lifetimes)
    await reconcile_indexes(database, DOCUMENTS, lifetimes)


async def ensure_demo_keys(sites: SiteService, settings: Settings) -> None:
    """With the three demo keys set, the site demo has them."""
    if settings.demo_keys is None:
        if settings.demo_write_key or settings.demo_read_key or settings.demo_admin_key:
            logger.warning("the FOOTFALL_DEMO_*_KEY settings count only when all three are set")
        return
    await sites.ensure_site(DEMO_SITE, "Demonstration")
    for scope, key in settings.demo_keys.items():
        await sites.ensure_key(DEMO_SITE, Scope(scope), key)


@asynccontextmanager
async def open_services(
    settings: Settings,
    clock: Clock | None = None,
    client: Client | None = None,
    *,
    serving: bool = False,
) -> AsyncIterator[Services]:
    """Connected and running services, for the API (`serving`) and for commands.

    Raises the driver's error when the database cannot be reached.
    """
    connection = client or connect(_mongo_url(settings))
    try:
        await prepare_database(connection, settings, serving=serving)
        services = build_services(settings, clock or SystemClock())
        await ensure_demo_keys(services.sites, settings)
        services.commit.start()
        sweeper = asyncio.create_task(_sweep(services), name="sweep-caches")
        try:
            yield services
        finally:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper
            await services.tracking.finish_background()
            await services.commit.stop()
    finally:
        if client is None:
            connection.close()


def _mongo_url(settings: Settings) -> str:
    if settings.mongo_url is None:
        raise RuntimeError("mongo_url is not set; the command line starts the embedded MongoDB")
    return settings.mongo_url


async def _sweep(services: Services) -> None:
    """Drop expired entries from the in-memory caches, now and then."""
    while True:
        await asyncio.sleep(services.settings.cleanup_interval)
        services.sites.sweep()
        services.deduplication.sweep()


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application. Without a database it starts all the same, is not ready, and keeps trying."""
    settings = settings or Settings()
    proxies = parse_networks(settings.trusted_proxies)
    schema = build_schema()
    app = FastAPI(title="Footfall", openapi_url=None, lifespan=_lifespan)
    app.state.settings = settings
    app.state.clock = clock or SystemClock()
    app.state.started = asyncio.Event()
    app.state.problem = health.AWAY

    async def context_for(connection: HTTPConnection, given: Mapping[str, object]) -> Context:
        """The context of one request; on a socket, `given` is what came with connection_init."""
        if not app.state.started.is_set():
            raise UnavailableError
        services: Services = app.state.services
        named = {k.lower(): v for k, v in given.items() if isinstance(v, str)}
        headers = connection.headers
        key = key_of(
            named.get("authorization") or headers.get("authorization"),
            named.get("x-api-key") or headers.get("x-api-key"),
        )
        return Context(
            services=services.registry,
            principal=await services.sites.authenticate(key),
            request=request_info(connection, proxies),
        )

    app.add_route("/graphql", GraphQLEndpoint(schema, context_for).answer, ["GET", "POST"])
    app.router.add_websocket_route("/graphql", GraphQLSocket(schema, context_for).connect)
    app.add_route("/health/live", health.live)
    app.add_route("/health/ready", health.ready)
    app.add_route("/metrics", metrics)
    app.add_route("/", lambda request: RedirectResponse("/graphql"))
    app.mount("/static", static_files())
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin.strip() for origin in settings.cors_origins.split(",")],
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        max_age=86_400,
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    settings: Settings = app.state.settings
    app.state.client = connect(_mongo_url(settings))
    running = asyncio.create_task(_keep_running(app, settings), name="services")
    first_try = asyncio.create_task(app.state.started.wait())
    # Wait for the first try, so that a server with a database answers from its first request on.
    await asyncio.wait(
        {running, first_try}, timeout=RECONNECT_SECONDS * 2, return_when="FIRST_COMPLETED"
    )
    first_try.cancel()
    try:
        if running.done():
            running.result()
        yield {}
    finally:
        app.state.started.clear()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        app.state.client.close()


async def _keep_running(app: FastAPI, settings: Settings) -> None:
    """Open the services, again and again until the database is there, and keep them open."""
    while True:
        try:
            async with open_services(
                settings, app.state.clock, app.state.client, serving=True
            ) as services:
                app.state.services = services
                app.state.started.set()
                await asyncio.Event().wait()
        except PyMongoError as error:
            logger.warning("the database is away (%s); trying again", type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)
        except FootfallError as error:
            logger.error("%s Trying again.", error)  # noqa: TRY400 - it is said for the operator
            app.state.problem = str(error)
            await asyncio.sleep(RECONNECT_SECONDS)
