"""Whatever the schema allows to be sent: schemathesis makes calls of every query and mutation.

A field that is new is called as well, without a word here.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from graphql import GraphQLObjectType, NameNode, ObjectFieldNode, ObjectValueNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.graphql import nodes

from app.api import build_schema
from app.core.errors import ErrorCode
from tests.conftest import LiveServer, start_server, stop_server

CALLS = 16
OWNER_KEY = "the-owner-of-all-of-this-server"
EXPECTED = {code.value for code in ErrorCode} - {ErrorCode.INTERNAL, ErrorCode.UNAVAILABLE}

SCHEMA = build_schema()


def _json() -> st.SearchStrategy[Any]:
    """JSON values and objects of them, as literals of GraphQL."""
    leaves = st.text(max_size=20).map(nodes.String) | st.integers().map(nodes.Int)
    leaves |= st.booleans().map(nodes.Boolean) | st.just(nodes.Null)
    names = st.from_regex(r"[_a-z][_a-z0-9]{0,9}", fullmatch=True)
    return leaves | st.dictionaries(names, leaves, max_size=4).map(_object)


def _object(values: dict[str, Any]) -> ObjectValueNode:
    fields = (ObjectFieldNode(name=NameNode(value=key), value=values[key]) for key in values)
    return ObjectValueNode(fields=tuple(fields))


schemathesis.graphql.scalar("JSON", _json())
schemathesis.graphql.scalar(
    "Decimal", (st.decimals().map(str) | st.text(max_size=10)).map(nodes.String)
)
schemathesis.graphql.scalar("Long", st.integers().map(nodes.Int))
schemathesis.graphql.scalar(
    "DateTime", (st.datetimes().map(lambda at: at.isoformat()) | st.text()).map(nodes.String)
)


def root_fields() -> list[str]:
    """Every query and mutation that there is: `Query.site`."""
    kinds: list[GraphQLObjectType | None] = [
        SCHEMA._schema.query_type,
        SCHEMA._schema.mutation_type,
    ]
    return [f"{kind.name}.{field}" for kind in kinds if kind for field in kind.fields]


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """What schemathesis makes of the schema, by root field."""
    found = schemathesis.graphql.from_file(SCHEMA.as_str()).get_all_operations()
    return {operation.ok().label: operation.ok() for operation in found}


@pytest.fixture(scope="module")
def server(
    mongo_url: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of its own: the calls change whatever can be changed."""
    folder = tmp_path_factory.mktemp("schemathesis")
    made = start_server(
        mongo_url, f"{database_name}_schemathesis", folder, FOOTFALL_OWNER_KEY=OWNER_KEY
    )
    yield made
    stop_server(made)


@pytest.fixture(scope="module")
def http(server: LiveServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {OWNER_KEY}", "X-Footfall-Site": "demo"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize("name", root_fields())
def test_no_call_breaks_anything(
    name: str, operations: dict[str, Any], server: LiveServer, http: httpx.Client
) -> None:
    """An answer or an error that is the caller's, with a code; and the resolver itself was reached."""
    reached = 0
    right, wrong = (
        operations[name].as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @settings(
        max_examples=CALLS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=right | wrong)
    def call(case: Any) -> None:
        nonlocal reached
        response = http.post("/graphql", json={"query": case.body})
        assert response.status_code < 500, (response.text, case.body)
        answer = response.json()
        assert set(answer) <= {"data", "errors"}
        assert answer.get("errors") != []
        errors = answer.get("errors", [])
        assert {error["extensions"]["code"] for error in errors} <= EXPECTED, (answer, case.body)
        reached += "data" in answer

    call()
    assert reached
    assert "Traceback" not in server.log.read_text()
