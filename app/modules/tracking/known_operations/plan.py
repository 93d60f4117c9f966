"""What an operation asks for, where it is a single tracking mutation with its input in a variable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    print_ast,
)

from app.modules.tracking.events import Outcome, Verdict
from app.schemas.event import EventType

# The mutations of one event, and of what type it is; None: as the event says.
SINGLE: dict[str, EventType | None] = {
    "trackImpression": EventType.IMPRESSION,
    "trackView": EventType.VIEW,
    "trackClick": EventType.CLICK,
    "trackConversion": EventType.CONVERSION,
    "trackEngagement": EventType.ENGAGEMENT,
    "trackPageView": EventType.PAGE_VIEW,
    "trackEvent": None,
}
BATCH = "trackBatch"
ARGUMENT = "input"

_OF_OUTCOME: dict[str, Callable[[Outcome], Any]] = {
    "verdict": lambda outcome: outcome.verdict.value,
    "eventId": lambda outcome: outcome.event_id,
    "reason": lambda outcome: outcome.reason.value if outcome.reason else None,
    "message": lambda outcome: outcome.message,
    "__typename": lambda _: "TrackResult",
}
_COUNTED = {
    "accepted": Verdict.ACCEPTED,
    "duplicates": Verdict.DUPLICATE,
    "rejected": Verdict.REJECTED,
}
RESULTS = "results"

# The values of an object, each with the name that it has in the answer, in their order.
Selected = Sequence[tuple[str, Callable[[Any], Any]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A known operation: which mutation it calls, where its input is, and what it wants to know."""

    name: str | None
    mutation: str
    input_type: str
    variable: str
    # The mutation's name in the answer, and its place in the document, for errors.
    key: str
    node: FieldNode
    selected: Selected

    def answer(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The data of the answer."""
        about: Any = outcomes if self.mutation == BATCH else outcomes[0]
        return {self.key: {key: value_of(about) for key, value_of in self.selected}}


def plan_of(document: DocumentNode) -> Plan | None:
    """The plan of a valid document; None where it is anything but one plain tracking mutation."""
    if len(document.definitions) != 1:
        return None
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode) or operation.directives:
        return None
    variables = operation.variable_definitions or ()
    if operation.operation is not OperationType.MUTATION or len(variables) != 1:
        return None
    [variable] = variables
    if variable.default_value or variable.directives:
        return None
    field = _only_field(operation.selection_set)
    if field is None or not _takes(field, variable.variable.name.value):
        return None
    selected = _selected(field)
    if selected is None:
        return None
    return Plan(
        operation.name.value if operation.name else None,
        field.name.value,
        print_ast(variable.type).rstrip("!"),
        variable.variable.name.value,
        _key(field),
        field,
        selected,
    )


def _only_field(selections: SelectionSetNode) -> FieldNode | None:
    """The one field that is selected, where it is a mutation of tracking."""
    if len(selections.selections) != 1:
        return None
    [field] = selections.selections
    if not isinstance(field, FieldNode) or field.directives:
        return None
    return field if field.name.value in SINGLE or field.name.value == BATCH else None


def _takes(field: FieldNode, variable: str) -> bool:
    """Whether the field's one argument is the input, from this variable."""
    arguments = field.arguments or ()
    if len(arguments) != 1 or arguments[0].name.value != ARGUMENT:
        return False
    value = arguments[0].value
    return isinstance(value, VariableNode) and value.name.value == variable


def _selected(field: FieldNode) -> Selected | None:
    fields = _plain_fields(field.selection_set)
    if fields is None:
        return None
    if field.name.value == BATCH:
        return _all_or_none([_of_batch(inner) for inner in fields])
    return _all_or_none([_of_event(inner) for inner in fields])


def _of_event(field: FieldNode) -> tuple[str, Callable[[Any], Any]] | None:
    value_of = _OF_OUTCOME.get(field.name.value)
    return None if value_of is None else (_key(field), value_of)


def _of_batch(field: FieldNode) -> tuple[str, Callable[[Any], Any]] | None:
    name = field.name.value
    if name in _COUNTED:
        return _key(field), _count_of(_COUNTED[name])
    if name == "__typename":
        return _key(field), lambda _: "BatchResult"
    if name != RESULTS:
        return None
    inner = _plain_fields(field.selection_set)
    selected = None if inner is None else _all_or_none([_of_event(one) for one in inner])
    return None if selected is None else (_key(field), _list_of(selected))


def _count_of(verdict: Verdict) -> Callable[[Sequence[Outcome]], int]:
    return lambda outcomes: sum(outcome.verdict is verdict for outcome in outcomes)


def _list_of(selected: Selected) -> Callable[[Sequence[Outcome]], list[dict[str, Any]]]:
    return lambda outcomes: [
        {key: value_of(outcome) for key, value_of in selected} for outcome in outcomes
    ]


def _plain_fields(selections: SelectionSetNode | None) -> list[FieldNode] | None:
    """The selected fields, where they are nothing else: no fragments, no directives, none twice."""
    found = []
    for field in selections.selections if selections else ():
        if not isinstance(field, FieldNode) or field.directives or field.arguments:
            return None
        found.append(field)
    return found if len({_key(field) for field in found}) == len(found) else None


def _all_or_none(
    selected: Sequence[tuple[str, Callable[[Any], Any]] | None],
) -> Selected | None:
    found = [one for one in selected if one is not None]
    return found if len(found) == len(selected) else None


def _key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value
