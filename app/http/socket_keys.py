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
UNAUTHORIZED = 4401  # of graphql-transport-ws; clients do not connect again with the same key


def watch_key(websocket: AsyncWebSocketAdapter, context: Context) -> asyncio.Task[None] | None:
    """Close the connection when the key is revoked or has expired; None where it has no key."""
    principal = context.principal
    if principal is None:
        return None
    watch = KeyWatch(context.get(KeyCheck), principal, CHECK_SECONDS)
    return asyncio.create_task(_close_in_the_end(websocket, watch))


async def _close_in_the_end(websocket: AsyncWebSocketAdapter, watch: KeyWatch) -> None:
    try:
        await watch.sleep(math.inf)
    except UnauthenticatedError as error:
        with contextlib.suppress(WebSocketDisconnected, RuntimeError):  # it has gone by itself
            await websocket.close(code=UNAUTHORIZED, reason=str(error))
