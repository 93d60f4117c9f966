"""The schema against the contract that callers build on."""

from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
)
from strawberry import Schema

from app.api import build_schema

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@pytest.fixture(scope="module")
def schema() -> Schema:
    return build_schema()


def definitions(document: DocumentNode) -> dict[str, object]:
    return {definition.name.value: definition for definition in document.definitions}


def promises(document: DocumentNode) -> dict[str, str]:
    """Everything that a document of type definitions promises: `Type.field(argument)` -> its type."""
    found = {}
    for definition in document.definitions:
        name = definition.name.value
        found[name] = definition.kind
        if isinstance(definition, EnumTypeDefinitionNode):
            found |= {f"{name}.{value.name.value}": "value" for value in definition.values}
        if isinstance(definition, InputObjectTypeDefinitionNode):
            found |= {f"{name}.{field.name.value}": described(field) for field in definition.fields}
        if isinstance(definition, ObjectTypeDefinitionNode):
            for field in definition.fields:
                place = f"{name}.{field.name.value}"
                found[place] = print_ast(field.type)
                for argument in field.arguments or ():
                    found[f"{place}({argument.name.value})"] = described(argument)
    return found


def described(value: InputValueDefinitionNode) -> str:
    """Type and default; a default of null says the same as none."""
    default = print_ast(value.default_value) if value.default_value else "null"
    return print_ast(value.type) + ("" if default == "null" else f" = {default}")


def test_schema_file_is_current(schema: Schema) -> None:
    """schema.graphql is what the code says; `make schema` prints it anew."""
    assert (ROOT / "schema.graphql").read_text() == schema.as_str() + "\n"


def test_schema_contains_the_whole_contract(schema: Schema) -> None:
    """Every type, field, argument, default and enum value of the contract is there, just so."""
    contract = promises(parse((HERE / "contract.graphql").read_text()))
    actual = promises(parse(schema.as_str()))
    broken = {
        place: f"{promised}, but is {actual.get(place, 'missing')}"
        for place, promised in contract.items()
        if actual.get(place) != promised
    }
    assert not broken


def test_event_input_has_every_field_of_track_input(schema: Schema) -> None:
    """EventInput is TrackInput and a type, as the contract says in words."""
    actual = promises(parse(schema.as_str()))
    track = {k.split(".")[1]: v for k, v in actual.items() if k.startswith("TrackInput.")}
    event = {k.split(".")[1]: v for k, v in actual.items() if k.startswith("EventInput.")}
    assert track.items() <= event.items()


def test_update_item_input_has_every_field_of_create_item_input_but_id(schema: Schema) -> None:
    """UpdateItemInput is CreateItemInput without id, every field optional, as the contract says in words."""
    actual = promises(parse(schema.as_str()))
    create = {k.split(".")[1]: v for k, v in actual.items() if k.startswith("CreateItemInput.")}
    update = {k.split(".")[1]: v for k, v in actual.items() if k.startswith("UpdateItemInput.")}
    assert set(update) == set(create) - {"id"}
    assert not [name for name, kind in update.items() if kind.endswith("!")]


def test_everything_has_a_description(schema: Schema) -> None:
    """The schema is the manual that analysts read: no type, field, argument or value is left bare."""
    bare = []
    for definition in parse(schema.as_str()).definitions:
        name = getattr(getattr(definition, "name", None), "value", "schema")
        if name == "schema":
            continue
        if not definition.description:
            bare.append(name)
        for part in [
            *(getattr(definition, "fields", None) or ()),
            *(getattr(definition, "values", None) or ()),
        ]:
            place = f"{name}.{part.name.value}"
            if not part.description:
                bare.append(place)
            bare += [
                f"{place}({argument.name.value})"
                for argument in getattr(part, "arguments", None) or ()
                if not argument.description
            ]
    assert not bare
