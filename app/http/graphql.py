"""GraphQL over HTTP and WebSocket at /graphql.

Plain Strawberry's view answers some bodies with 500 and knows one media type; this one reads the
body itself, bounded (bodies.py), and hands the operation to the schema.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from json import JSONDecodeError
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UnsetType

from app.core.auth import Scope
from app.core.context import Context
from app.core.errors import ErrorCode, FootfallError
from app.core.graphql_errors import shape
from app.core.json_text import read_json
from app.core.schema import Schema
from app.http.bodies import (
    MAX_BATCH_BYTES,
    MAX_CALL_BYTES,
    Room,
    Share,
    check_media_type,
    operation_from_address,
    operation_from_body,
    read_body,
    too_large,
)
from app.http.gate import Places
from app.http.origins import Origins
from app.http.pages import graphiql_page
from app.http.refusals import (
    JSON,
    RESPONSE_JSON,
    RefusedRequestError,
    headers_of,
    status_of,
    too_busy,
)
from app.http.replies import Reply
from app.http.requests import Caller
from app.http.socket_handler import INIT_SECONDS, SocketHandler
from app.modules.tracking.known_operations.service import KnownOperations
from app.modules.tracking.unreadable import set_unreadable_events_aside

MUTATIONS_TOO = frozenset({OperationType.QUERY, OperationType.MUTATION})
QUERIES_ONLY = frozenset({OperationType.QUERY})
METHODS = ("GET", "HEAD", "POST")
# The mutation whose body may be larger than others'.
BATCH = "trackBatch"

# The data of an answer and its errors.
Answer = tuple[Any, list[GraphQLError] | None]
ContextFactory = Callable[[Caller, Mapping[str, object]], Awaitable[Context]]


class GraphQLEndpoint:
    """Answers POST and GET; a browser's GET gets GraphiQL."""

    def __init__(self, schema: Schema, context_for: ContextFactory, body_seconds: float) -> None:
        self._schema = schema
        self._context_for = context_for
        self._body_seconds = body_seconds
        self._room = Room()
        self._known = KnownOperations(schema)

    async def answer(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if request.method in ("GET", "HEAD") and _wants_page(request, accept):
            return graphiql_page()
        try:
            return (
                await self._replied(accept, lambda share: self._answer(request, share))
            ).response()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    async def answer_whole(self, caller: Caller, body: bytes) -> Reply:
        """What is answered to a POST whose body is there, and is no larger than any call's may be."""
        accept = caller.headers.get("accept") or ""
        return await self._replied(accept, lambda share: self._answer_whole(caller, body, share))

    async def _replied(self, accept: str, answer: Callable[[Share], Awaitable[Answer]]) -> Reply:
        """An answer, or why there is none, in the media type that is wanted."""
        media_type = RESPONSE_JSON if prefers_response_json(accept) else JSON
        try:
            with self._room.share() as share:
                return _result(await answer(share), media_type)
        except RefusedRequestError as refusal:
            return refusal.reply(media_type)
        except FootfallError as error:
            return RefusedRequestError.of(error).reply(media_type)
        except ClientDisconnect:
            raise
        except Exception as error:
            return _refusal_of(error).reply(media_type)

    async def _answer(self, request: Request, share: Share) -> Answer:
        if request.method not in METHODS:
            raise RefusedRequestError(
                405, "Use POST, or GET for queries.", headers={"Allow": ", ".join(METHODS)}
            )
        # Who asks is known by the headers alone, and decides how large the body may be.
        context = await self._context_for(request, {})
        if request.method != "POST":
            operation = operation_from_address(request)
            return await self._execute(operation, context, QUERIES_ONLY)
        tracks = context.principal is not None and context.principal.allows(Scope.WRITE)
        most = MAX_BATCH_BYTES if tracks else MAX_CALL_BYTES
        check_media_type(request.headers)
        body = await read_body(request, share, most, self._body_seconds)
        return await self._answer_body(body, context)

    async def _answer_whole(self, caller: Caller, body: bytes, share: Share) -> Answer:
        context = await self._context_for(caller, {})
        check_media_type(caller.headers)
        share.take(len(body))
        return await self._answer_body(body, context)

    async def _answer_body(self, body: bytes, context: Context) -> Answer:
        operation = operation_from_body(body)
        if len(body) > MAX_CALL_BYTES and BATCH not in self._schema.documents.root_fields(
            operation["query"], operation.get("operationName")
        ):
            raise too_large(MAX_CALL_BYTES)
        answer = await self._known.answer(operation, context)
        if answer is None:
            answer = await self._execute(operation, context, MUTATIONS_TOO)
            if not answer[1]:
                self._known.learn(operation)
        return answer

    async def _execute(
        self, operation: Mapping[str, Any], context: Context, allowed: frozenset[OperationType]
    ) -> Answer:
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
                raise RefusedRequestError(
                    405, "Mutations are sent with POST.", headers={"Allow": "POST"}
                ) from None
            # A batch with events that GraphQL cannot read is run once more without them: one bad
            # event must not sink the others. Nothing has run when variables cannot be coerced.
            if attempt == 1 and result.errors and result.data is None and variables:
                document = self._schema.documents.valid(query)
                mended = document and set_unreadable_events_aside(
                    self._schema, document, variables, context
                )
                if mended is not None:
                    variables = mended
                    continue
            break
        return result.data, result.errors


def _wants_page(request: Request, accept: str) -> bool:
    """Whether this is a browser that goes to the address, rather than a program that asks."""
    if "text/html" in accept:
        return True
    return accept in ("", "*/*") and "query" not in request.query_params


@lru_cache(256)
def prefers_response_json(accept: str) -> bool:
    """Whether the newer media type is named, and not after the older one."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[name] = _weight(parameters)
    return weights.get(RESPONSE_JSON, 0) > 0 and weights[RESPONSE_JSON] >= weights.get(JSON, 0)


def _weight(parameters: Iterable[str]) -> float:
    """How much a media type is wanted, from its parameter q."""
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0
    return 1


def _refusal_of(error: Exception) -> RefusedRequestError:
    """What is answered when something fails before an operation runs."""
    shaped = shape(GraphQLError("", original_error=error))
    code = _code_of(shaped)
    status = status_of(code)
    return RefusedRequestError(status, shaped.message, code, headers_of(status))


def _code_of(shaped: GraphQLError) -> ErrorCode:
    return ErrorCode((shaped.extensions or {})["code"])


def _result(answer: Answer, media_type: str) -> Reply:
    data, errors = answer
    if not errors:
        return Reply(200, orjson.dumps({"data": data}), media_type)
    formatted = [error.formatted for error in errors]
    if data is not None or not _is_request_error(errors):
        return Reply(200, orjson.dumps({"errors": formatted, "data": data}), media_type)
    # Clients of the older media type take any status but 200 for a broken server.
    status = 200
    if media_type == RESPONSE_JSON:
        status = status_of(_code_of(errors[0]))
    body = orjson.dumps({"errors": formatted})
    return Reply(status, body, media_type, headers_of(status))


def _is_request_error(errors: list[GraphQLError]) -> bool:
    """Whether the operation was refused before it ran: its errors have no path in the answer."""
    return all(error.path is None for error in errors)


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

    def __init__(
        self,
        schema: Schema,
        context_for: ContextFactory,
        pages: Origins,
        places: Places,
        most: int,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            max_subscriptions_per_connection=None,  # SocketHandler has a bound of its own
            allowed_origins=("*",),  # sites and keys allow origins: see on_ws_connect
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
        )
        self._context_for = context_for
        self._pages = pages
        self.places = places
        self._most = most
        self._open = 0

    async def connect(self, websocket: WebSocket) -> None:
        """Answers 503 instead of connecting where as many are open as may be."""
        if self._open >= self._most:
            refusal = too_busy("Too many connections are open. Try again.")
            await websocket.send_denial_response(refusal.reply().response())
            return
        self._open += 1
        try:
            await self.run(websocket)
        finally:
            self._open -= 1

    async def get_context(self, request: Any, response: Any) -> SocketContext:
        return SocketContext(services={}, connection=request)

    def decode_json(self, data: str | bytes) -> object:
        """As the body of a request is read; what is no JSON closes the connection."""
        text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        try:
            return read_json(text)
        except ValueError as error:
            raise JSONDecodeError(str(error), "", 0) from None

    async def on_ws_connect(self, context: SocketContext) -> UnsetType:
        """Raises ForbiddenError for a page of an origin that the key, or any key, may not be used from."""
        if context.connection is not None:
            await self._pages.check(context.connection)
        await self.identify(context)
        if context.principal is not None and context.principal.forbidden:
            raise context.principal.forbidden
        return UnsetType()

    async def identify(self, context: SocketContext) -> None:
        """Find out who asks. Before every operation: a connection may outlive its key."""
        if context.connection is not None:
            known = await self._context_for(context.connection, context.connection_params)
            context.services = known.services
            context.principal = known.principal
            context.request = known.request
