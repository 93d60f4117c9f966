"""Reading the request: bounded in bytes, in time, and in what all requests together may hold."""

import asyncio
from typing import Any

from starlette.requests import Request

from app.core.errors import ErrorCode
from app.core.json_text import read_json
from app.http.refusals import JSON, RefusedRequestError, too_busy
from app.http.requests import RequestHeaders

MAX_CALL_BYTES = 256 * 1024
MAX_BATCH_BYTES = 5 * 1024 * 1024
# What a process holds of bodies at once: as JSON they take some ten times as much.
MAX_BYTES_AT_ONCE = 64 * 1024 * 1024

# A browser asks the server before it sends one of these to another origin, so that no page can make a
# visitor's browser ask in its place.
_NOT_SIMPLE = (
    "authorization", "x-api-key", "x-requested-with", "apollo-require-preflight",
    "x-apollo-operation-name", "graphql-require-preflight",
)  # fmt: skip


class Room:
    """Bytes of bodies that are held while their requests are answered."""

    def __init__(self, most: int = MAX_BYTES_AT_ONCE) -> None:
        self._free = most

    def share(self) -> "Share":
        """What one request takes of the room, and gives back in the end."""
        return Share(self)

    def take(self, size: int) -> None:
        if size > self._free:
            raise too_busy("Too many large requests are under way. Try again.")
        self._free -= size

    def give_back(self, size: int) -> None:
        self._free += size


class Share:
    """The room that one request has taken, until the block that it is made for is left."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def take(self, size: int) -> None:
        self._room.take(size)
        self.taken += size

    def __enter__(self) -> "Share":
        return self

    def __exit__(self, *_: object) -> None:
        self._room.give_back(self.taken)


async def read_body(request: Request, share: Share, most: int, seconds: float) -> bytes:
    """The body of a POST, of at most so many bytes that come within so many seconds."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                share.take(len(chunk))
                body += chunk
                if len(body) > most:
                    raise too_large(most)
    except TimeoutError:
        raise RefusedRequestError(
            408,
            f"The body did not arrive within {seconds:g} seconds.",
            ErrorCode.LIMIT_EXCEEDED,
            {"Connection": "close"},
        ) from None
    return bytes(body)


def too_large(most: int) -> RefusedRequestError:
    return RefusedRequestError(
        413, f"The body has more than {most} bytes.", ErrorCode.LIMIT_EXCEEDED
    )


def check_media_type(headers: RequestHeaders) -> None:
    """Raises RefusedRequestError for a body that says that it is something else than JSON in UTF-8."""
    content_type, _, parameters = (headers.get("content-type") or "").partition(";")
    if content_type.strip().lower() != JSON:
        raise RefusedRequestError(415, "Content-Type must be application/json.")
    name, _, charset = parameters.strip().lower().partition("=")
    if name == "charset" and charset.strip('"') not in ("utf-8", "utf8"):
        raise RefusedRequestError(415, "The body must be encoded in UTF-8.")
    if headers.get("content-encoding") not in (None, "identity"):
        raise RefusedRequestError(415, "Content-Encoding is not supported; send the body as it is.")


def operation_from_body(body: bytes) -> dict[str, Any]:
    """The operation that a body is."""
    return _checked(_decode(body, "The body"))


def operation_from_address(request: Request) -> dict[str, Any]:
    """The operation in the query string of a GET."""
    headers = request.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON and not any(name in headers for name in _NOT_SIMPLE):
        raise RefusedRequestError(
            400,
            "A query by GET needs a header such as Authorization, X-API-Key or X-Requested-With.",
        )
    operation: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if operation.get(name):
            operation[name] = _decode(operation[name].encode("utf-8", "surrogatepass"), name)
    return _checked(operation)


def _decode(text: bytes, what: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        raise RefusedRequestError(400, f"{what} is not valid JSON.") from None


def _checked(operation: Any) -> dict[str, Any]:
    if not isinstance(operation, dict):
        raise RefusedRequestError(400, "The body must be a JSON object with a 'query'.")
    if not isinstance(operation.get("query"), str) or not operation["query"].strip():
        raise RefusedRequestError(400, "query: is needed and must be a string.")
    if not _is_unicode(operation["query"]):
        raise RefusedRequestError(400, "query: must be text in Unicode.")
    for name, kind in (("variables", dict), ("operationName", str), ("extensions", dict)):
        value = operation.get(name)
        if value is not None and not isinstance(value, kind):
            what = "a string" if kind is str else "an object"
            raise RefusedRequestError(400, f"{name}: must be {what}.")
    return operation


def _is_unicode(text: str) -> bool:
    """Whether no half of a character (a lone surrogate) is in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
