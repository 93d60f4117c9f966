"""Connections end when the key that they were made with does."""

import asyncio
import contextlib
import math

from strawberry.http.async_base_view import AsyncWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected

from app.core.context import Context
from app.core.errors import UnauthenticatedError
from app.core.ports import KeyCheck
from app.modules.analytics.realtime.key_watch import KeyWatch

# Ten seconds are promised. Subscriptions look more often, and mostly have told why before.
CHECK_SECONDS = 6.0
# Without a valid key nothing can be done: there is time to be told so, and not to stay.
KEYLESS_SECONDS = 5.0
UNAUTHORIZED = 4401  # of graphql-transport-ws; clients do not connect again with the same key


def watch_key(websocket: AsyncWebSocketAdapter, context: Context) -> asyncio.Task[None]:
    """Close the connection when the key is revoked or has expired, and soon where there is none."""
    return asyncio.create_task(_close_in_the_end(websocket, context))


async def _close_in_the_end(websocket: AsyncWebSocketAdapter, context: Context) -> None:
    try:
        await _key_ends(context)
    except UnauthenticatedError as error:
        with contextlib.suppress(WebSocketDisconnected, RuntimeError):  # it has gone by itself
            await websocket.close(code=UNAUTHORIZED, reason=str(error))


async def _key_ends(context: Context) -> None:
    """Raises UnauthenticatedError when it does."""
    if context.principal is None:
        await asyncio.sleep(KEYLESS_SECONDS)
        raise UnauthenticatedError("A valid API key is needed.")
    await KeyWatch(context.get(KeyCheck), context.principal, CHECK_SECONDS).sleep(math.inf)
