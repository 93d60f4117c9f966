"""Plain enums as GraphQL enums in which every value has a description."""

from enum import StrEnum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=StrEnum)


def graphql_enum(enum: type[E], description: str, values: dict[str, str]) -> type[E]:
    """Make the enum a GraphQL enum: what it is, and what each of its values means, by name."""
    exposed = strawberry.enum(enum, description=description)
    definition = exposed.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
    return exposed
