"""Which services there are, and what each is given. Started in app/main.py alone."""

from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ports import ImpressionTracker, ItemDirectory, ItemReports, KeyCheck
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
from app.modules.analytics.rollups.measuring import Backlog, MeasuredRoller
from app.modules.analytics.rollups.reading import Stock
from app.modules.analytics.rollups.removal import KeepingRemoval
from app.modules.analytics.rollups.retention import Retention
from app.modules.analytics.rollups.worker import RollupWorker
from app.modules.analytics.service import AnalyticsService
from app.modules.analytics.sessions.rollup import SessionRollup
from app.modules.analytics.sessions.rule_watch import RuleWatch
from app.modules.analytics.sessions.service import SessionService
from app.modules.analytics.trending.service import TrendingService
from app.modules.audit.service import AuditService
from app.modules.items.directory import Catalogue
from app.modules.items.service import ItemService
from app.modules.sites.service import SiteService
from app.modules.tracking.cleanup import CleanupService
from app.modules.tracking.commit import GroupCommit
from app.modules.tracking.dedup import Deduplication
from app.modules.tracking.identity import SaltOfTheDay
from app.modules.tracking.ledger import LedgerService
from app.modules.tracking.preparation import Preparation
from app.modules.tracking.screening import Screening
from app.modules.tracking.search_tracking import SearchTracking
from app.modules.tracking.service import TrackingService
from app.modules.tracking.touching import Touching
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.audits import EventAudit, LedgerAudit
from app.repositories.changes import ChangeRepository
from app.repositories.decisions import DecisionRepository
from app.repositories.event_stream import EventStream
from app.repositories.events import EventRepository
from app.repositories.items import ItemRepository
from app.repositories.leases import LeaseRepository
from app.repositories.marks import MarkRepository
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
    items: ItemService
    tracking: TrackingService
    audit: AuditService
    commit: GroupCommit
    deduplication: Deduplication
    feed: LiveFeed
    rollups: RollupWorker
    cache: ReportCache
    session_rules: RuleWatch
    backlog: Backlog
    registry: dict[type, object] = field(default_factory=dict)


def build_services(settings: Settings, clock: Clock, lifetime_of_events: int | None) -> Services:
    """Wire repositories into services. The documents must be bound to a database before use.

    `lifetime_of_events` is after how many seconds the database deletes them; None: never.
    """
    events = EventRepository()
    sites = SiteService(SiteRepository(), ApiKeyRepository(), settings, clock)
    deduplication = Deduplication(
        SessionItemRepository(),
        events,
        clock,
        cache_seconds=max(settings.impression_cooldown, settings.click_cooldown),
    )
    marks = MarkRepository()
    touching = Touching(marks)
    commit = GroupCommit(events, deduplication, touching)
    preparation = Preparation(settings, Screening(settings))
    decisions = DecisionRepository()
    tracking = TrackingService(
        preparation,
        commit,
        SaltOfTheDay(SaltRepository()),
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
    reports = TotalsOfRange(analytics)
    audit = AuditService(events, EventAudit(), LedgerAudit(), reports, settings, clock)
    quality = QualityService(events, LedgerQuality(), WithdrawnEvents(), sites, settings, clock)
    feed = LiveFeed(EventStream(), clock)
    registry: dict[type, object] = {
        AuditService: audit,
        AnalyticsService: analytics,
        BehaviourService: BehaviourService(events, sites, settings, clock),
        CleanupService: CleanupService(
            KeepingRemoval(events, marks, quarters, retention), settings, clock
        ),
        EngagementService: EngagementService(events, sites, settings, clock),
        ExperimentService: ExperimentService(events, sites, settings, clock),
        ImpressionTracker: SearchTracking(tracking),
        ItemDirectory: Catalogue(items),
        ItemReports: AnalyticsOfItems(analytics),
        ItemService: items,
        KeyCheck: sites,
        LiveFeed: feed,
        QualityService: quality,
        RealtimeService: RealtimeService(events, settings, clock),
        Seats: Seats(),
        SessionRollup: session_rollup,
        SessionService: SessionService(sessions, events, MarkRepository(), sites, settings, clock),
        SiteService: sites,
        TrackingService: tracking,
        TrendingService: TrendingService(events, sites, settings, clock),
        LedgerService: LedgerService(decisions, events, preparation, commit, touching, clock),
    }
    return Services(
        settings,
        clock,
        sites,
        items,
        tracking,
        audit,
        commit,
        deduplication,
        feed,
        worker,
        cache,
        RuleWatch(session_rollup, SiteRepository(), LeaseRepository()),
        Backlog(marks),
        registry,
    )
