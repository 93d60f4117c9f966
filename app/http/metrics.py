"""Numbers for Prometheus. They are of all sites, so that they have a token of their own."""

import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.core.config import Settings
from app.core.database import deadline, is_unavailable
from app.core.telemetry import exposition
from app.http.requests import key_of


async def metrics(request: Request) -> Response:
    """The numbers, for who has FOOTFALL_METRICS_TOKEN as bearer token; without one there are none."""
    settings: Settings = request.app.state.settings
    given = key_of(request.headers.get("authorization"), None)
    if settings.metrics_token is None:
        return PlainTextResponse("Set FOOTFALL_METRICS_TOKEN to have metrics.", 404)
    token = settings.metrics_token.get_secret_value()
    if given is None or not secrets.compare_digest(given.encode(), token.encode()):
        return PlainTextResponse("The metrics token is needed, as 'Authorization: Bearer'.", 401)
    await _measure(request)
    body, media_type = exposition()
    return Response(body, media_type=media_type)


async def _measure(request: Request) -> None:
    """Bring the numbers of the database up to date; without a database they stay what they were."""
    state = request.app.state
    if not state.started.is_set():
        return
    try:
        with deadline():
            await state.services.backlog.measure()
    except Exception as error:
        if not is_unavailable(error):
            raise
