"""Only who may read gets to know the schema."""

from typing import Any

import pytest
from graphql import get_introspection_query

from app.core.auth import Scope
from tests.sockets import connected

INTROSPECTION = get_introspection_query()
TRACK = "mutation ($i: TrackInput!) { trackClick(input: $i) { verdict } }"


@pytest.mark.parametrize(
    "query",
    [
        INTROSPECTION,
        '{ __type(name: "Query") { fields { name } } }',
        "{ ...F } fragment F on Query { __schema { types { name } } }",
        "{ ... on Query { __schema { types { name } } } }",
        "{ __typename hidden: __schema { types { name } } }",
        "mutation { __schema { types { name } } }",
    ],
    ids=range(6),
)
async def test_introspection_needs_a_key_that_reads(api: Any, query: str) -> None:
    """With a write key or none nothing of the schema is told."""
    for headers in ({}, {"x-api-key": "test-write-key"}, {"x-api-key": "nobody"}):
        response = await api.http.post("/graphql", json={"query": query}, headers=headers)
        assert response.json().get("data") is None
        assert "TrackInput" not in response.text
        assert response.json()["errors"][0]["extensions"]["code"] in (
            "UNAUTHENTICATED",
            "FORBIDDEN",
        )


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ADMIN])
async def test_a_key_that_reads_gets_the_whole_schema(api: Any, scope: Scope) -> None:
    """The introspection query of GraphiQL is within the limits."""
    told = await api.ask(INTROSPECTION, scope=scope)
    assert {"TrackInput", "Query"} <= {kind["name"] for kind in told["__schema"]["types"]}


async def test_suggestions_are_for_who_may_read(api: Any) -> None:
    """A misspelt field is proposed to a read key; a write key gets one message for all."""
    told = await api.refused("{ sit { id } }", scope=Scope.READ)
    assert "Did you mean" in told["message"]
    for query in ("mutation { trackClic { verdict } }", "mutation { trackClick { verdict } }"):
        error = await api.refused(query, scope=Scope.WRITE)
        assert "Did you mean" not in str(error)


async def test_variables_get_no_suggestion_either(api: Any) -> None:
    """A misspelt input field is named to a write key, and nothing is proposed instead of it."""
    misspelt = {"i": {"itemId": "a", "sessionI": "s"}}
    error = await api.refused(TRACK, misspelt, scope=Scope.WRITE)
    assert "sessionI" in error["message"]
    assert "sessionId" not in str(error)
    assert "sessionId" in str(await api.refused(TRACK, misspelt, scope=Scope.ADMIN))


async def test_an_unreadable_event_gets_no_suggestion(api: Any) -> None:
    """Nor does an event of a batch."""
    [result] = await api.track({"type": "CLICK", "itemId": "a", "sessionI": "s"}, scope=Scope.WRITE)
    assert result["reason"] == "INVALID"
    assert "sessionId" not in result["message"]


async def test_guessing_by_the_answer_learns_nothing(api: Any) -> None:
    """Real and invented names, of every kind, are answered to a public key alike, byte for byte."""
    real = [
        "mutation { trackClick }",
        "mutation { trackClick(input: {}) { verdict { id } } }",
        "mutation { trackClick(input: {}) { reason(a: 1) } }",
        "mutation ($i: EventInput) { trackClick(input: $i) { verdict } }",
    ]
    invented = [
        "mutation { trackClick(x: {}) { verdict } }",
        "mutation { trackClick(input: {}) { verdit } }",
        "mutation { trackClick(input: {}) { verdict(b: 1) } }",
        "mutation ($i: EvntInput) { trackClick(input: $i) { verdict } }",
    ]
    headers = {"x-api-key": "test-write-key"}
    answers = {
        (await api.http.post("/graphql", json={"query": query}, headers=headers)).text
        for query in real + invented
    }
    assert len(answers) == 1


# Names that there are, each beside ones that there are not.
GUESSES = [
    ("query {P} {{ items {{ pagination {{ total }} }} }}", "query {P} {{ items {{ pagination {{ totl }} }} }}"),
    ("query {P} {{ site {{ id }} }}", "query {P} {{ sites1 {{ id }} }}"),
    ("query {P}($x: ItemFilter) {{ items(filter: $x) {{ __typename }} }}",
     "query {P}($x: ItemFiltr) {{ items(filter: $x) {{ __typename }} }}"),
    ("subscription {P} {{ realtime {{ events }} }}", "subscription {P} {{ realtime {{ evnts }} }}"),
    ("mutation {P} {{ archiveItem(id: 1) {{ id }} }}", "mutation {P} {{ archiveItem(ib: 1) {{ id }} }}"),
]  # fmt: skip
ALLOWED = ["query O { __typename }", 'mutation O { trackClick(input: {itemId: "a"}) { verdict } }']


@pytest.mark.parametrize("key", ["test-write-key", None])
@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("named", ["O", "P", "Q", None])
async def test_guesses_beside_an_operation_learn_nothing(
    api: Any, key: str | None, allowed: str, named: str | None
) -> None:
    """A document may have other operations, which are validated and not run: whatever is guessed in
    them, right or wrong, and whichever is named, the answer is the same byte for byte."""
    headers = {"x-api-key": key} if key else {}
    for guesses in GUESSES:
        for order in ("{allowed} {guess}", "{guess} {allowed}"):
            told = set()
            for guess in guesses:
                text = order.format(allowed=allowed, guess=guess.format(P="P"))
                body = {"query": text, "operationName": named}
                told.add((await api.http.post("/graphql", json=body, headers=headers)).text)
            assert len(told) == 1, told
            assert '"data":{' not in told.pop()
    assert await api.database["events"].count_documents({}) == 0


async def test_variables_tell_of_tracking_alone(api: Any) -> None:
    """Types of inputs that tracking does not take answer a public key as types that there are not, whatever
    is put into them; of those that it takes it is told which field is wrong."""
    told = {
        (
            await api.http.post(
                "/graphql",
                json={
                    "query": f"mutation ($i: TrackInput!, $x: {kind}) {{ trackClick(input: $i) "
                    "{ verdict } }",
                    "variables": {"i": {"itemId": "a"}, "x": value},
                },
                headers={"x-api-key": "test-write-key"},
            )
        ).text
        for kind in (
            "ItemFilter",
            "CreateItemInput",
            "UpdateSiteInput",
            "NothingInput",
            "TrackInput",
        )
        for value in (None, {}, {"name": 1}, {"nothing": 1})
    }
    assert len(told) == 1
    error = await api.refused(
        TRACK, {"i": {"clickPosition": {"x": 1, "y": 1, "z": 1}}}, scope=Scope.WRITE
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "unknown field 'z'" in error["message"]


async def test_over_a_socket_guesses_learn_nothing_either(api: Any) -> None:
    """In the operation that is meant or beside it."""
    for key in ("test-write-key", "nobody"):
        async with connected(api, key=key) as socket:
            told = []
            for right, wrong in GUESSES:
                for guess in (right, wrong):
                    for text in (guess.format(P="P"), f"{ALLOWED[0]} {guess.format(P='P')}"):
                        error = await socket.error(socket.start(text))
                        told.append((error["message"], error["extensions"]))
            for kind in range(2):  # queries are told of reading, mutations of an admin's
                assert all(one == told[kind] for one in told[:16])
            assert all(one == told[16] for one in told[16:])


async def test_sockets_have_the_same_bounds(api: Any) -> None:
    """Over a WebSocket a write key learns as little, and a flood is as much too much."""
    async with connected(api, Scope.WRITE) as socket:
        for query in (INTROSPECTION, "{ site { id } }", "{ nothing }"):
            error = await socket.error(socket.start(query))
            assert error["extensions"]["code"] == "FORBIDDEN"
    async with connected(api) as socket:
        flood = "{" + " ".join(f"a{n}: __typename" for n in range(51)) + "}"
        error = await socket.error(socket.start(flood))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        error = await socket.error(socket.start("{" + " __typename" * 6_000 + "}"))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
