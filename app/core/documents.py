"""GraphQL documents: parsed, held against the limits and validated once, and kept by their text.

What is cheap comes first: who may not ask at all costs a bounded parse, who asks too much one pass over
the document, and only the rest is validated.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TokenKind,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.extensions import SchemaExtension

from app.core.auth import Principal, Scope, require
from app.core.context import Context
from app.core.errors import FootfallError, ForbiddenError, LimitExceededError
from app.core.limits import Limits, Measure, measure
from app.core.ports import QueryRates

# Longer than any body of a single call.
MAX_CHARACTERS = 256 * 1024
MAX_COMMENTS = 1_000
MAX_DIGITS = 1_000
# All that is kept, counted in what the measuring pass visits: about 1 KB each.
KEPT_NODES = 50_000
MAX_ERRORS = 20
# Comparisons of fields that might overlap; beyond it validation ends. graphql-core's own limit takes
# more than a second to reach.
OVERLAP_BUDGET = 20_000
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = OVERLAP_BUDGET

UNFIT = (
    "The query does not fit the schema. Sent with a read or admin key, it is answered with what is "
    "wrong where."
)
TYPENAME = "__typename"
INTROSPECTION = frozenset({"__schema", "__type"})

# The scope that each root field needs, by operation type and the field's name.
RootScopes = Mapping[OperationType, Mapping[str, Scope]]


@dataclass(slots=True)
class Document:
    """A parsed document, and what is known of it by now."""

    node: DocumentNode
    measure: Measure | None = None
    too_much: LimitExceededError | None = None
    errors: list[GraphQLError] | None = None  # of validation; None: not validated yet


class Documents:
    """Reads documents for one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        scopes: RootScopes,
        limits: Limits,
        rules: tuple[type[ASTValidationRule], ...] = (),
    ) -> None:
        self._schema = schema
        self._scopes = scopes
        self._limits = limits
        self.parse_options: dict[str, Any] = {
            "max_lexical_tokens": limits.tokens,
            "max_comments": MAX_COMMENTS,
            "max_source_length": MAX_CHARACTERS,
        }
        self._rules = (*specified_rules, *rules)
        self._kept: LRUCache[str, Document] = LRUCache(KEPT_NODES, getsizeof=_weight)

    def read(self, text: str) -> Document:
        """The document of this text, measured. Raises GraphQLError for what is none."""
        document = self._kept.get(text)
        if document is None:
            document = self._measured(parse(text, **self.parse_options))
            if _weight(document) <= KEPT_NODES:
                self._kept[text] = document
        return document

    def problems(
        self,
        document: Document,
        principal: Principal | None,
        variables: Mapping[str, Any] | None,
    ) -> list[GraphQLError]:
        """Why this may not be executed; nothing for what may.

        Without a key that may read, it is the same error whatever does not fit the schema, so that
        nobody can guess their way through it: all operations of the document are looked at, for those
        that are not to be run are validated as well.
        """
        reads = may_read(principal)
        try:
            if not reads:
                for operation in _operations(document.node):
                    self._check_scope(document.node, operation, principal)
            self._check_limits(document, variables)
        except FootfallError as error:
            return [GraphQLError(str(error), original_error=error)]
        if document.errors is None:
            document.errors = validate(
                self._schema, document.node, self._rules, max_errors=MAX_ERRORS
            )
        if document.errors and not reads:
            return [GraphQLError(UNFIT)]
        return document.errors

    def valid(self, text: str) -> DocumentNode | None:
        """The document of this text where it is kept, and has been found to fit the schema."""
        document = self._kept.get(text)
        return document.node if document and document.errors == [] else None

    def root_fields(self, text: str, operation_name: str | None) -> set[str]:
        """The root fields that an operation of the document asks for; none of what is no document."""
        try:
            document = self.read(text).node
        except GraphQLError:
            return set()
        operation = find_operation(document, operation_name)
        return _root_fields(document, operation) if operation else set()

    def _measured(self, node: DocumentNode) -> Document:
        try:
            _check_numbers(node)
            return Document(node, measure(self._schema, node, self._limits))
        except LimitExceededError as error:
            return Document(node, too_much=error)

    def _check_limits(self, document: Document, variables: Mapping[str, Any] | None) -> None:
        if document.measure is None:
            raise document.too_much or LimitExceededError("The query asks for too much.")
        measured = document.measure
        if measured.has_sizes_in_variables:
            measured = measure(self._schema, document.node, self._limits, variables)
        measured.check(self._limits)

    def _check_scope(
        self, node: DocumentNode, operation: OperationDefinitionNode, principal: Principal | None
    ) -> None:
        """Raises what a field out of the principal's reach is answered with, whether there is one or not."""
        needed_by = self._scopes.get(operation.operation, {})
        is_mutation = operation.operation is OperationType.MUTATION
        for name in sorted(_root_fields(node, operation) - {TYPENAME}):
            needed = needed_by.get(name)
            if needed is None or not _may(principal, needed):
                _refuse_tracker(principal)
                require(principal, Scope.ADMIN if is_mutation else Scope.READ)


def may_read(principal: Principal | None) -> bool:
    """Whether this is someone who may know the schema."""
    if principal is None or principal.forbidden:
        return False
    return principal.is_owner or (principal.refusal is None and principal.allows(Scope.READ))


def _refuse_tracker(principal: Principal | None) -> None:
    """A key that may only track is told so, for it may have misspelt the name of what it may do."""
    if principal is not None and principal.refusal is None and principal.scope is Scope.WRITE:
        raise ForbiddenError(
            "With a key of scope write only the mutations that track can be used: look at the "
            "spelling, or use a key of scope read or admin."
        )


def _may(principal: Principal | None, needed: Scope) -> bool:
    try:
        require(principal, needed)
    except FootfallError:
        return False
    return True


class CheckedDocuments(SchemaExtension):
    """Makes Strawberry take documents from `Documents`, over HTTP and over sockets."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents
        self._document: Document | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        # Strawberry parses once more what is no document, and handles the error: raised here it
        # would end a socket.
        context.parse_options.update(self._documents.parse_options)  # type: ignore[typeddict-item]
        with suppress(GraphQLError):
            self._document = self._documents.read(context.query or "")
            context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if self._document is None:
            raise RuntimeError("a document that was not read is to be validated")
        principal = getattr(context.context, "principal", None)
        problems = self._documents.problems(self._document, principal, context.variables)
        if not problems and principal is not None:
            problems = self._count_introspection(context.context, principal)
        context.pre_execution_errors = problems
        yield

    def _count_introspection(self, context: Context, principal: Principal) -> list[GraphQLError]:
        """What tells the schema counts as a query does; why it is not answered."""
        asked = self._documents.root_fields(
            self.execution_context.query or "", self.execution_context.operation_name
        )
        if not asked & INTROSPECTION:
            return []
        try:
            context.get(QueryRates).count(principal)
        except FootfallError as error:
            return [GraphQLError(str(error), original_error=error)]
        return []


def _check_numbers(node: DocumentNode) -> None:
    """Raises LimitExceededError for a number that Python refuses to read, for graphql-core would try."""
    token = node.loc.start_token if node.loc else None
    while token is not None:
        if token.kind is TokenKind.INT and token.end - token.start > MAX_DIGITS:
            raise LimitExceededError(f"A number may have at most {MAX_DIGITS} digits.")
        token = token.next


def find_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation of this name, without one the first."""
    for operation in _operations(document):
        if name is None or (operation.name is not None and operation.name.value == name):
            return operation
    return None


def _operations(document: DocumentNode) -> Iterator[OperationDefinitionNode]:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            yield definition


def _root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> set[str]:
    """The names of the fields that an operation selects, in fragments as well."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    names: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                fragment = fragments.pop(selection.name.value, None)
                if fragment is not None:
                    waiting.append(fragment.selection_set)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FieldNode):
                names.add(selection.name.value)
    return names


def _weight(document: Document) -> int:
    return document.measure.visited + 1 if document.measure else KEPT_NODES + 1
