"""The least that a Python server can do: read the request, answer a constant of the same size."""

from typing import Any

import orjson

_RESULT = {
    "verdict": "ACCEPTED",
    "eventId": "2b6d3c1e-7f0a-4a6e-9a54-0d8f3f1c5b7e",
    "reason": None,
    "message": None,
}
ANSWER = orjson.dumps({"data": {"trackImpression": _RESULT}})
_HEADERS = [
    (b"content-length", str(len(ANSWER)).encode()),
    (b"content-type", b"application/json"),
]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
