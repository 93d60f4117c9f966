"""What a refusal of GraphQL's own says, whatever was sent."""

import json
from typing import Any

import pytest

SECRET = "s3cr3t"
BATCH = "mutation ($i: BatchInput!) { trackBatch(input: $i) { results { reason message } } }"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text", [" cannot represent ", "Value '", ", found: ", " unknown field 'a"]
)
async def test_a_long_value_costs_no_more_than_reading_it(api: Any, text: str) -> None:
    """Values made of what messages are made of, of many kilobytes, with a key and without one: what grows
    with the square of their length takes minutes."""
    batch = {"events": [{"type": text * (2**20 // len(text))}, {"type": "PAGE_VIEW"}]}
    bad, good = (await api.ask(BATCH, {"i": batch}))["trackBatch"]["results"]
    assert (bad["reason"], good["reason"]) == ("INVALID", None)
    assert len(bad["message"]) <= 600
    query = json.dumps(text * (200_000 // len(text)))
    answer = (await api.http.post("/graphql", json={"query": f"{{ {query} }}"})).json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(answer["errors"][0]["message"]) <= 600


@pytest.mark.parametrize(
    "pretence",
    [
        "nested too deeply",
        "Document contains more than 1 tokens. Parsing aborted.",
        "Syntax Error: Document contains more than 1 tokens. Parsing aborted.",
        "Validation aborted.",
        "' does not exist in 'Password' enum",
    ],
)
async def test_values_that_read_like_a_limit_are_not_repeated(api: Any, pretence: str) -> None:
    """In a text of the document, a variable, and an event of a batch: it is bad input, without the value."""
    value = f"{pretence} {SECRET}" + "x" * 3_000
    for query, variables in (
        (f"{{ {json.dumps(value)} }}", None),
        ("mutation ($i: BatchInput!) { trackBatch(input: $i) { accepted } }", {"i": value}),
        (
            "mutation ($t: DateTime) { trackPageView(input: {timestamp: $t}) { reason } }",
            {"t": value},
        ),
    ):
        error = await api.refused(query, variables)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert SECRET not in json.dumps(error)
    answer = await api.ask(BATCH, {"i": {"events": [{"type": value}]}})
    assert answer["trackBatch"]["results"][0]["reason"] == "INVALID"
    assert SECRET not in json.dumps(answer)


async def test_a_document_beyond_a_limit_is_told_which(api: Any) -> None:
    """Too many tokens and too deep a nesting are LIMIT_EXCEEDED, in words."""
    for query in ("{ " + "a " * 20_000 + "}", "{ a" * 5_000):
        error = await api.refused(query)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "Parsing aborted" in error["message"]
