"""Answers known operations, and gets to know them."""

from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache
from graphql import GraphQLError, parse
from strawberry import Schema

from app.core.auth import Scope, require
from app.core.context import Context
from app.core.errors import FootfallError
from app.core.graphql_errors import shape
from app.modules.tracking.known_operations.plan import Plan, plan_of
from app.modules.tracking.known_operations.reading import InputReader, UnsureError
from app.modules.tracking.service import TrackingService

MAX_KNOWN = 256
LONGEST_DOCUMENT = 4_096  # characters; a tracking mutation has some hundred

# The data of an answer and its errors, as GraphQL gives them.
Answer = tuple[dict[str, Any] | None, list[GraphQLError] | None]


class KnownOperations:
    """Knows the tracking operations that GraphQL has answered, by the text of their documents."""

    def __init__(self, schema: Schema) -> None:
        self._reader = InputReader(schema._schema)
        # None: it is another kind of operation, and need not be looked at again.
        self._plans: LRUCache[str, Plan | None] = LRUCache(MAX_KNOWN)

    async def answer(self, operation: Mapping[str, Any], context: Context) -> Answer | None:
        """What GraphQL would answer; None where GraphQL has to be asked, and nothing has been done."""
        plan = self._plans.get(operation["query"])
        if plan is None or operation.get("operationName") not in (None, plan.name):
            return None
        variables = operation.get("variables")
        if not isinstance(variables, dict) or plan.variable not in variables:
            return None
        try:
            principal = require(context.principal, Scope.WRITE)
            events, batch = self._reader.read(plan, variables[plan.variable])
        except (FootfallError, UnsureError):
            return None
        service = context.get(TrackingService)
        try:
            outcomes = await service.ingest(events, principal, context.request, batch)
        except Exception as error:
            return None, [_shaped(error, plan)]
        return plan.answer(outcomes), None

    def learn(self, operation: Mapping[str, Any]) -> None:
        """Note an operation that GraphQL has just answered without an error."""
        text = operation["query"]
        if len(text) <= LONGEST_DOCUMENT and text not in self._plans:
            self._plans[text] = plan_of(parse(text))


def _shaped(error: Exception, plan: Plan) -> GraphQLError:
    """The error as GraphQL has it when the mutation raises it."""
    return shape(GraphQLError(str(error), nodes=[plan.node], path=[plan.key], original_error=error))
