"""Errors that a client may see. Each has one code; nothing else of an error ever leaves the process."""

from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """`extensions.code` of a GraphQL error."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class FootfallError(Exception):
    """An error with a message meant for the client: it names the field and never repeats the value."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message if field is None else f"{field}: {message}")
        self.field = field

    @property
    def extensions(self) -> dict[str, Any]:
        """What goes into the `extensions` of the GraphQL error."""
        extensions: dict[str, Any] = {"code": self.code.value}
        if self.field is not None:
            extensions["field"] = self.field
        return extensions


class UnauthenticatedError(FootfallError):
    """No key, or one that is not known."""

    code = ErrorCode.UNAUTHENTICATED


class ForbiddenError(FootfallError):
    """A key that may not do this."""

    code = ErrorCode.FORBIDDEN


class BadInputError(FootfallError):
    """A value that cannot be used; say which field and why: `BadInputError("must be positive", "limit")`."""

    code = ErrorCode.BAD_USER_INPUT


class NotFoundError(FootfallError):
    """There is no such thing on this site."""

    code = ErrorCode.NOT_FOUND


class ConflictError(FootfallError):
    """It is there already."""

    code = ErrorCode.CONFLICT


class LimitExceededError(FootfallError):
    """More than one request may ask for."""

    code = ErrorCode.LIMIT_EXCEEDED


class RateLimitedError(FootfallError):
    """Too many requests; try again after `retry_after` seconds."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, Any]:
        return super().extensions | {"retryAfter": self.retry_after}


class UnavailableError(FootfallError):
    """The database cannot be reached or is overloaded; nothing was done, try again."""

    code = ErrorCode.UNAVAILABLE

    def __init__(self, message: str = "The database cannot be reached. Try again.") -> None:
        super().__init__(message)
