"""How much one GraphQL document may ask for, found out in one cheap pass over it.

Every fragment is looked at once, however often it is spread: what it adds up to is kept. A document
of 700 bytes that stands for a billion fields costs no more than its 700 bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
)
from graphql.language import ValueNode

from app.core.errors import LimitExceededError

# The argument that says how many elements a list may have, and how many it stands for at most
# (what is beyond is refused by the field itself, which says which numbers it takes).
SIZE_ARGUMENT = "limit"
LARGEST_LIST = 10_000
# Lists without such an argument, unless Limits.sizes knows better.
ASSUMED_SIZE = 10
# Selections inside of selections and fragments inside of fragments: Python's own stack has an end.
MAX_NESTING = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of each that a document may have, fragments spread out wherever they are used.

    `cost` is the number of values in the largest answer that is possible: a field counts once for
    each element of the lists that it is in. `sizes` are elements of lists by "Type.field", `costs`
    what a field counts itself where that is more than 1.
    """

    tokens: int = 5_000
    operations: int = 10
    depth: int = 20
    fields: int = 1_000
    aliases: int = 50
    directives: int = 50
    cost: int = 1_000_000
    sizes: Mapping[str, int] = field(default_factory=dict)
    costs: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Amount:
    """What a selection set adds up to. `cost_per_row` counts for each element of the lists in it,
    whose number the field above says."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    cost_per_row: int = 0

    def add(self, other: "Amount") -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.cost += other.cost
        self.cost_per_row += other.cost_per_row

    def cost_with(self, rows: int) -> int:
        return self.cost + rows * self.cost_per_row


@dataclass(frozen=True, slots=True)
class Measure:
    """A measured document: its largest operation, and the work it took to find out."""

    operations: int
    depth: int
    fields: int
    aliases: int
    directives: int
    cost: int
    # Whether variables say how long lists are: then every request has a cost of its own.
    has_sizes_in_variables: bool
    visited: int

    def check(self, limits: Limits) -> None:
        """Raises LimitExceededError, which names the limit and the maximum."""
        for name in ("operations", "depth", "fields", "aliases", "directives", "cost"):
            most = getattr(limits, name)
            if getattr(self, name) > most:
                raise LimitExceededError(
                    f"The query is beyond the limit of {name}, which is {most}."
                )


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    limits: Limits,
    variables: Mapping[str, Any] | None = None,
) -> Measure:
    """Add up a parsed document, valid or not.

    Raises LimitExceededError for what is nested too deeply to be added up.
    """
    return _Pass(schema, document, limits, variables or {}).run()


class _Pass:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        limits: Limits,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._document = document
        self._limits = limits
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        # None while a fragment is being added up: one that spreads itself adds nothing, and is
        # refused by validation.
        self._amounts: dict[str, Amount | None] = {}
        self._defaults: dict[str, int] = {}
        self._nesting = 0
        self._has_sizes_in_variables = False
        self._visited = 0

    def run(self) -> Measure:
        operations = [
            definition
            for definition in self._document.definitions
            if isinstance(definition, OperationDefinitionNode)
        ]
        # Operations share fragments, and with them the sizes in these: the largest default counts.
        for operation in operations:
            for variable in operation.variable_definitions or ():
                self._note_default(variable)
        amounts = [self._operation(operation) for operation in operations]
        return Measure(
            operations=len(operations),
            depth=max((amount.depth for amount in amounts), default=0),
            fields=max((amount.fields for amount in amounts), default=0),
            aliases=max((amount.aliases for amount in amounts), default=0),
            directives=max((amount.directives for amount in amounts), default=0),
            cost=max((amount.cost_with(ASSUMED_SIZE) for amount in amounts), default=0),
            has_sizes_in_variables=self._has_sizes_in_variables,
            visited=self._visited,
        )

    def _note_default(self, variable: VariableDefinitionNode) -> None:
        self._visited += 1
        name = variable.variable.name.value
        if isinstance(variable.default_value, IntValueNode):
            size = _size_of(variable.default_value)
            self._defaults[name] = max(size, self._defaults.get(name, 0))

    def _operation(self, operation: OperationDefinitionNode) -> Amount:
        amount = self._selections(
            operation.selection_set, self._schema.get_root_type(operation.operation)
        )
        amount.directives += len(operation.directives or ())
        amount.directives += sum(
            len(variable.directives or ()) for variable in operation.variable_definitions or ()
        )
        return amount

    def _selections(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None
    ) -> Amount:
        total = Amount()
        if selections is None:
            return total
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise LimitExceededError(
                f"The query is beyond the limit of depth, which is {self._limits.depth}."
            )
        for selection in selections.selections:
            self._visited += 1
            total.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                total.add(self._field(selection, parent))
            elif isinstance(selection, FragmentSpreadNode):
                total.add(self._fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                total.add(self._selections(selection.selection_set, inner))
        self._nesting -= 1
        return total

    def _fragment(self, name: str) -> Amount:
        if name not in self._amounts:
            self._amounts[name] = None
            if name in self._fragments:
                fragment = self._fragments[name]
                parent = self._schema.get_type(fragment.type_condition.name.value)
                self._amounts[name] = self._selections(fragment.selection_set, parent)
        return self._amounts[name] or Amount()

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Amount:
        name = node.name.value
        definition = None
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            # The fields of introspection are not in the list; their own rule bounds them.
            definition = parent.fields.get(name)
        inner = get_named_type(definition.type) if definition else None
        below = self._selections(node.selection_set, inner)
        path = f"{parent.name}.{name}" if parent else name
        size = self._size(node, definition)
        amount = Amount(
            depth=below.depth + 1,
            fields=below.fields + 1,
            aliases=below.aliases + (node.alias is not None),
            directives=below.directives,
            cost=self._limits.costs.get(path, 1),
        )
        one = below.cost_with(ASSUMED_SIZE if size is None else size)
        if definition is None or not _is_list(definition):
            amount.cost += one
            return amount
        if size is None:
            size = self._limits.sizes.get(path)
        if size is None:
            amount.cost_per_row = one
        else:
            # A list's own size is of its elements, not of the lists in each of them.
            amount.cost += size * below.cost_with(ASSUMED_SIZE)
        return amount

    def _size(self, node: FieldNode, definition: GraphQLField | None) -> int | None:
        """How many elements the field asks for; None where it has no argument for it."""
        argument = definition.args.get(SIZE_ARGUMENT) if definition else None
        if argument is None:
            return None
        default = argument.default_value
        for given in node.arguments or ():
            self._visited += 1
            if given.name.value == SIZE_ARGUMENT:
                return _bounded(self._given(given.value), default)
        return _bounded(None, default)

    def _given(self, value: ValueNode) -> Any:
        if isinstance(value, VariableNode):
            self._has_sizes_in_variables = True
            name = value.name.value
            return self._variables.get(name, self._defaults.get(name))
        return _size_of(value) if isinstance(value, IntValueNode) else None


def _size_of(literal: IntValueNode) -> int:
    # Not int() alone: Python refuses to read thousands of digits.
    return int(literal.value) if len(literal.value) < 10 else LARGEST_LIST


def _bounded(value: Any, default: Any) -> int:
    """The size that is meant by what was given, valid or not."""
    for candidate in (value, default):
        if isinstance(candidate, int) and not isinstance(candidate, bool):
            return min(max(candidate, 0), LARGEST_LIST)
    return ASSUMED_SIZE


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList)
