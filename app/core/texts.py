"""Ids and texts that a client looks for."""

from app.core.errors import BadInputError
from app.core.json_values import CONTROL_CHARACTERS

MAX_TEXT = 256


def check_text(value: str, field: str) -> str:
    """A text to be looked for. Raises BadInputError, naming the field, for one that nothing stored can be."""
    if len(value) > MAX_TEXT:
        raise BadInputError(f"must have at most {MAX_TEXT} characters", field)
    if CONTROL_CHARACTERS.search(value):
        raise BadInputError("must not contain control characters or lone surrogates", field)
    return value


def check_id(value: str, field: str) -> str:
    """An id to be looked for; it must not be empty."""
    if not value:
        raise BadInputError("must not be empty", field)
    return check_text(value, field)
