"""What of an error a client gets to see: a code, and a message that repeats none of the values sent."""

import logging
import re
import secrets
from typing import Any

from graphql import GraphQLError

from app.core.database import is_unavailable
from app.core.errors import ErrorCode, FootfallError, UnavailableError
from app.core.failures import log_failure

logger = logging.getLogger("footfall.errors")

# graphql-core's message for a variable that it could not coerce: its name, the place inside, why.
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at ([^:]*))?: (.*)", re.DOTALL)
# The places in its messages behind which the value itself follows, and what to say instead.
_ECHOES = (
    # A misspelt name is worth being told; what is no name at all may be anything.
    (
        re.compile(
            r"( unknown field '[_a-zA-Z]\w{0,60}')(?:\.( Did you mean [\w', ]+\?) Found|, found): .*",
            re.DOTALL | re.ASCII,
        ),
        r"\1.\2",
    ),
    (
        re.compile(r" unknown field (?!'\w{1,61}'\.(?:$| Did)).*", re.DOTALL | re.ASCII),
        " unknown fields.",
    ),
    (re.compile(r"( cannot represent [^:]*value): .*", re.DOTALL), r"\1."),
    (re.compile(r", found:? .*", re.DOTALL), "."),
    (re.compile(r"Value '.*' does not exist in '(\w+)' enum.*", re.DOTALL), r"Not a value of \1."),
    (re.compile(r", did you mean .*", re.DOTALL), "."),
    (re.compile(r"(Syntax Error: .*?(?:String|Int|Float)) ['\"].*", re.DOTALL), r"\1."),
)
# What it says of a document that is beyond one of its bounds, set in app/core/documents.py.
_TOO_MUCH = re.compile(
    r"Syntax Error: (?:(?:Document|Source) contains more than \d+ (?:tokens|comments|code points)"
    r"|Document is nested too deeply)\. Parsing aborted\.|Validation aborted\."
)
_SUGGESTION = re.compile(r" Did you mean .*\?", re.DOTALL)
_LONGEST_MESSAGE = 500
# A longer one repeats a value, and says at its beginning and its end what it has to say. The patterns
# take time with the square of what they are given.
_LONGEST_READ = 2_000


def shape(error: GraphQLError, *, suggests: bool = False) -> GraphQLError:
    """The error as the client sees it; one who may know the schema is told what else could be meant."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if cause is None or isinstance(cause, GraphQLError):
        message, extensions = _request_error(error.message)
        if not suggests:
            message = without_suggestions(message)
        return _with(error, message, extensions)
    if isinstance(cause, FootfallError):
        return _with(error, str(cause), cause.extensions)
    if is_unavailable(cause):
        logger.warning("the database is away: %s", type(cause).__name__)
        away = UnavailableError()
        return _with(error, str(away), away.extensions)
    reference = secrets.token_hex(4)
    log_failure(logger, f"internal error {reference}", cause)
    return _with(
        error,
        f"Something went wrong here. The server's log has it under {reference}.",
        {"code": ErrorCode.INTERNAL.value},
    )


def _with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message, nodes=error.nodes, source=error.source, positions=error.positions,
        path=error.path, extensions=dict(extensions),
    )  # fmt: skip


def _request_error(message: str) -> tuple[str, dict[str, str]]:
    """Message and extensions for a request that GraphQL itself refused."""
    message = _without_middle(message)
    if _TOO_MUCH.fullmatch(message):
        return message, {"code": ErrorCode.LIMIT_EXCEEDED.value}
    extensions = {"code": ErrorCode.BAD_USER_INPUT.value}
    match = _VARIABLE.match(message)
    if match:
        variable, place, why = match.groups()
        field = variable + (place or "")
        extensions["field"] = field
        return f"{field}: {without_values(why)}", extensions
    return without_values(message), extensions


def without_suggestions(message: str) -> str:
    """graphql-core's message without the names that it proposes instead."""
    return _SUGGESTION.sub("", message)


def without_values(message: str) -> str:
    """graphql-core's message up to where it would repeat the value."""
    message = _without_middle(message)
    for echo, replacement in _ECHOES:
        message = echo.sub(replacement, message)
    return message[:_LONGEST_MESSAGE]


def _without_middle(message: str) -> str:
    if len(message) <= _LONGEST_READ:
        return message
    half = _LONGEST_READ // 2
    return message[:half] + message[-half:]
