"""What Strawberry's handler of graphql-transport-ws leaves open: bounds, shapes, who asks."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from copy import copy
from typing import Any, Protocol, cast

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnected as SentAfterCloseError
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
from app.core.errors import ForbiddenError, LimitExceededError, UnavailableError
from app.core.graphql_errors import shape
from app.core.schema import Schema
from app.http.gate import TOO_BUSY, Places
from app.http.socket_keys import watch_key
from app.modules.tracking.unreadable import set_unreadable_events_aside

# Queries, mutations and subscriptions that may be under way on one connection.
MAX_OPERATIONS = 50
# How long a new connection may wait before it says connection_init.
INIT_SECONDS = 3.0
MAX_ID_LENGTH = 128
LONGEST_REASON = 120  # of a close: a frame has room for 123 bytes

# Close codes: of WebSocket itself "try again later", the others of graphql-transport-ws.
TRY_AGAIN = 1013
FORBIDDEN = 4403
TAKEN = 4409

_TYPES = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})


class KnowsWhoAsks(Protocol):
    """What the handler needs of the socket that it is of."""

    places: Places

    async def identify(self, context: Context) -> None:
        """Find out who asks."""


class SocketHandler(BaseGraphQLTransportWSHandler[Any, None]):
    """One connection."""

    key_watch: asyncio.Task[None] | None = None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # Operations that have a place of those that may be under way in the process.
        self._working: set[Operation[Any, None]] = set()

    async def shutdown(self) -> None:
        if self.key_watch is not None:
            self.key_watch.cancel()
            await asyncio.wait([self.key_watch])
        await super().shutdown()

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
            if self.connection_acknowledged and self.key_watch is None:
                self.key_watch = watch_key(self.websocket, self.context)
        except ForbiddenError as refusal:
            await self.websocket.close(code=FORBIDDEN, reason=str(refusal)[:LONGEST_REASON])
        except Exception as error:
            shaped = shape(GraphQLError("", original_error=error))
            await self.websocket.close(code=TRY_AGAIN, reason=shaped.message[:LONGEST_REASON])

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged:
            if message["id"] in self.operations:
                await self.websocket.close(code=TAKEN, reason="An operation has this id already")
                return
            try:
                _check_room(len(self.operations))
                await self._socket.identify(self.context)
            except Exception as error:
                await self._refuse(message["id"], error)
                return
        await super().handle_subscribe(message)

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        # A client that goes away while something is sent to it is nothing to be logged.
        with contextlib.suppress(WebSocketDisconnected):
            if not self._socket.places.take():
                busy = GraphQLError("", original_error=UnavailableError(TOO_BUSY))
                await operation.send_initial_errors([shape(busy)])
                return
            self._working.add(operation)
            try:
                await super().run_operation(operation)
            finally:
                self._give_place_back(operation)

    async def send_message(self, message: Message) -> None:
        try:
            await super().send_message(message)
        except (
            SentAfterCloseError
        ):  # an operation under way when another message ended the connection
            raise WebSocketDisconnected from None

    async def _send_result_stream(self, operation: Operation[Any, None], answers: Any) -> None:
        async with contextlib.AsyncExitStack() as opened:
            first = await anext(answers, None)
            again = None if first is None else await self._without_unreadable(operation, first)
            if again is not None:
                answers = await opened.enter_async_context(contextlib.aclosing(again))
                first = await anext(answers, None)
            # Sending, and what a subscription does from now on, have bounds of their own.
            self._give_place_back(operation)
            results = contextlib.aclosing(_one_and_others(first, answers))
            await super()._send_result_stream(operation, await opened.enter_async_context(results))

    async def _without_unreadable(self, operation: Operation[Any, None], first: Any) -> Any:
        """The answers to a batch without the events that GraphQL cannot read; None where there are none.

        As over HTTP: nothing has run when variables cannot be coerced. What is noted of the events is
        of this operation alone, and not of others on the connection.
        """
        schema = cast("Schema", self.schema)
        document = schema.documents.valid(operation.query)
        if not first.errors or first.data is not None or not operation.variables or not document:
            return None
        context = copy(self.context)
        context.unreadable_events = {}
        variables = set_unreadable_events_aside(schema, document, operation.variables, context)
        if variables is None:
            return None
        return await schema.stream(
            operation.query,
            variable_values=variables,
            context_value=context,
            operation_name=operation.operation_name,
        )

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    @property
    def _socket(self) -> "KnowsWhoAsks":
        return cast("KnowsWhoAsks", self.view)

    def _give_place_back(self, operation: Operation[Any, None]) -> None:
        if operation in self._working:
            self._working.remove(operation)
            self._socket.places.give_back()

    async def _refuse(self, operation_id: str, error: Exception) -> None:
        shaped = shape(GraphQLError("", original_error=error))
        await self.send_message(
            {"id": operation_id, "type": "error", "payload": [shaped.formatted]}
        )


async def _one_and_others(one: Any, others: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
    if one is not None:
        yield one
    async for other in others:
        yield other


def _check_room(operations: int) -> None:
    if operations >= MAX_OPERATIONS:
        raise LimitExceededError(f"A connection may have {MAX_OPERATIONS} operations at once.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_ID_LENGTH


def _complaint(message: Any) -> str | None:
    """What is wrong with the shape of a message; None for nothing."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message must be an object with a type"
    if message["type"] not in _TYPES:
        return "There are no messages of this type"
    if message["type"] in ("subscribe", "complete") and not _is_id(message.get("id")):
        return f"id must be a string of 1 to {MAX_ID_LENGTH} characters"
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
