"""What Strawberry's handler of graphql-transport-ws leaves open: bounds, shapes, who asks."""

import contextlib
from typing import Any, Protocol, cast

from graphql import GraphQLError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from app.core.context import Context
from app.core.errors import LimitExceededError
from app.core.graphql_errors import shape

# Queries, mutations and subscriptions that may be under way on one connection.
MAX_OPERATIONS = 50
TRY_AGAIN = 1013  # the close code for "try again later"


class KnowsWhoAsks(Protocol):
    """What the handler needs of the socket that it is of."""

    async def identify(self, context: Context) -> None:
        """Find out who asks."""


class SocketHandler(BaseGraphQLTransportWSHandler[Any, None]):
    """One connection."""

    async def handle_message(self, message: Message) -> None:
        complaint = _complaint(message)
        if complaint is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(complaint)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        # Some clients send null where there is nothing to say.
        if message.get("payload", {}) is None:
            message["payload"] = {}
        try:
            await super().handle_connection_init(message)
        except Exception as error:
            shaped = shape(GraphQLError("", original_error=error))
            await self.websocket.close(code=TRY_AGAIN, reason=shaped.message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged and message["id"] not in self.operations:
            try:
                _check_room(len(self.operations))
                await cast("KnowsWhoAsks", self.view).identify(self.context)
            except Exception as error:
                await self._refuse(message["id"], error)
                return
        await super().handle_subscribe(message)

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        # A client that goes away while something is sent to it is nothing to be logged.
        with contextlib.suppress(WebSocketDisconnected):
            await super().run_operation(operation)

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def _refuse(self, operation_id: str, error: Exception) -> None:
        shaped = shape(GraphQLError("", original_error=error))
        await self.send_message(
            {"id": operation_id, "type": "error", "payload": [shaped.formatted]}
        )


def _check_room(operations: int) -> None:
    if operations >= MAX_OPERATIONS:
        raise LimitExceededError(f"A connection may have {MAX_OPERATIONS} operations at once.")


def _complaint(message: Any) -> str | None:
    """What is wrong with the shape of a message; None for nothing."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message must be an object with a type"
    if message["type"] in ("subscribe", "complete") and not isinstance(message.get("id"), str):
        return "id must be a string"
    if message["type"] != "subscribe":
        return None
    payload = message.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return "payload must be an object with a query"
    if not isinstance(payload.get("variables"), dict | None):
        return "variables must be an object"
    if not isinstance(payload.get("operationName"), str | None):
        return "operationName must be a string"
    return None
