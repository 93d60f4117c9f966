"""The only place where things are started: settings, database, services (wiring.py), schema, HTTP."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pymongo.errors import PyMongoError
from starlette.responses import RedirectResponse

from app.api import build_schema
from app.core.auth import INSTANCE, Scope
from app.core.background import again_and_again
from app.core.clock import Clock, SystemClock
from app.core.config import SECONDS_PER_DAY, Settings
from app.core.context import Context
from app.core.database import (
    Client,
    connect,
    current_lifetimes,
    deadline,
    direct_database,
    is_unavailable,
    prepare,
    reconcile_indexes,
    require_replica_set,
)
from app.core.errors import FootfallError, UnavailableError
from app.core.origins import ANY_ORIGIN, parse_origins
from app.http import health
from app.http.connection import ARRIVAL_STATE
from app.http.gate import Gate, Places
from app.http.graphql import GraphQLEndpoint, GraphQLSocket
from app.http.headers import SecurityHeaders
from app.http.metrics import metrics
from app.http.origins import HEADERS, Cors, Origins, check_origin
from app.http.pages import static_files
from app.http.requests import Caller, key_of, parse_networks, request_info
from app.http.whole import WHOLE_STATE, WholeRequests
from app.modules.analytics.rollups.longer import KeepingOldQuarters
from app.modules.analytics.rollups.retention import (
    Retention,
    lifetime_of_events,
    lifetime_of_rollups,
)
from app.modules.analytics.rollups.upgrade import MarkingOfFourWeeks, MarkingOfOldEvents
from app.modules.keys.service import OWNER_SETTING_LABEL, KeyService
from app.modules.sites.service import SITE_HEADER, SiteService
from app.repositories.events import EventRepository
from app.repositories.marks import MarkRepository
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.sites import SiteRepository
from app.repositories.upgrades import UpgradeRepository
from app.schemas import DOCUMENTS
from app.schemas.admin_action import ADMIN_LOG_TTL_INDEX
from app.schemas.decision import LEDGER_TTL_INDEX
from app.schemas.event import TTL_INDEX
from app.schemas.quarter_hour import ROLLUP_TTL_INDEX
from app.schemas.session import SESSION_TTL_INDEX
from app.wiring import Services, build_services

logger = logging.getLogger("footfall")

RECONNECT_SECONDS = 2.0
# Between two looks for sites that have changed the rule of their sessions.
SESSION_RULE_SECONDS = 30.0
# Between two looks for erasures that were begun and have not ended.
ERASURE_SECONDS = 60.0
# Between two looks for events of types that a site keeps for less long.
TYPE_RETENTION_SECONDS = 30.0
DEMO_SITE = "demo"


Lifetimes = dict[str, int | None]


async def prepare_database(
    client: Client, settings: Settings, clock: Clock, *, serving: bool
) -> Lifetimes:
    """Bind the documents and make the indexes what they should be; after how many seconds each of
    the TTL indexes deletes things, None where it does not.

    How long things are kept follows the server's settings. A command may be run with others, and
    must not shorten it: what it finds stays.
    """
    await require_replica_set(client)
    database = client.get_database(settings.database)
    await prepare(database, DOCUMENTS)
    lifetimes: Lifetimes = {
        TTL_INDEX: lifetime_of_events(settings),
        SESSION_TTL_INDEX: lifetime_of_events(settings),
        ROLLUP_TTL_INDEX: lifetime_of_rollups(settings),
        LEDGER_TTL_INDEX: settings.ledger_retention_days * SECONDS_PER_DAY,
        ADMIN_LOG_TTL_INDEX: settings.admin_log_retention_days * SECONDS_PER_DAY,
    }
    current = await current_lifetimes(database, DOCUMENTS, lifetimes)
    if not serving:
        lifetimes |= current
    if _is_longer(lifetimes[TTL_INDEX], current.get(TTL_INDEX)):
        since = Retention(current[TTL_INDEX], clock).events_since()
        await KeepingOldQuarters(SiteRepository(), EventRepository(), QuarterHourRepository()).run(
            since
        )
    await reconcile_indexes(database, DOCUMENTS, lifetimes)
    return lifetimes


def _is_longer(lifetime: int | None, before: int | None) -> bool:
    """Whether things are kept longer than before; None: for ever."""
    return before is not None and (lifetime is None or lifetime > before)


async def ensure_demo_keys(sites: SiteService, keys: KeyService, settings: Settings) -> None:
    """With the three demo keys set, the site demo has them."""
    if settings.demo_keys is None:
        if settings.demo_write_key or settings.demo_read_key or settings.demo_admin_key:
            logger.warning("the FOOTFALL_DEMO_*_KEY settings count only when all three are set")
        return
    await sites.ensure_site(DEMO_SITE, "Demonstration")
    for scope, key in settings.demo_keys.items():
        await keys.ensure_key(DEMO_SITE, Scope(scope), key)


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
        clock = clock or SystemClock()
        lifetimes = await prepare_database(connection, settings, clock, serving=serving)
        # Before anything is answered.
        await MarkingOfOldEvents(
            UpgradeRepository(), SiteRepository(), EventRepository(), MarkRepository()
        ).run()
        await MarkingOfFourWeeks(
            UpgradeRepository(), SiteRepository(), QuarterHourRepository(), MarkRepository()
        ).run()
        async with direct_database(_mongo_url(settings), settings.database) as direct:
            services = build_services(settings, clock, lifetimes[TTL_INDEX], direct)
            await ensure_demo_keys(services.sites, services.keys, settings)
            if settings.owner_key is not None:
                await services.keys.ensure_owner_key(
                    settings.owner_key.get_secret_value(), OWNER_SETTING_LABEL
                )
            services.commit.start()
            try:
                upkeep = _upkeep(services) if serving else ()
                async with _in_background(_sweeping(services), services.key_uses.run(), *upkeep):
                    yield services
            finally:
                await services.feed.stop()
                await services.tracking.finish_background()
                await services.erasures.stop()
                await services.commit.stop()
    finally:
        if client is None:
            connection.close()


def _mongo_url(settings: Settings) -> str:
    if settings.mongo_url is None:
        raise RuntimeError("mongo_url is not set; the command line starts the embedded MongoDB")
    return settings.mongo_url


def _upkeep(services: Services) -> Sequence[Coroutine[Any, Any, None]]:
    """What a server does besides answering."""
    rollups, rules = services.rollups, services.session_rules
    retention = services.type_retention
    interval = services.settings.rollup_interval
    return (
        _until_ended(lambda: rollups.run(interval), rollups.release),
        _until_ended(lambda: rules.run(SESSION_RULE_SECONDS), rules.release),
        _until_ended(lambda: retention.run(TYPE_RETENTION_SECONDS), retention.release),
        services.erasures.run(ERASURE_SECONDS),
    )


async def _until_ended(
    work: Callable[[], Awaitable[None]], release: Callable[[], Awaitable[None]]
) -> None:
    """Work until cancelled, and then give back what it holds, where the database is there."""
    try:
        await work()
    finally:
        with contextlib.suppress(PyMongoError), deadline():
            await release()


@asynccontextmanager
async def _in_background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run all of this meanwhile, and end it."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _sweeping(services: Services) -> None:
    """Drop expired entries from the in-memory caches, and salts of days that are over, now and then."""

    async def sweep() -> None:
        services.sites.sweep()
        services.keys.sweep()
        services.deduplication.sweep()
        services.tracking.sweep()
        services.cache.sweep()

    interval = services.settings.cleanup_interval
    await again_and_again("dropping what has expired", sweep, interval, logger)


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application. Without a database it starts all the same, is not ready, and keeps trying."""
    settings = settings or Settings()
    proxies = parse_networks(settings.trusted_proxies)
    origins = parse_origins(settings.cors_origins)
    schema = build_schema(settings.max_query_cost)
    app = FastAPI(title="Footfall", openapi_url=None, lifespan=_lifespan)
    app.state.settings = settings
    app.state.clock = clock or SystemClock()
    app.state.started = asyncio.Event()
    app.state.problem = health.AWAY

    async def context_for(caller: Caller, given: Mapping[str, object]) -> Context:
        """The context of one request; on a socket, `given` is what came with connection_init."""
        if not app.state.started.is_set():
            raise UnavailableError
        services: Services = app.state.services
        named = {k.lower(): v for k, v in given.items() if isinstance(v, str)}
        headers = caller.headers
        key = key_of(
            named.get("authorization") or headers.get("authorization"),
            named.get("x-api-key") or headers.get("x-api-key"),
        )
        principal = await services.sites.acting_on(
            await services.keys.authenticate(key, headers.get("origin")),
            named.get("site") or headers.get(SITE_HEADER),
        )
        if principal is not None and "origin" in headers:
            # The owner on no site acts on all of them: a page of any may be the owner's.
            of_site = (
                await services.sites.allowed_origins()
                if principal.site == INSTANCE
                else (await services.sites.get(principal.site)).allowed_origins
            )
            principal = check_origin(caller, principal, origins, of_site)
        return Context(
            services=services.registry,
            principal=principal,
            request=request_info(caller, proxies),
        )

    async def origins_of_sites() -> Sequence[str]:
        """Every origin that a site allows; any while that cannot be known, for nothing is answered then."""
        if not app.state.started.is_set():
            return [ANY_ORIGIN]
        try:
            allowed: list[str] = await app.state.services.sites.allowed_origins()
        except Exception as error:
            if not is_unavailable(error):
                raise
            return [ANY_ORIGIN]
        return allowed

    endpoint = GraphQLEndpoint(schema, context_for, settings.request_timeout)
    app.add_route("/graphql", endpoint.answer, ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    places = Places(settings.max_concurrency)
    pages = Origins(origins, origins_of_sites)
    sockets = GraphQLSocket(schema, context_for, pages, places, settings.max_sockets)
    app.router.add_websocket_route("/graphql", sockets.connect)
    app.add_route("/health/live", health.live)
    app.add_route("/health/ready", health.ready)
    app.add_route("/metrics", metrics)
    app.add_route("/", lambda request: RedirectResponse("/graphql"))
    app.mount("/static", static_files())
    app.state.whole_requests = WholeRequests(endpoint, places, pages)
    # The last one is the outermost.
    app.add_middleware(Gate, places)
    app.add_middleware(Cors, pages, (*HEADERS, SITE_HEADER))
    app.add_middleware(SecurityHeaders)
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
        yield {ARRIVAL_STATE: settings.request_timeout, WHOLE_STATE: app.state.whole_requests}
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
