"""What a document adds up to, and that finding out is cheap: work is counted, never timed."""

import pytest
from graphql import GraphQLSchema, build_schema, parse

from app.core.errors import LimitExceededError
from app.core.limits import LARGEST_LIST, Limits, Measure, measure

SCHEMA: GraphQLSchema = build_schema(
    """
    type Query { one: Thing many(limit: Int = 10): [Thing!]! page(limit: Int = 10): Page all: [Thing] }
    type Thing { id: ID! name: String one: Thing many(limit: Int = 5): [Thing] tags: [String] }
    type Page { data: [Thing!]! total: Int }
    """
)
LIMITS = Limits(sizes={"Query.all": 1_000})


def measured(text: str, variables: dict[str, object] | None = None) -> Measure:
    return measure(SCHEMA, parse(text), LIMITS, variables)


def bomb(levels: int, inner: str) -> str:
    """A document of a few hundred bytes that stands for 2 ** levels times its inner part."""
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return "\n".join([
        "{ ...F0 }", *fragments, f"fragment F{levels} on Query {{ {inner} }}",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ one { id } }", 2),
        ("{ many { id } }", 1 + 10),
        ("{ many(limit: 50) { id name } }", 1 + 50 * 2),
        ("{ page(limit: 50) { total data { id name } } }", 1 + 2 + 50 * 2),
        ("{ many(limit: 20) { id many(limit: 30) { id } } }", 1 + 20 * (1 + 1 + 30)),
        ("{ many(limit: 20) { tags } }", 1 + 20),
        ("{ all { id } }", 1 + 1_000),
        ("{ one { one { one { id } } } }", 4),
        ("{ a: many(limit: 20) { id } b: many(limit: 30) { id } }", 2 + 20 + 30),
        ("{ page(limit: 50) { ...P } } fragment P on Page { data { id name } }", 1 + 1 + 50 * 2),
        ("{ page(limit: 50) { ... on Page { data { id } } } }", 1 + 1 + 50),
        ("{ many(limit: 999999999999) { id } }", 1 + LARGEST_LIST),
        ("{ many(limit: -5) { id } }", 1),
        ('{ many(limit: "5") { id } }', 1 + 10),
        ("{ nothing { id } }", 2),
        ("{ one { id } } query Other { many { id } }", 1 + 10),
    ],
)
def test_a_list_counts_with_its_size(text: str, cost: int) -> None:
    """A field counts once for each element of the lists it is in; the largest operation decides."""
    assert measured(text).cost == cost


@pytest.mark.parametrize(
    ("variables", "cost"),
    [({"n": 40}, 1 + 40), ({}, 1 + 10), ({"n": None}, 1 + 10), ({"n": "many"}, 1 + 10)],
)
def test_sizes_in_variables_count(variables: dict[str, object], cost: int) -> None:
    """What a variable says is counted for this request; what is no size is the default."""
    found = measured("query ($n: Int) { many(limit: $n) { id } }", variables)
    assert found.cost == cost
    assert found.has_sizes_in_variables


def test_the_default_of_a_variable_counts_where_it_is_not_given() -> None:
    """A size cannot hide in the default of a variable, nor in that of another operation."""
    text = """query A($n: Int = 3) { many(limit: $n) { id } }
              query B($n: Int = 70) { ...F } fragment F on Query { many(limit: $n) { id } }"""
    assert measured(text).cost == 1 + 70
    assert measured(text, {"n": 5}).cost == 1 + 5
    assert measured("query ($n: Int = 99999999999) { many(limit: $n) { id } }").cost > 10_000


def test_what_is_in_fragments_counts_each_time() -> None:
    """Depth, fields, aliases and directives are those of the document with its fragments spread out."""
    found = measured(
        """query Q @skip(if: false) { one { ...A ...A } }
           fragment A on Thing { x: id @include(if: true) one { ... @skip(if: false) { name } } }"""
    )
    assert (found.depth, found.fields, found.aliases, found.directives) == (3, 7, 2, 5)
    assert found.operations == 1


@pytest.mark.parametrize(
    ("inner", "name"),
    [("one { id }", "fields"), ("a: __typename", "aliases"), ("... @skip(if: true) { one { id } }", "directives")],
    ids=["fields", "aliases", "directives"],
)  # fmt: skip
def test_a_fragment_bomb_is_looked_at_once(inner: str, name: str) -> None:
    """Some hundred bytes that stand for 2^25 of something: every selection is visited once."""
    text = bomb(25, inner)
    found = measured(text)
    assert getattr(found, name) >= 2**25
    assert found.visited < len(text) / 10
    with pytest.raises(LimitExceededError, match=r"limit of \w+, which is \d+"):
        found.check(LIMITS)


@pytest.mark.parametrize("levels", [10, 100, 400])
def test_work_grows_with_the_text_alone(levels: int) -> None:
    """Twice the fragments is twice the work, not its square."""
    if levels > 90:
        with pytest.raises(LimitExceededError, match="depth"):
            measured(bomb(levels, "a: __typename"))
    else:
        assert measured(bomb(levels, "a: __typename")).visited == 2 * levels + 2


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { one { id } ...A }",
        "{ one { ...T } } fragment T on Thing { one { ...T } }",
        "{ ...Missing }",
    ],
)
def test_fragments_that_spread_themselves_end(text: str) -> None:
    """Each is visited once; validation says what is wrong with them."""
    assert measured(text).visited < 10


def test_a_deep_document_is_refused_before_pythons_stack_ends() -> None:
    """A chain of a thousand fragments is LIMIT_EXCEEDED, not an error of ours."""
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(1_000))
    with pytest.raises(LimitExceededError, match="depth"):
        measured(f"{{ ...F0 }} {chain} fragment F1000 on Query {{ one {{ id }} }}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{" + "one {" * 20 + "id" + "}" * 21, "depth"),
        ("{" + " ".join(f"a{n}: __typename" for n in range(51)) + "}", "aliases"),
        ("{" + " __typename" * 1_001 + "}", "fields"),
        ("{ __typename" + " @skip(if: false)" * 51 + "}", "directives"),
        (" ".join(f"query Q{n} {{ __typename }}" for n in range(11)), "operations"),
        ("{ many(limit: 10000) { many(limit: 101) { id } } }", "cost"),
    ],
    ids=lambda value: value[:12],
)
def test_each_limit_says_its_name_and_its_maximum(text: str, name: str) -> None:
    """One more than there may be of each: LIMIT_EXCEEDED with both."""
    with pytest.raises(LimitExceededError) as refused:
        measured(text).check(LIMITS)
    assert f"limit of {name}, which is {getattr(LIMITS, name)}" in str(refused.value)


def test_as_much_as_there_may_be_passes() -> None:
    """The maximum itself is allowed."""
    aliases = " ".join(f"a{n}: __typename" for n in range(50))
    measured("{" + aliases + " __typename" * 950 + "}").check(LIMITS)
    measured("{" + "one {" * 19 + "id" + "}" * 20).check(LIMITS)
