"""Requests that came whole, headers and body in one piece, answered without ASGI in between.

Nearly every tracking call is one packet. What ASGI and its frameworks make of a request (a scope, an event
for its body, a dozen calls inside of each other, an answer in two parts) took longer than to read, check and
enrich the event in it. Whatever decides anything is shared with the general way: the places, the
origins, the endpoint, the headers. Every other request goes that way (connection.py).
"""

import asyncio
import logging
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from starlette.datastructures import Address
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from app.http.bodies import MAX_CALL_BYTES
from app.http.gate import FULL, Places
from app.http.graphql import GraphQLEndpoint
from app.http.origins import Origins, headers_for_page
from app.http.replies import Encoder, Reply

# Where the application's lifespan puts what answers them.
WHOLE_STATE = "whole_requests"
PATH, METHOD = b"/graphql", b"POST"
# Nobody waits for more of a request that is there.
_NOTHING_TO_COME = asyncio.Event()


class Headers:
    """Headers by their names, in any case; of those that are given twice the first."""

    def __init__(self, given: Sequence[tuple[bytes, bytes]]) -> None:
        self._given = given
        self._first = dict(reversed(given))

    def get(self, name: str) -> str | None:
        value = self._first.get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower().encode("latin-1") in self._first

    def getlist(self, name: str) -> list[str]:
        wanted = name.lower().encode("latin-1")
        return [value.decode("latin-1") for name, value in self._given if name == wanted]


class WholeRequest:
    """A request as the endpoint is given it."""

    __slots__ = ("body", "client", "headers", "scope")

    def __init__(self, client: tuple[str, int] | None, headers: Headers, body: bytes) -> None:
        self.client = None if client is None else Address(*client)
        self.headers = headers
        self.body = body
        self.scope: MutableMapping[str, Any] = {}


class WholeRequests:
    """Answers them. One for all connections of a process."""

    # What has more may need another bound, which depends on who asks.
    most_bytes = MAX_CALL_BYTES

    def __init__(self, endpoint: GraphQLEndpoint, places: Places, origins: Origins) -> None:
        self._endpoint = endpoint
        self._origins = origins
        self.places = places
        self.encoder = Encoder()

    async def answer(self, request: WholeRequest, *, has_place: bool) -> Reply:
        """What is answered; the place is given back. A page is told so that it can read it."""
        try:
            origin = request.headers.get("origin")
            allowed = None if origin is None else await self._origins.allowed(origin)
            reply = await self._endpoint.answer_whole(request, request.body) if has_place else FULL
        finally:
            if has_place:
                self.places.give_back()
        if origin is None:
            return reply
        said = headers_for_page(allowed, request.scope)
        return replace(reply, headers={**reply.headers, **said})


class Connection(Protocol):
    """What is asked of uvicorn's connection."""

    logger: logging.Logger
    transport: asyncio.Transport
    flow: FlowControl
    server_state: ServerState

    def on_response_complete(self) -> None: ...


class Exchange:
    """One such request and its answer. It stands where uvicorn has a RequestResponseCycle."""

    def __init__(
        self, connection: Connection, whole: WholeRequests, request: WholeRequest, has_place: bool
    ) -> None:
        self._connection = connection
        self._whole = whole
        self._request = request
        self._has_place = has_place
        self.message_event = _NOTHING_TO_COME
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False

    async def run_asgi(self, _: object) -> None:
        """Answer, and let the connection go on. What fails beyond every answer ends it, and is logged."""
        connection, request = self._connection, self._request
        # Whoever stays connected must not hold what was asked.
        del self._connection, self._request
        try:
            reply = await self._whole.answer(request, has_place=self._has_place)
            if connection.flow.write_paused and not self.disconnected:
                await connection.flow.drain()
        except BaseException:
            connection.logger.exception("A request was not answered")
            connection.transport.close()
            return
        self.response_complete = True
        if self.disconnected or connection.transport.is_closing():
            return
        closes = not self.keep_alive
        connection.transport.write(
            self._whole.encoder.encode(
                reply, connection.server_state.default_headers, closes=closes
            )
        )
        if closes:
            connection.transport.close()
        connection.on_response_complete()
