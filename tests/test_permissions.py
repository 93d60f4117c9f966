"""Every root field says which scope it needs."""

from app.api import build_schema
from app.core.auth import Scope
from app.core.permissions import Needs

TRACKING = {"trackBatch", "trackEvent"}


def test_every_root_field_needs_a_scope() -> None:
    """Queries and subscriptions need read, tracking mutations write, all other mutations admin: a new
    field without fails."""
    schema = build_schema()
    wrong = []
    roots = {
        "Query": schema.query,
        "Mutation": schema.mutation,
        "Subscription": schema.subscription,
    }
    for root, definition in roots.items():
        for field in definition.__strawberry_definition__.fields:
            name = schema.config.name_converter.get_graphql_name(field)
            scopes = [e.scope for e in field.extensions if isinstance(e, Needs)]
            expected = Scope.ADMIN if root == "Mutation" else Scope.READ
            if root == "Mutation" and name.startswith("track"):
                expected = Scope.WRITE
            if scopes != [expected]:
                wrong.append(f"{root}.{name}")
    assert not wrong
