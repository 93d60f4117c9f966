"""Every root field says which scope it needs."""

from app.api import build_schema
from app.core.auth import Scope
from app.core.permissions import Needs

# Queries that show what only an admin may see.
ADMINS = {"keys", "adminActions", "exportVisitor", "erasures", "erasure"}
# What the instance's owner alone may do, on no site in particular.
OWNERS = {"sites", "createSite", "archiveSite", "restoreSite"}


def test_every_root_field_needs_a_scope() -> None:
    """Queries and subscriptions need read, tracking mutations write, all other mutations and some queries
    admin, and what is of no site the owner: a new field without fails."""
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
            if name in ADMINS:
                expected = Scope.ADMIN
            if name in OWNERS:
                expected = Scope.OWNER
            if scopes != [expected]:
                wrong.append(f"{root}.{name}")
    assert not wrong
