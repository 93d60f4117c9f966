"""The modules' queries and mutations become one schema."""

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from app.core.graphql_errors import ErrorShape
from app.core.scalars import SCALARS
from app.modules.analytics.resolver import AnalyticsQuery
from app.modules.audit.resolver import AuditQuery
from app.modules.items.resolver import ItemsMutation, ItemsQuery
from app.modules.sites.resolver import SitesMutation, SitesQuery
from app.modules.tracking.ledger_resolver import LedgerMutation, LedgerQuery
from app.modules.tracking.resolver import TrackingMutation

CACHED_DOCUMENTS = 256


@strawberry.type(description="What analysts and frontends ask. Needs a read or admin key.")
class Query(AnalyticsQuery, AuditQuery, ItemsQuery, LedgerQuery, SitesQuery):
    pass


@strawberry.type(
    description="What is tracked (write or admin key) and what admins change (admin key)."
)
class Mutation(ItemsMutation, LedgerMutation, TrackingMutation, SitesMutation):
    pass


class Schema(strawberry.Schema):
    """Strawberry's schema, which logs every error with the values in it; ours logs in ErrorShape."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        return None


def build_schema() -> Schema:
    """The whole API."""
    return Schema(
        query=Query,
        mutation=Mutation,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            ErrorShape,
            lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
            lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        ],
    )
