"""Fields of GraphQL types, each with what analysts read about it."""

from typing import Any

import strawberry


def described(description: str) -> Any:
    """A field of a type, with its description."""
    return strawberry.field(description=description)
