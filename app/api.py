"""The modules' queries, mutations and subscriptions become one schema."""

from collections.abc import Iterator
from contextlib import suppress

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from app.core.graphql_errors import shape
from app.core.scalars import SCALARS
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
from app.modules.sites.resolver import SitesMutation, SitesQuery
from app.modules.tracking.ledger_resolver import LedgerMutation, LedgerQuery
from app.modules.tracking.resolver import TrackingMutation

CACHED_DOCUMENTS = 256


@strawberry.type(description="What analysts and frontends ask. Needs a read or admin key.")
class Query(
    AnalyticsQuery,
    AuditQuery,
    BehaviourQuery,
    EngagementQuery,
    ExperimentsQuery,
    ItemsQuery,
    LedgerQuery,
    PerformanceScoreQuery,
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
class Mutation(ItemsMutation, LedgerMutation, TrackingMutation, SitesMutation):
    pass


@strawberry.type(
    description="What is sent as it happens, over graphql-transport-ws on the same path. Needs a read "
    "or admin key, and ends when the key is revoked."
)
class Subscription(RealtimeSubscription):
    pass


class CachedParser(ParserCache):
    """Strawberry's cache of parsed queries, whose syntax errors end as any other error does."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        with suppress(GraphQLError):  # Strawberry parses it once more, and handles the error
            context.graphql_document = self.cached_parse_document(
                context.query, **context.parse_options
            )
        yield


class Schema(strawberry.Schema):
    """Strawberry's schema, which would log every error with the values in it and hand it to the client."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Make the errors, in their place, what clients may see. All of them come by here."""
        errors[:] = [shape(error) for error in errors]


def build_schema() -> Schema:
    """The whole API."""
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            lambda: CachedParser(maxsize=CACHED_DOCUMENTS),
            lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        ],
    )
