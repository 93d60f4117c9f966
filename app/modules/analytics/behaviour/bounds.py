"""What the reports of behaviour check alike."""

from app.core.errors import BadInputError


def check_between(value: int, least: int, most: int, name: str) -> int:
    """A whole number within bounds. Raises BadInputError, naming the field."""
    if not least <= value <= most:
        raise BadInputError(f"must be from {least:,} to {most:,}", name)
    return value
