"""What of an error a client gets to see: a code, and a message that repeats none of the values sent."""

import logging
import re
import secrets

from graphql import GraphQLError

from app.core.database import is_unavailable
from app.core.errors import ErrorCode, FootfallError, UnavailableError

logger = logging.getLogger("footfall.errors")

# graphql-core's message for a variable that it could not coerce: its name, the place inside, why.
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at ([^:]*))?: (.*)", re.DOTALL)
# The places in its messages behind which the value itself follows, and what to say instead.
_ECHOES = (
    (re.compile(r"( cannot represent [^:]*value): .*", re.DOTALL), r"\1."),
    (re.compile(r", found:? .*", re.DOTALL), "."),
    (re.compile(r"Value '.*' does not exist in '(\w+)' enum.*", re.DOTALL), r"Not a value of \1."),
    (re.compile(r"(Syntax Error: .*?(?:String|Int|Float)) ['\"].*", re.DOTALL), r"\1."),
)
_LONGEST_MESSAGE = 500


def shape(error: GraphQLError) -> GraphQLError:
    """The error as the client sees it."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if cause is None or isinstance(cause, GraphQLError):
        message, extensions = _request_error(error.message)
        return _with(error, message, extensions)
    if isinstance(cause, FootfallError):
        return _with(error, str(cause), cause.extensions)
    if is_unavailable(cause):
        logger.warning("the database is away: %s", type(cause).__name__)
        away = UnavailableError()
        return _with(error, str(away), away.extensions)
    reference = secrets.token_hex(4)
    logger.error("internal error %s", reference, exc_info=cause)
    return _with(
        error,
        f"Something went wrong here. The server's log has it under {reference}.",
        {"code": ErrorCode.INTERNAL.value},
    )


def _with(error: GraphQLError, message: str, extensions: dict[str, str]) -> GraphQLError:
    return GraphQLError(
        message, nodes=error.nodes, source=error.source, positions=error.positions,
        path=error.path, extensions=dict(extensions),
    )  # fmt: skip


def _request_error(message: str) -> tuple[str, dict[str, str]]:
    """Message and extensions for a request that GraphQL itself refused."""
    extensions = {"code": ErrorCode.BAD_USER_INPUT.value}
    match = _VARIABLE.match(message)
    if match:
        variable, place, why = match.groups()
        field = variable + (place or "")
        extensions["field"] = field
        return f"{field}: {without_values(why)}", extensions
    return without_values(message), extensions


def without_values(message: str) -> str:
    """graphql-core's message up to where it would repeat the value."""
    for echo, replacement in _ECHOES:
        message = echo.sub(replacement, message)
    return message[:_LONGEST_MESSAGE]
