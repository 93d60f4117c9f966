"""The fields of an API input, read from JSON exactly as the API reads them, or from the text of a CSV cell."""

import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson
import strawberry
from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
)
from strawberry.scalars import JSON

from app.core.scalars import parse_decimal, parse_instant

Convert = Callable[[Any], Any]

# `3.0` as well: some programs write whole numbers so as soon as one cell of the column is empty.
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?")
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


class UnreadableValueError(Exception):
    """A value that its field cannot take. The message says what it must be, and never the value.

    `inside` is the place in the field, for a field of its own fields: `x`.
    """

    def __init__(self, why: str, inside: str | None = None) -> None:
        super().__init__(why)
        self.inside = inside


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the API, the Python attribute, and how its values are read."""

    name: str
    attribute: str
    from_json: Convert
    from_text: Convert
    # For `clickPosition.x`: the key in the object that the attribute holds.
    key: str | None = None


class Fields:
    """All fields of a Strawberry input type, found by name; objects are one field for each key."""

    def __init__(self, input_type: type) -> None:
        self._by_name = _fields_of(input_type)
        self._loosely = {loosely(name): field for name, field in self._by_name.items()}

    def get(self, name: str) -> Field | None:
        """The field of exactly this name, as in the API."""
        field = self._by_name.get(name)
        return None if field is None or field.key else field

    def keys(self, field: Field) -> list[str]:
        """All keys of the object that this field is one key of; none for other fields."""
        others = self._by_name.values()
        return [f.key for f in others if f.key and f.attribute == field.attribute and field.key]

    def find(self, name: str) -> Field | None:
        """The field that a column is named after: `itemId`, `ITEMID`, `item_id`, `Item ID`."""
        return self._loosely.get(loosely(name))


def snake_to_camel(name: str) -> str:
    """`item_id` is `itemId` in the API."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def loosely(name: str) -> str:
    """A name without what spellings differ in: case, underscores, hyphens and spaces."""
    return name.strip().lower().replace("_", "").replace(" ", "").replace("-", "")


def _fields_of(input_type: type) -> dict[str, Field]:
    hints = typing.get_type_hints(input_type)
    found: dict[str, Field] = {}
    for declared in dataclasses.fields(input_type):
        attribute = declared.name
        name = snake_to_camel(attribute)
        kind = _without_none(hints[attribute])
        inner = (
            _fields_of(kind) if isinstance(kind, type) and dataclasses.is_dataclass(kind) else {}
        )
        found[name] = Field(name, attribute, *_readers(kind, inner))
        for key, part in inner.items():
            dotted = f"{name}.{key}"
            found[dotted] = Field(dotted, attribute, part.from_json, part.from_text, key)
    return found


def _without_none(hint: Any) -> Any:
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return kinds[0] if kinds else hint


def _readers(kind: Any, inner: Mapping[str, Field]) -> tuple[Convert, Convert]:
    """How values of this type are read: from JSON, and from text."""
    if inner:
        from_object = _object_reader(inner)
        return from_object, lambda text: from_object(_json_from_text(text))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_readers(kind)
    return _READERS[kind]


def _graphql(coerce: Convert, why: str) -> Convert:
    """A reader that takes what GraphQL takes; `why` is said of everything else."""

    def read(value: Any) -> Any:
        try:
            return coerce(value)
        except GraphQLError:
            raise UnreadableValueError(why) from None

    return read


def _scalar(parse: Convert) -> Convert:
    """A reader for one of our own scalars, whose errors say what is wanted and not what came."""

    def read(value: Any) -> Any:
        try:
            return parse(value)
        except GraphQLError as error:
            raise UnreadableValueError(error.message) from None

    return read


def _int_from_text(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise UnreadableValueError("must be a whole number")
    value: int = _int_from_json(_number(text))
    return value


def _float_from_text(text: str) -> float:
    value: float = _float_from_json(_number(text))
    return value


def _number(text: str) -> float:
    try:
        return float("" if "_" in text else text)
    except ValueError:
        raise UnreadableValueError("must be a number") from None


def _bool_from_text(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise UnreadableValueError("must be true, false, 1 or 0")


def _json_from_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UnreadableValueError("must be JSON") from None


def _texts_from_json(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else [value]  # as in GraphQL one may stand alone
    if not all(isinstance(each, str) for each in texts):
        raise UnreadableValueError("must be a list of texts")
    return texts


def _texts_from_text(text: str) -> list[str]:
    """A JSON list, or texts with commas between."""
    if text.lstrip().startswith("["):
        return _texts_from_json(_json_from_text(text))
    return [part.strip() for part in text.split(",") if part.strip()]


def _enum_readers(kind: type[Enum]) -> tuple[Convert, Convert]:
    members = kind.__members__
    why = f"must be one of {', '.join(members)}"

    def from_json(value: Any) -> Enum:
        if not isinstance(value, str) or value not in members:
            raise UnreadableValueError(why)
        return members[value]

    return from_json, lambda text: from_json(text.strip().upper())


def _object_reader(inner: Mapping[str, Field]) -> Convert:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnreadableValueError("must be an object")
        for key in value:
            if key not in inner:
                raise UnreadableValueError("is not known in this object", _nameable(key))
        read_values = {}
        for key, field in inner.items():
            if value.get(key) is None:
                raise UnreadableValueError("is needed", key)
            try:
                read_values[field.attribute] = field.from_json(value[key])
            except UnreadableValueError as error:
                raise UnreadableValueError(str(error), key) from None
        return read_values

    return read


def _nameable(key: str) -> str:
    """A name that came with the data, as far as it can be shown in a line."""
    return key if key.isprintable() and 0 < len(key) <= 40 else "a key"


_int_from_json = _graphql(GraphQLInt.coerce_input_value, "must be a whole number of 32 bits")
_float_from_json = _graphql(GraphQLFloat.coerce_input_value, "must be a number")

_READERS: dict[Any, tuple[Convert, Convert]] = {
    str: (_graphql(GraphQLString.coerce_input_value, "must be text"), str),
    strawberry.ID: (_graphql(GraphQLID.coerce_input_value, "must be text or a whole number"), str),
    int: (_int_from_json, _int_from_text),
    float: (_float_from_json, _float_from_text),
    bool: (_graphql(GraphQLBoolean.coerce_input_value, "must be true or false"), _bool_from_text),
    list[str]: (_texts_from_json, _texts_from_text),
    datetime: (_scalar(parse_instant), _scalar(parse_instant)),
    Decimal: (_scalar(parse_decimal), _scalar(parse_decimal)),
    JSON: (lambda value: value, _json_from_text),
}
