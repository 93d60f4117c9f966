"""What the log says of a failure that nobody expected."""

import logging
import traceback

LOGGED_CHARACTERS = 80
_LONGEST_CHAIN = 5


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log what has failed, where it was raised, and the beginning of what the exception says.

    All of it could be a whole document or query that a client has sent. Line ends and control characters
    are written as such, so that nobody writes lines of their own.
    """
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < _LONGEST_CHAIN:
        said = str(seen)[:LOGGED_CHARACTERS]
        frames = "".join(traceback.format_tb(seen.__traceback__))
        lines.append(f"{type(seen).__name__}: {said!r}\n{frames}")
        seen = seen.__cause__ or seen.__context__
    logger.error("%s: %s", what, "caused by ".join(lines))
