"""GraphQL over HTTP and WebSocket at /graphql.

Plain Strawberry's view answers some bodies with 500 and knows one media type; this one reads the
body itself, bounded, and hands the operation to the schema.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UnsetType

from app.core.context import Context
from app.core.database import is_unavailable
from app.core.errors import ErrorCode, UnavailableError
from app.http.pages import graphiql_page
from app.http.socket_handler import SocketHandler
from app.modules.tracking.unreadable import set_unreadable_events_aside

MAX_BODY_BYTES = 5 * 1024 * 1024
JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
MUTATIONS_TOO = frozenset({OperationType.QUERY, OperationType.MUTATION})
QUERIES_ONLY = frozenset({OperationType.QUERY})

ContextFactory = Callable[[HTTPConnection, Mapping[str, object]], Awaitable[Context]]


class RefusedRequestError(Exception):
    """A request that never became a GraphQL operation."""

    def __init__(
        self, status: int, message: str, code: ErrorCode = ErrorCode.BAD_USER_INPUT
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class GraphQLEndpoint:
    """Answers POST and GET; a browser's GET without a query gets GraphiQL."""

    def __init__(self, schema: Schema, context_for: ContextFactory) -> None:
        self._schema = schema
        self._context_for = context_for

    async def answer(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        wants_page = "text/html" in accept or accept in ("", "*/*")
        if request.method == "GET" and "query" not in request.query_params and wants_page:
            return graphiql_page()
        media_type = RESPONSE_JSON if RESPONSE_JSON in accept else JSON
        try:
            if request.method == "GET":
                operation, allowed = _operation_from_address(request), QUERIES_ONLY
            else:
                operation, allowed = await _operation_from_body(request), MUTATIONS_TOO
            context = await self._context_for(request, {})
            data, errors = await self._execute(operation, context, allowed)
        except RefusedRequestError as refusal:
            headers = {"Allow": "POST"} if refusal.status == 405 else {}
            return _refusal(refusal.status, str(refusal), refusal.code, headers, media_type)
        except Exception as error:
            if not (isinstance(error, UnavailableError) or is_unavailable(error)):
                raise
            away = UnavailableError()
            return _refusal(503, str(away), away.code, {"Retry-After": "5"}, media_type)
        return _result(data, errors, media_type)

    async def _execute(
        self, operation: Mapping[str, Any], context: Context, allowed: frozenset[OperationType]
    ) -> tuple[Any, list[GraphQLError] | None]:
        query, variables = operation["query"], operation.get("variables")
        for attempt in (1, 2):
            try:
                result = await self._schema.execute(
                    query,
                    variable_values=variables,
                    context_value=context,
                    operation_name=operation.get("operationName"),
                    allowed_operation_types=allowed,
                )
            except (CannotGetOperationTypeError, MissingQueryError):
                raise RefusedRequestError(400, "There is no operation of this name.") from None
            except InvalidOperationTypeError as error:
                if error.operation_type is OperationType.SUBSCRIPTION:
                    raise RefusedRequestError(
                        400, "Subscriptions need a WebSocket, with graphql-transport-ws."
                    ) from None
                raise RefusedRequestError(405, "Mutations are sent with POST.") from None
            # A batch with events that GraphQL cannot read is run once more without them: one bad
            # event must not sink the others. Nothing has run when variables cannot be coerced.
            if attempt == 1 and result.errors and result.data is None and variables:
                mended = set_unreadable_events_aside(self._schema, query, variables, context)
                if mended is not None:
                    variables = mended
                    continue
            break
        return result.data, result.errors


def _refusal(
    status: int, message: str, code: ErrorCode, headers: dict[str, str], media_type: str
) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code.value}}]}
    return Response(orjson.dumps(body), status, headers, media_type)


def _result(data: Any, errors: list[GraphQLError] | None, media_type: str) -> Response:
    if not errors:
        return Response(orjson.dumps({"data": data}), media_type=media_type)
    formatted = [error.formatted for error in errors]
    if data is None and _is_request_error(errors):
        # Clients of the older media type take any status but 200 for a broken server.
        status = 400 if media_type == RESPONSE_JSON else 200
        return Response(orjson.dumps({"errors": formatted}), status, media_type=media_type)
    return Response(orjson.dumps({"errors": formatted, "data": data}), media_type=media_type)


def _is_request_error(errors: list[GraphQLError]) -> bool:
    """Whether the operation was refused before it ran: its errors have no path in the answer."""
    return all(error.path is None for error in errors)


def _operation_from_address(request: Request) -> dict[str, Any]:
    operation: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if operation.get(name):
            operation[name] = _decode(operation[name].encode("utf-8", "surrogatepass"), name)
    return _checked(operation)


async def _operation_from_body(request: Request) -> dict[str, Any]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise RefusedRequestError(415, "Content-Type must be application/json.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedRequestError(415, "Content-Encoding is not supported; send the body as it is.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RefusedRequestError(
                413, f"The body has more than {MAX_BODY_BYTES} bytes.", ErrorCode.LIMIT_EXCEEDED
            )
    return _checked(_decode(bytes(body), "The body"))


def _decode(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RefusedRequestError(400, f"{what} is not valid JSON.") from None


def _checked(operation: Any) -> dict[str, Any]:
    if not isinstance(operation, dict):
        raise RefusedRequestError(400, "The body must be a JSON object with a 'query'.")
    if not isinstance(operation.get("query"), str) or not operation["query"].strip():
        raise RefusedRequestError(400, "query: is needed and must be a string.")
    for name, kind in (("variables", dict), ("operationName", str), ("extensions", dict)):
        value = operation.get(name)
        if value is not None and not isinstance(value, kind):
            what = "a string" if kind is str else "an object"
            raise RefusedRequestError(400, f"{name}: must be {what}.")
    return operation


@dataclass(slots=True)
class SocketContext(Context):
    """A connection's context: who asks is known once connection_init has come."""

    connection: HTTPConnection | None = None
    connection_params: dict[str, object] = field(default_factory=dict)


class GraphQLSocket(GraphQL[SocketContext, None]):
    """The same schema over graphql-transport-ws, with subscriptions.

    The key comes in the connection_init payload, `{"Authorization": "Bearer KEY"}` or
    `{"X-API-Key": "KEY"}`, because a browser cannot set a header here; where one is set it counts.
    """

    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, schema: Schema, context_for: ContextFactory) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            max_subscriptions_per_connection=None,  # SocketHandler has a bound of its own
            allowed_origins=("*",),  # keys, not cookies, say who asks
        )
        self._context_for = context_for

    async def connect(self, websocket: WebSocket) -> None:
        await self.run(websocket)

    async def get_context(self, request: Any, response: Any) -> SocketContext:
        return SocketContext(services={}, connection=request)

    async def on_ws_connect(self, context: SocketContext) -> UnsetType:
        await self.identify(context)
        return UnsetType()

    async def identify(self, context: SocketContext) -> None:
        """Find out who asks. Before every operation: a connection may outlive its key."""
        if context.connection is not None:
            known = await self._context_for(context.connection, context.connection_params)
            context.services = known.services
            context.principal = known.principal
            context.request = known.request
