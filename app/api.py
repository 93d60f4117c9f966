"""The modules' queries, mutations and subscriptions become one schema."""

from functools import lru_cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.core.limits import Limits
from app.core.scalars import SCALARS
from app.core.schema import Schema
from app.modules.admin_log.resolver import AdminLogQuery
from app.modules.analytics.behaviour.resolver import BehaviourQuery
from app.modules.analytics.engagement.resolver import EngagementQuery
from app.modules.analytics.experiments.resolver import ExperimentsQuery
from app.modules.analytics.quality.resolver import QualityQuery
from app.modules.analytics.realtime.resolver import RealtimeQuery, RealtimeSubscription
from app.modules.analytics.resolver import AnalyticsQuery
from app.modules.analytics.score.resolver import PerformanceScoreQuery
from app.modules.analytics.sessions.resolver import SessionsQuery
from app.modules.analytics.trending.resolver import TrendingQuery
from app.modules.audit.resolver import AuditQuery
from app.modules.items.resolver import ItemsMutation, ItemsQuery
from app.modules.keys.resolver import KeysMutation, KeysQuery
from app.modules.privacy.resolver import PrivacyMutation, PrivacyQuery
from app.modules.sites.resolver import SitesMutation, SitesQuery
from app.modules.tracking.item_tokens.resolver import ItemTokensMutation, ItemTokensQuery
from app.modules.tracking.ledger_resolver import LedgerMutation, LedgerQuery
from app.modules.tracking.resolver import TrackingMutation

# Elements of lists that no argument bounds, where they are many: what a query with them costs at most.
LIST_SIZES = {"Query.timeSeries": 1_000, "BatchResult.results": 1_000, "ReportRow.dimensions": 2}
# A batch has up to 1,000 events: ten of them in one request are enough.
FIELD_COSTS = {"Mutation.trackBatch": 95_000}


@strawberry.type(description="What analysts and frontends ask. Needs a read or admin key.")
class Query(
    AdminLogQuery,
    KeysQuery,
    AnalyticsQuery,
    AuditQuery,
    BehaviourQuery,
    EngagementQuery,
    ExperimentsQuery,
    ItemsQuery,
    ItemTokensQuery,
    LedgerQuery,
    PerformanceScoreQuery,
    PrivacyQuery,
    QualityQuery,
    RealtimeQuery,
    SessionsQuery,
    SitesQuery,
    TrendingQuery,
):
    pass


@strawberry.type(
    description="What is tracked (write or admin key) and what admins change (admin key)."
)
class Mutation(
    KeysMutation,
    ItemTokensMutation,
    ItemsMutation,
    LedgerMutation,
    PrivacyMutation,
    SitesMutation,
    TrackingMutation,
):
    pass


@strawberry.type(
    description="What is sent as it happens, over graphql-transport-ws on the same path. Needs a read "
    "or admin key, and ends when the key is revoked."
)
class Subscription(RealtimeSubscription):
    pass


@lru_cache(maxsize=8)
def build_schema(max_query_cost: int = Limits().cost) -> Schema:
    """The whole API. Applications of one process share it: nothing in it is of one of them."""
    return Schema(
        Limits(cost=max_query_cost, sizes=LIST_SIZES, costs=FIELD_COSTS),
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
