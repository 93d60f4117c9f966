"""What is answered to a request that never became a GraphQL operation."""

from collections.abc import Mapping

import orjson

from app.core.errors import ErrorCode, FootfallError
from app.http.replies import Reply

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"

# Seconds after which a client may try again, where there is no room or no database.
RETRY_SECONDS = 5

_STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.UNAVAILABLE: 503,
}


class RefusedRequestError(Exception):
    """A request that cannot be answered, with the HTTP status that says so."""

    def __init__(
        self,
        status: int,
        message: str,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: FootfallError) -> "RefusedRequestError":
        """The same error, where nothing was executed."""
        status = status_of(error.code)
        return cls(status, str(error), error.code, headers_of(status))

    def reply(self, media_type: str = JSON) -> Reply:
        error = {"message": str(self), "extensions": {"code": self.code.value}}
        return Reply(self.status, orjson.dumps({"errors": [error]}), media_type, self.headers)


def too_busy(message: str) -> RefusedRequestError:
    """503: nothing was done, and the same request may be answered in a moment."""
    return RefusedRequestError(503, message, ErrorCode.UNAVAILABLE, headers_of(503))


def status_of(code: ErrorCode) -> int:
    """The HTTP status of a request that was refused with this code before anything was executed."""
    return _STATUS.get(code, 400)


def headers_of(status: int) -> dict[str, str]:
    """The headers that belong to a status."""
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status in (429, 503):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {}
