"""Which documents are executed, for whom, and how little is done for the others."""

from typing import Any

import pytest
from graphql import GraphQLError

from app.api import build_schema
from app.core import documents as module
from app.core.auth import Principal, Scope
from app.core.documents import KEPT_NODES, UNFIT, Documents
from app.core.errors import ErrorCode, FootfallError

READER = Principal("demo", Scope.READ, "r")
WRITER = Principal("demo", Scope.WRITE, "w")


@pytest.fixture
def documents() -> Documents:
    """The documents of a schema of its own."""
    return build_schema().documents


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The documents that graphql-core is asked to validate, as they are."""
    seen: list[Any] = []
    validate = module.validate

    def noted(schema: Any, document: Any, *rest: Any, **named: Any) -> Any:
        seen.append(document)
        return validate(schema, document, *rest, **named)

    monkeypatch.setattr(module, "validate", noted)
    return seen


def codes(
    documents: Documents, text: str, principal: Principal | None, **variables: Any
) -> list[Any]:
    """The code of each problem, None for graphql-core's own errors."""
    problems = documents.problems(documents.read(text), principal, variables)
    return [
        error.original_error.code if isinstance(error.original_error, FootfallError) else None
        for error in problems
    ]


def test_a_document_is_read_and_validated_once(documents: Documents, validated: list[Any]) -> None:
    """The second time its text is enough."""
    text = "{ site { id } }"
    first = documents.read(text)
    for _ in range(3):
        assert documents.read(text) is first
        assert codes(documents, text, READER) == []
    assert len(validated) == 1
    assert documents.valid(text) is first.node


def test_what_is_too_much_is_never_validated(documents: Documents, validated: list[Any]) -> None:
    """Limits come before validation, which costs more."""
    many = "{" + " ".join(f"a{n}: __typename" for n in range(51)) + "}"
    assert codes(documents, many, READER) == [ErrorCode.LIMIT_EXCEEDED]
    assert validated == []
    assert documents.valid(many) is None


@pytest.mark.parametrize(
    "text", ["{ site { id } }", "{ nothing }", "{ __schema { types { name } } }", "mutation { nothing }"]
)  # fmt: skip
def test_nothing_is_validated_for_nobody(
    documents: Documents, validated: list[Any], text: str
) -> None:
    """Without a key a query costs a bounded parse, and is UNAUTHENTICATED whatever it says."""
    assert codes(documents, text, None) == [ErrorCode.UNAUTHENTICATED]
    assert validated == []


def test_sizes_in_variables_are_counted_for_each_request(documents: Documents) -> None:
    """The same document is refused or not by what its variables say."""
    text = """query ($n: Int, $m: Int) { items(limit: 100) { data {
                related(limit: $n) { id related(limit: $m) { id } } } } }"""
    assert codes(documents, text, READER, n=2, m=2) == []
    assert codes(documents, text, READER, n=100, m=100) == [ErrorCode.LIMIT_EXCEEDED]
    assert codes(documents, text, READER, n=2, m=2) == []


@pytest.mark.parametrize(
    "text",
    [
        "mutation { trackClick(input: {itemId: 5.5}) { verdict } }",
        'mutation { trackClick(input: {itemId: "a"}) { nothing } }',
        'mutation { trackClick(input: {itemId: "a"}) { verdictt } }',
        'mutation { trackClick(inpu: {itemId: "a"}) { verdict } }',
        'mutation { trackClick(input: {itemI: "a"}) { verdict } }',
        "mutation { trackClick }",
        "mutation ($i: TrackInpu!) { trackClick(input: $i) { verdict } }",
        "mutation ($i: TrackInput!) { trackClick(input: $i) { verdict ... on Nothing { id } } }",
        'mutation { trackClick(input: {itemId: "a"}) { verdict @nothing } }',
    ],
)
def test_what_does_not_fit_is_one_error_for_a_write_key(documents: Documents, text: str) -> None:
    """Unknown field, argument, type or value: one message, without a place; a reader is told more."""
    [error] = documents.problems(documents.read(text), WRITER, {})
    assert error.message == UNFIT
    assert error.locations is None
    told = documents.problems(documents.read(text), READER, {})
    assert all(UNFIT not in error.message and error.locations for error in told)


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ("{ site { id } }", "{ sit { id } }"),
        ("{ site { __typename } }", "{ sites1 { __typename } }"),
        ("{ __schema { types { name } } }", "{ __schem { types { name } } }"),
        ("mutation { archiveItem(id: 1) { id } }", "mutation { archiveIte(id: 1) { id } }"),
        ("mutation { ...F } fragment F on Mutation { archiveItem(id: 1) { id } }",
         "mutation { ...F } fragment F on Mutation { nothing(id: 1) { id } }"),
        ("subscription { realtime { activeUsers } }", "subscription { nothing { activeUsers } }"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("principal", [WRITER, None], ids=["write key", "no key"])
def test_a_field_out_of_reach_answers_as_one_that_there_is_not(
    documents: Documents, known: str, unknown: str, principal: Principal | None
) -> None:
    """Guessing names gives the same error for a right guess and a wrong one."""

    def told(text: str) -> list[str]:
        return [e.message for e in documents.problems(documents.read(text), principal, {})]

    assert told(known) == told(unknown) != []


def test_anybody_may_ask_whether_it_is_graphql(documents: Documents) -> None:
    """`{ __typename }` needs no key."""
    assert codes(documents, "{ __typename }", None) == []


@pytest.mark.parametrize("principal", [WRITER, None], ids=["write key", "no key"])
@pytest.mark.parametrize(
    "beside", ["mutation B { trackClick(input: {}) { verdict } }", "{ __typename }"]
)
def test_an_operation_beside_the_one_that_is_meant_tells_nothing(
    documents: Documents, beside: str, principal: Principal | None, validated: list[Any]
) -> None:
    """All of a document is validated: one that has anything out of reach is refused before, and alike
    whether that fits the schema or not."""
    told = {
        documents.problems(documents.read(f"query A {{ {guess} }} {beside}"), principal, {})[
            0
        ].message
        for guess in ("site { id }", "site { i }", "sit { id }")
    }
    assert len(told) == 1
    assert UNFIT not in told
    assert not validated


@pytest.mark.parametrize(
    "text",
    [
        "{" + " __typename" * 10_000 + "}",
        "{ __typename }" + "\n#" * 2_000,
        "{ __typename }" + " " * 300_000,
        "{" + "a{" * 10_000 + "}" * 10_001,
        "{ a(b: " + "[" * 10_000 + "]" * 10_000 + ") }",
    ],
    ids=["tokens", "comments", "characters", "depth", "lists"],
)
def test_parsing_ends_at_a_bound(documents: Documents, text: str) -> None:
    """More than there may be is refused while it is read."""
    with pytest.raises(GraphQLError, match=r"more than \d+|too deeply"):
        documents.read(text)


def test_fields_that_overlap_are_compared_a_bounded_number_of_times(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 fragments with the same fields would be 45,000 pairs: the rule stops at its budget."""
    spent: list[int] = []
    rule = module.overlapping_fields_can_be_merged
    spend = rule.spend_complexity_budget

    def counted(context: Any, cost: int) -> None:
        spent.append(cost)
        spend(context, cost)

    monkeypatch.setattr(rule, "spend_complexity_budget", counted)
    count = 300
    text = "{" + " ".join(f"...F{n}" for n in range(count)) + "}"
    text += " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(count))
    problems = documents.problems(documents.read(text), READER, {})
    assert [error.message for error in problems] == ["Validation aborted."]
    assert module.OVERLAP_BUDGET < sum(spent) <= module.OVERLAP_BUDGET + 2


def test_kept_documents_are_bounded(documents: Documents) -> None:
    """However many texts come, what is kept of them stays below a bound; a large one counts as much."""
    for n in range(200):
        documents.read("{" + f" a{n}: __typename" * 1_000 + "}")
    assert documents._kept.currsize <= KEPT_NODES
    assert len(documents._kept) < 60
