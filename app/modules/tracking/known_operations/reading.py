"""Reading the inputs of tracking as the schema defines them, without looking at the schema each time."""

from collections.abc import Callable
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
)

from app.modules.tracking.events import Batch, IncomingEvent
from app.modules.tracking.known_operations.plan import BATCH, SINGLE, Plan
from app.modules.tracking.service import MAX_BATCH
from app.schemas.event import EventType

Read = Callable[[Any], Any]
# Scalars that are texts are kept as they are.
_TEXTS = ("ID", "String")


class UnsureError(Exception):
    """The input is not plainly right: GraphQL has to look at it, and to say what is wrong with it."""


class InputReader:
    """Reads the variables of known operations."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._events = {name: _EventReader(schema, name) for name in ("TrackInput", "EventInput")}
        batch = _input_type(schema, "BatchInput").fields
        self._read_sent_at = _reader(batch["sentAt"].type)
        self._batch_fields = frozenset(batch)

    def read(self, plan: Plan, sent: Any) -> tuple[list[IncomingEvent], Batch]:
        """The events of an input, and what it says of them as a whole. Raises UnsureError."""
        try:
            if plan.mutation == BATCH:
                return self._read_batch(sent)
            return [self._events[plan.input_type].read(sent, SINGLE[plan.mutation])], Batch()
        except GraphQLError as error:
            raise UnsureError from error

    def _read_batch(self, sent: Any) -> tuple[list[IncomingEvent], Batch]:
        if not isinstance(sent, dict) or not self._batch_fields.issuperset(sent):
            raise UnsureError
        batch_id, sent_at, events = sent.get("batchId"), sent.get("sentAt"), sent.get("events")
        if not isinstance(events, list) or not 1 <= len(events) <= MAX_BATCH:
            raise UnsureError
        if batch_id is not None and not isinstance(batch_id, str):
            raise UnsureError
        batch = Batch(batch_id, None if sent_at is None else self._read_sent_at(sent_at))
        read = self._events["EventInput"].read
        return [read(event) for event in events], batch


class _EventReader:
    """Reads one event of an input type."""

    def __init__(self, schema: GraphQLSchema, name: str) -> None:
        fields = _input_type(schema, name).fields
        self._read_type = _reader(fields["type"].type) if "type" in fields else None
        # The attribute that each field becomes, and how; None: it is a text.
        self._fields = {
            field_name: (_attribute(field), _text_or_reader(field.type))
            for field_name, field in fields.items()
            if field_name != "type"
        }

    def read(self, sent: Any, event_type: EventType | None = None) -> IncomingEvent:
        if not isinstance(sent, dict):
            raise UnsureError
        if self._read_type is not None:
            event_type = self._read_type(sent.get("type"))
        event = IncomingEvent(cast(EventType, event_type))
        fields = self._fields
        for name, value in sent.items():
            if name in fields:
                attribute, read = fields[name]
                if value is None:
                    continue
                if read is not None:
                    value = read(value)
                elif type(value) is not str:
                    raise UnsureError
                setattr(event, attribute, value)
            elif name != "type" or self._read_type is None:
                raise UnsureError
        return event


def _input_type(schema: GraphQLSchema, name: str) -> GraphQLInputObjectType:
    return cast(GraphQLInputObjectType, schema.type_map[name])


def _attribute(field: Any) -> str:
    """The name that a field has in Python."""
    return str(field.extensions["strawberry-definition"].python_name)


def _text_or_reader(kind: GraphQLInputType) -> Read | None:
    if isinstance(kind, GraphQLScalarType) and kind.name in _TEXTS:
        return None
    return _reader(kind)


def _reader(kind: GraphQLInputType) -> Read:
    """How values of a type are read that are not null; those that must not be may be given as null."""
    if isinstance(kind, GraphQLNonNull):
        return _reader(kind.of_type)
    if isinstance(kind, GraphQLEnumType):
        return _enum_reader(kind)
    if isinstance(kind, GraphQLInputObjectType):
        return _object_reader(kind)
    if isinstance(kind, GraphQLList):
        return _list_reader(kind)
    return kind.parse_value


def _enum_reader(kind: GraphQLEnumType) -> Read:
    """The one enum of inputs is the type of an event; values of another are left to GraphQL."""
    members = {name: EventType[name] for name in kind.values if kind.name == "EventType"}

    def read(value: Any) -> EventType:
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise UnsureError
        return member

    return read


def _list_reader(kind: GraphQLList[Any]) -> Read:
    read_one = _reader(kind.of_type)

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise UnsureError
        return [read_one(element) for element in value]

    return read


def _object_reader(kind: GraphQLInputObjectType) -> Read:
    """Objects all of whose values are needed, as a dict in the order of the schema."""
    readers = {name: _reader(field.type) for name, field in kind.fields.items()}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or value.keys() != readers.keys():
            raise UnsureError
        return {name: read_one(value[name]) for name, read_one in readers.items()}

    return read
