"""How much a key may ask: everything that is not tracking."""

from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import KEYS, OWNER_KEY
from tests.sockets import connected

OPERATIONS = [
    "{ keys { id } }",
    "{ adminActions { data { at } } }",
    '{ exportVisitor(visitorId: "x") { nextCursor } }',
    "{ erasures { receiptId } }",
    "{ decisions { nextCursor } }",
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Query") { name } }',
    "{ ...F } fragment F on Query { __schema { queryType { name } } }",
    'mutation { updateSite(input: {name: "x"}) { id } }',
    'mutation { createItem(input: {title: "a"}) { id } }',
    'mutation { voidEvents(filter: {itemId: "zz"}, reason: "r") { voided } }',
    'mutation { createKey(input: {scope: READ, label: "a"}) { key } }',
]
OF_THE_OWNER = ["{ sites { id } }", 'mutation { restoreSite(id: "demo") { id } }']
TRACK = "mutation { trackPageView(input: {}) { verdict } }"
PING = "{ __typename }"


async def codes(api: Any, operation: str, key: str, times: int) -> list[str | None]:
    """The code of each answer, None for one without an error."""
    named = {"X-Footfall-Site": "demo"}
    asked = [
        await api.post(operation, keys={Scope.ADMIN: key}, headers=named) for _ in range(times)
    ]
    return [
        answer["errors"][0]["extensions"]["code"] if "errors" in answer else None
        for answer in asked
    ]


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        *((operation, KEYS[Scope.ADMIN]) for operation in OPERATIONS),
        *((operation, OWNER_KEY) for operation in OF_THE_OWNER),
    ],
)
async def test_whatever_is_asked_counts(make_api: Any, operation: str, key: str) -> None:
    """Queries and mutations of admins and of the owner, and the schema: the third of two is RATE_LIMITED,
    and nothing comes of it. Tracking has a rate of its own."""
    api = await make_api(query_rate_limit="2/hour")
    told = await codes(api, operation, key, 4)
    assert told == [None, None, "RATE_LIMITED", "RATE_LIMITED"]
    assert await codes(api, "{ site { name } }", key, 1) == ["RATE_LIMITED"]
    other = await codes(api, TRACK, KEYS[Scope.WRITE], 3)
    assert other + await codes(api, PING, key, 3) == [None] * 6
    assert await api.database["items"].count_documents({}) == (
        2 if "createItem" in operation else 0
    )


async def test_the_schema_counts_over_a_socket(make_api: Any) -> None:
    """As over HTTP."""
    api = await make_api(query_rate_limit="1/hour")
    async with connected(api) as socket:
        assert await socket.data(socket.start("{ __schema { queryType { name } } }"))
        error = await socket.error(socket.start("{ __schema { queryType { name } } }"))
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 3_500 < error["extensions"]["retryAfter"] <= 3_600
