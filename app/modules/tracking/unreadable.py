"""Events of a batch that GraphQL itself cannot read: a text for a number, a time that is none.

GraphQL refuses a whole operation for one such value. A batch must not sink for one bad event, so
the operation is run again with stand-ins for those events, and each is answered INVALID,
or NO_CONSENT where that comes first.
"""

from collections.abc import Sequence
from typing import Any, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    OperationDefinitionNode,
    print_ast,
    validate_input_value,
)
from strawberry import Schema

from app.core.context import Context
from app.core.graphql_errors import without_values
from app.modules.tracking.events import IncomingEvent

STAND_IN: dict[str, Any] = {"type": "PAGE_VIEW"}


def set_unreadable_events_aside(
    schema: Schema, document: DocumentNode, variables: dict[str, Any], context: Context
) -> dict[str, Any] | None:
    """The variables with stand-ins for unreadable events, noted in the context; None if there are none."""
    mended = dict(variables)
    found = False
    for name in _batch_variables(document):
        batch = variables.get(name)
        if not isinstance(batch, dict) or not isinstance(batch.get("events"), list):
            continue
        events = list(batch["events"])
        event_type = cast(GraphQLInputObjectType, schema._schema.type_map["EventInput"])
        for place, event in enumerate(events):
            why = _unreadable(event, event_type)
            if why is not None:
                context.unreadable_events[place] = why
                events[place] = STAND_IN | _still_readable(event)
                found = True
        mended[name] = {**batch, "events": events}
    return mended if found else None


def with_unreadable_marked(
    events: Sequence[IncomingEvent], context: Context
) -> list[IncomingEvent]:
    """The events of a batch, the stand-ins marked as what could not be read."""
    for place, why in context.unreadable_events.items():
        if place < len(events):
            events[place].unreadable = why
    return list(events)


def _batch_variables(document: DocumentNode) -> list[str]:
    return [
        variable.variable.name.value
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        for variable in definition.variable_definitions or ()
        if print_ast(variable.type).rstrip("!") == "BatchInput"
    ]


def _unreadable(event: Any, event_type: GraphQLInputObjectType) -> str | None:
    """`field: why` for the first thing in the event that cannot be coerced."""
    problems: list[str] = []

    def note(error: GraphQLError, path: Sequence[str | int]) -> None:
        field = ".".join(str(step) for step in path) or "event"
        problems.append(f"{field}: {without_values(error.message)}")

    validate_input_value(event, event_type, note, hide_suggestions=True)
    return problems[0] if problems else None


def _still_readable(event: Any) -> dict[str, Any]:
    """The event's own id, so that its answer can be matched, and its consent, without which it is refused."""
    if not isinstance(event, dict):
        return {}
    readable = (("id", str), ("consentGiven", bool))
    return {name: event[name] for name, kind in readable if isinstance(event.get(name), kind)}
