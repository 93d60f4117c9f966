"""Which services there are, and what each is given. Started in app/main.py alone."""

from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.config import Settings
from app.core.database import DirectDatabase
from app.core.ports import (
    AdminLog,
    ImpressionTracker,
    ItemDirectory,
    ItemReports,
    KeyCheck,
    QueryRates,
    Ranges,
    SiteSettings,
)
from app.modules.admin_log.service import AdminLogService
from app.modules.analytics.behaviour.service import BehaviourService
from app.modules.analytics.caching import ReportCache
from app.modules.analytics.engagement.service import EngagementService
from app.modules.analytics.experiments.service import ExperimentService
from app.modules.analytics.item_reports import AnalyticsOfItems
from app.modules.analytics.quality.service import QualityService
from app.modules.analytics.realtime.feed import LiveFeed
from app.modules.analytics.realtime.seats import Seats
from app.modules.analytics.realtime.service import RealtimeService
from app.modules.analytics.report_totals import TotalsOfRange
from app.modules.analytics.resolved_ranges import ResolvedRanges
from app.modules.analytics.rollups.forgetting import Forgetting
from app.modules.analytics.rollups.measuring import Backlog, MeasuredRoller
from app.modules.analytics.rollups.reading import Stock
from app.modules.analytics.rollups.removal import KeepingRemoval
from app.modules.analytics.rollups.retention import Retention
from app.modules.analytics.rollups.type_retention import TypeRetention
from app.modules.analytics.rollups.worker import RollupWorker
from app.modules.analytics.service import AnalyticsService
from app.modules.analytics.sessions.rollup import SessionRollup
from app.modules.analytics.sessions.rule_watch import RuleWatch
from app.modules.analytics.sessions.service import SessionService
from app.modules.analytics.trending.service import TrendingService
from app.modules.audit.service import AuditService
from app.modules.items.directory import Catalogue
from app.modules.items.service import ItemService
from app.modules.keys.query_rates import RatesOfQueries
from app.modules.keys.service import KeyService
from app.modules.keys.uses import KeyUses
from app.modules.privacy.erasing import ErasureService
from app.modules.privacy.exporting import ExportService
from app.modules.sites.service import SiteService
from app.modules.tracking.cleanup import CleanupService
from app.modules.tracking.commit import GroupCommit
from app.modules.tracking.dedup import Deduplication
from app.modules.tracking.geography import Geography
from app.modules.tracking.identity import SaltOfTheDay
from app.modules.tracking.item_tokens.service import ItemTokens
from app.modules.tracking.ledger import LedgerService
from app.modules.tracking.preparation import Preparation
from app.modules.tracking.salt_files import SaltFiles
from app.modules.tracking.screening import Screening
from app.modules.tracking.search_tracking import SearchTracking
from app.modules.tracking.service import TrackingService
from app.modules.tracking.touching import Touching
from app.repositories.admin_actions import AdminActionRepository
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.audits import EventAudit, LedgerAudit
from app.repositories.changes import ChangeRepository
from app.repositories.decisions import DecisionRepository
from app.repositories.erasures import ErasureRepository
from app.repositories.event_stream import EventStream
from app.repositories.events import EventRepository
from app.repositories.item_token_secrets import ItemTokenSecretRepository
from app.repositories.items import ItemRepository
from app.repositories.leases import LeaseRepository
from app.repositories.marks import MarkRepository
from app.repositories.personal_data import personal_data
from app.repositories.quality import LedgerQuality, WithdrawnEvents
from app.repositories.quarter_hours import QuarterHourRepository
from app.repositories.rollups import RollupRepository
from app.repositories.salts import SaltRepository
from app.repositories.session_items import SessionItemRepository
from app.repositories.sessions import SessionEvents, SessionRepository
from app.repositories.sites import SiteRepository


@dataclass(slots=True)
class Services:
    """Everything that a request or a command may ask for, by its type."""

    settings: Settings
    clock: Clock
    sites: SiteService
    keys: KeyService
    key_uses: KeyUses
    admin_log: AdminLogService
    items: ItemService
    tracking: TrackingService
    audit: AuditService
    commit: GroupCommit
    deduplication: Deduplication
    feed: LiveFeed
    rollups: RollupWorker
    cache: ReportCache
    session_rules: RuleWatch
    type_retention: TypeRetention
    backlog: Backlog
    erasures: ErasureService
    registry: dict[type, object] = field(default_factory=dict)


def build_services(
    settings: Settings,
    clock: Clock,
    lifetime_of_events: int | None,
    direct: DirectDatabase | None = None,
) -> Services:
    """Wire repositories into services. The documents must be bound to a database before use.

    `lifetime_of_events` is after how many seconds the database deletes them; None: never. `direct` is
    the database for what is asked of it for every event, or before anything else of a request.
    """
    events = EventRepository(direct)
    sites = SiteService(SiteRepository(direct), settings, clock)
    key_uses = KeyUses(ApiKeyRepository())
    admin_log = AdminLogService(AdminActionRepository(), clock)
    keys = KeyService(ApiKeyRepository(direct), sites, key_uses, admin_log, clock)
    deduplication = Deduplication(
        SessionItemRepository(direct),
        events,
        clock,
        cache_seconds=max(settings.impression_cooldown, settings.click_cooldown),
    )
    marks = MarkRepository(direct)
    touching = Touching(marks)
    commit = GroupCommit(events, deduplication, touching)
    preparation = Preparation(settings, Screening(settings), Geography(settings.geo_database))
    decisions = DecisionRepository(direct)
    item_tokens = ItemTokens(ItemTokenSecretRepository(direct), clock)
    tracking = TrackingService(
        preparation,
        commit,
        SaltOfTheDay(SaltFiles(settings.salt_dir) if settings.salt_dir else SaltRepository(direct)),
        item_tokens,
        decisions,
        sites,
        settings,
        clock,
    )
    items = ItemService(ItemRepository(), sites, clock, settings.report_timeout)
    quarters, rollups = QuarterHourRepository(), RollupRepository()
    retention = Retention(lifetime_of_events, clock)
    stock = Stock(events, marks, quarters, rollups, ItemRepository(), retention)
    changes = ChangeRepository()
    cache = ReportCache(marks, changes, settings, clock)
    analytics = AnalyticsService(stock, sites, settings, clock, cache)
    sessions = SessionRepository()
    session_rollup = SessionRollup(sessions, SessionEvents(), sites)
    roller = MeasuredRoller(events, marks, quarters, rollups, session_rollup, retention, changes)
    worker = RollupWorker(roller, marks, LeaseRepository(), clock)
    removal = KeepingRemoval(events, marks, quarters, retention, sessions)
    type_retention = TypeRetention(
        removal, events, marks, SiteRepository(), LeaseRepository(), clock
    )
    reports = TotalsOfRange(analytics)
    audit = AuditService(events, EventAudit(), LedgerAudit(), reports, settings, clock)
    quality = QualityService(events, LedgerQuality(), WithdrawnEvents(), sites, settings, clock)
    computed = Forgetting(
        roller, events, marks, quarters, session_rollup, retention, LeaseRepository(), clock
    )
    erasures = ErasureService(
        ErasureRepository(),
        personal_data(),
        SessionItemRepository(),
        DecisionRepository(),
        AdminActionRepository(),
        computed,
        clock,
    )
    feed = LiveFeed(EventStream(), clock)
    registry: dict[type, object] = {
        AuditService: audit,
        AnalyticsService: analytics,
        BehaviourService: BehaviourService(events, sites, settings, clock),
        CleanupService: CleanupService(removal, settings, clock),
        EngagementService: EngagementService(events, sites, settings, clock),
        ErasureService: erasures,
        ExperimentService: ExperimentService(events, sites, settings, clock),
        ExportService: ExportService(personal_data(), computed),
        ImpressionTracker: SearchTracking(tracking),
        ItemDirectory: Catalogue(items),
        ItemReports: AnalyticsOfItems(analytics),
        ItemService: items,
        ItemTokens: item_tokens,
        KeyCheck: keys,
        KeyService: keys,
        AdminLog: admin_log,
        AdminLogService: admin_log,
        QueryRates: RatesOfQueries(settings.query_rate_limit),
        Ranges: ResolvedRanges(sites, settings, clock),
        LiveFeed: feed,
        QualityService: quality,
        RealtimeService: RealtimeService(events, settings, clock),
        Seats: Seats(),
        SessionRollup: session_rollup,
        SessionService: SessionService(sessions, events, MarkRepository(), sites, settings, clock),
        SiteService: sites,
        SiteSettings: sites,
        TrackingService: tracking,
        TrendingService: TrendingService(events, sites, settings, clock),
        LedgerService: LedgerService(
            decisions, events, preparation, commit, touching, sites, clock
        ),
    }
    return Services(
        settings,
        clock,
        sites,
        keys,
        key_uses,
        admin_log,
        items,
        tracking,
        audit,
        commit,
        deduplication,
        feed,
        worker,
        cache,
        RuleWatch(session_rollup, SiteRepository(), LeaseRepository()),
        type_retention,
        Backlog(marks),
        erasures,
        registry,
    )
