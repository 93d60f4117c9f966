"""Whether the process lives, and whether it can take events."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from app.core.database import ping

AWAY = "The database cannot be reached or takes no writes."


async def live(request: Request) -> JSONResponse:
    """200 while the process lives."""
    return JSONResponse({"status": "live"})


async def _shared_ping(state: Any) -> bool:
    """Whether the database answers. However many ask at once, it is asked once."""
    if getattr(state, "pinging", None) is None or state.pinging.done():
        state.pinging = asyncio.create_task(ping(state.client))
    answer: bool = await asyncio.shield(state.pinging)
    return answer


async def ready(request: Request) -> JSONResponse:
    """200 when events can be taken, 503 when the database cannot be reached or takes no writes."""
    state = request.app.state
    if state.started.is_set() and await _shared_ping(state):
        return JSONResponse({"status": "ready"})
    return JSONResponse(
        {"status": "unavailable", "reason": AWAY if state.started.is_set() else state.problem},
        status_code=503,
        headers={"Retry-After": "5"},
    )
