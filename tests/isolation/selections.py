"""Operations that ask for all there is: every field of every type below a root field."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_required_argument,
)


def whole_operation(schema: GraphQLSchema, kind: str, name: str, given: Mapping[str, Any]) -> str:
    """The operation that calls a root field with these arguments, as variables, and asks for everything."""
    field = root_fields(schema, kind)[name]
    variables = ", ".join(f"${each}: {field.args[each].type}" for each in given)
    arguments = ", ".join(f"{each}: ${each}" for each in given)
    return (
        f"{kind} {f'({variables})' if given else ''} "
        f"{{ {name}{f'({arguments})' if given else ''} {selection(field, ())} }}"
    )


def root_fields(schema: GraphQLSchema, kind: str) -> dict[str, GraphQLField]:
    """The root fields of "query", "mutation" or "subscription"."""
    root: GraphQLObjectType = getattr(schema, f"{kind}_type")
    fields: dict[str, GraphQLField] = root.fields
    return fields


def selection(field: GraphQLField, above: tuple[str, ...]) -> str:
    """All fields below this one. A type inside of itself, as an item's related items, is asked for what
    it has at hand, and not for what is below that again."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return ""
    again = kind.name in above
    inner = []
    for name, child in kind.fields.items():
        required = [each for each, argument in child.args.items() if is_required_argument(argument)]
        assert not required, (
            f"{kind.name}.{name} needs {required}: say in selections.py what to give"
        )
        below = selection(child, (*above, kind.name)) if not again else ""
        if below or not isinstance(get_named_type(child.type), GraphQLObjectType):
            inner.append(f"{name} {below}")
    return f"{{ {' '.join(inner)} }}"


def nested_arguments(schema: GraphQLSchema) -> set[str]:
    """The arguments of fields that are below the root, as "Type.field.argument"."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {
        f"{kind.name}.{name}.{argument}"
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind not in roots and kind.name[:2] != "__"
        for name, field in kind.fields.items()
        for argument in field.args
    }


# Types of what could name something that is a site's.
TEXTS = {"ID", "String", "JSON"}


def text_arguments(field: GraphQLField) -> set[str]:
    """Where a root field can be given an id or a text: "filter.itemId", through all of its input objects."""
    return {
        path
        for name, argument in field.args.items()
        for path in _texts(name, argument, frozenset())
    }


def _texts(path: str, given: GraphQLArgument, above: frozenset[str]) -> set[str]:
    kind = get_named_type(given.type)
    if kind.name in TEXTS:
        return {path}
    if not isinstance(kind, GraphQLInputObjectType) or kind.name in above:
        return set()
    return {
        found
        for name, inner in kind.fields.items()
        for found in _texts(f"{path}.{name}", inner, above | {kind.name})
    }


def given_paths(value: Any, path: str = "") -> set[str]:
    """What arguments give, in the same words as `text_arguments`; of JSON also what is inside."""
    if isinstance(value, Mapping):
        inner = [given_paths(each, f"{path}.{name}".strip(".")) for name, each in value.items()]
        return {path}.union(*inner)
    if isinstance(value, list):
        return set().union(*(given_paths(each, path) for each in value))
    return {path}
