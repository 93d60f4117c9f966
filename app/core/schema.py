"""Strawberry's schema, with bounds on documents and with errors that repeat nothing."""

from typing import Any

import strawberry
from graphql import GraphQLError, OperationType
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionContext

from app.core.auth import Scope
from app.core.documents import CheckedDocuments, Documents, may_read
from app.core.graphql_errors import shape
from app.core.limits import Limits
from app.core.permissions import Needs


class Schema(strawberry.Schema):
    """Strawberry's own would log every error with the values in it and hand it to the client."""

    def __init__(self, limits: Limits, **definition: Any) -> None:
        super().__init__(
            extensions=[lambda: CheckedDocuments(self.documents)],
            **definition,
        )
        self.documents = Documents(
            self._schema,
            self._scopes(),
            limits,
            rules=(MaybeNullValidationRule, OneOfInputValidationRule),
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Make the errors, in their place, what clients may see. All of them come by here."""
        context = execution_context.context if execution_context else None
        suggests = may_read(getattr(context, "principal", None))
        errors[:] = [shape(error, suggests=suggests) for error in errors]

    def _scopes(self) -> dict[OperationType, dict[str, Scope]]:
        """The scope that each root field needs."""
        roots = {
            OperationType.QUERY: self.query,
            OperationType.MUTATION: self.mutation,
            OperationType.SUBSCRIPTION: self.subscription,
        }
        name_of = self.config.name_converter.get_graphql_name
        return {
            operation: {
                name_of(field): extension.scope
                for field in root.__strawberry_definition__.fields  # type: ignore[attr-defined]
                for extension in field.extensions
                if isinstance(extension, Needs)
            }
            for operation, root in roots.items()
            if root is not None
        }
