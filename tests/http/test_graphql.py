"""GraphQL over HTTP: what is a request, and what a refused one is told."""

from typing import Any

import pytest

JSON = {"content-type": "application/json", "x-api-key": "test-admin-key"}
MODERN = {**JSON, "accept": "application/graphql-response+json"}
TRACK = 'mutation { trackClick(input: {itemId: "a"}) { verdict } }'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"5", 400),
        (b'"text"', 400),
        (b"[]", 400),
        (b'[{"query": "{ site { id } }"}]', 400),
        (b"{}", 400),
        (b'{"query": 5}', 400),
        (b'{"query": ""}', 400),
        (b'{"query": "{ site { id } }", "variables": []}', 400),
        (b'{"query": "{ site { id } }", "operationName": 5}', 400),
        (b'{"query": "{ site { id } }", "operationName": "Nobody"}', 400),
        (b'{"query": "\xff"}', 400),
        (b'{"query": "\\ud800"}', 400),
        (b'{"query": "{ site { id } }", "variables": {"a": NaN}}', 400),
        (b"[" * 10_000 + b"]" * 10_000, 400),
        (b"\x1f\x8b\x08\x00 not text", 400),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_bodies_that_are_no_request(api: Any, body: bytes, status: int) -> None:
    """Each gets a 4xx and a GraphQL error with a code; none gets a 500."""
    response = await api.http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == status
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_body_beyond_the_bound_is_cut_off(api: Any) -> None:
    """5 MB and a byte: 413, without reading it all into a query."""
    body = b'{"query": "' + b" " * (5 * 1024 * 1024) + b'"}'
    response = await api.http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "", "application/x-www-form-urlencoded"]
)
async def test_only_json_is_read(api: Any, content_type: str) -> None:
    """Media types that a browser's form can send are refused."""
    response = await api.http.post(
        "/graphql",
        content=b"{}",
        headers={"content-type": content_type, "x-api-key": "test-admin-key"},
    )
    assert response.status_code == 415


@pytest.mark.parametrize(
    ("query", "older", "newer"),
    [
        ("{ site { id } }", 200, 200),
        ("{ site { id", 200, 400),
        ("{ nothing }", 200, 400),
        ("query ($a: Int!) { site { id } }", 200, 400),
    ],
)
async def test_status_by_media_type(api: Any, query: str, older: int, newer: int) -> None:
    """application/graphql-response+json tells a refused request by its status, application/json does not."""
    for headers, status in ((JSON, older), (MODERN, newer)):
        response = await api.http.post("/graphql", json={"query": query}, headers=headers)
        assert response.status_code == status
        assert response.headers["content-type"].startswith(
            headers.get("accept", "application/json")
        )


async def test_get_answers_queries_and_never_mutations(api: Any) -> None:
    """GET with a query asks; a mutation needs POST and nothing is stored."""
    headers = {"accept": "application/json", "x-api-key": "test-admin-key"}
    asked = await api.http.get("/graphql", params={"query": "{ site { id } }"}, headers=headers)
    assert asked.json() == {"data": {"site": {"id": "demo"}}}
    refused = await api.http.get("/graphql", params={"query": TRACK}, headers=headers)
    assert refused.status_code == 405
    assert await api.database["events"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("headers", "works"),
    [
        ({"Authorization": "Bearer test-read-key"}, True),
        ({"Authorization": "bearer  test-read-key "}, True),
        ({"X-API-Key": "test-read-key"}, True),
        ({"Authorization": "Basic test-read-key"}, False),
        ({"Authorization": "Bearer"}, False),
        ({"Authorization": "Bearer nobody"}, False),
        ({"X-API-Key": ""}, False),
        ({"X-API-Key": "x" * 300}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_how_a_key_is_given(api: Any, headers: dict[str, str], works: bool) -> None:
    """As a bearer token or as X-API-Key; anything else is UNAUTHENTICATED and not repeated."""
    answer = (
        await api.http.post("/graphql", json={"query": "{ site { id } }"}, headers=headers)
    ).json()
    if works:
        assert answer["data"]["site"]["id"] == "demo"
    else:
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "nobody" not in str(answer)


async def test_variables_that_cannot_be_read_are_named_and_not_repeated(api: Any) -> None:
    """The field's path is in the message and the extensions, the value nowhere."""
    error = await api.refused(
        "mutation ($i: TrackInput!) { trackClick(input: $i) { verdict } }",
        {"i": {"itemId": "a", "scrollDepth": "SECRET-VALUE"}},
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "i.scrollDepth"}
    assert error["message"].startswith("i.scrollDepth: ")
    assert "SECRET-VALUE" not in str(error)


@pytest.mark.parametrize(
    "literal",
    [
        'scrollDepth: "SECRET"',
        "clickPosition: SECRET",
        'consentGiven: "SECRET"',
        'timestamp: "SECRET"',
    ],
)
async def test_literals_that_cannot_be_read_are_not_repeated(api: Any, literal: str) -> None:
    """A value in the query's own text does not come back in the message either."""
    error = await api.refused(
        'mutation { trackClick(input: {itemId: "a", ' + literal + "}) { verdict } }"
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "SECRET" not in error["message"]


@pytest.mark.parametrize("query", ["{ site { id", "{ nothing }"])
async def test_a_query_that_is_none_has_a_code(api: Any, query: str) -> None:
    """Wrong in its syntax or its fields: BAD_USER_INPUT."""
    assert (await api.refused(query))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_our_own_mistakes_are_internal_and_say_nothing(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception of ours: code INTERNAL and a reference that the log has too; no text of it leaves."""

    async def broken(*_: object) -> None:
        raise RuntimeError("the inside of the house")

    monkeypatch.setattr(api.services.sites, "get", broken)
    error = await api.refused("{ site { id } }")
    assert error["extensions"]["code"] == "INTERNAL"
    assert "inside" not in str(error)
    reference = error["message"].rstrip(".").split()[-1]
    assert reference in caplog.text


async def test_the_log_has_but_the_beginning_of_what_an_exception_says(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception may carry a whole document: its type, its place and a few characters are logged."""

    said = "document: " + "a" * 80 + "PRIVATE"

    async def broken(*_: object) -> None:
        try:
            raise ValueError(said)  # noqa: TRY301
        except ValueError as inner:
            raise RuntimeError(said) from inner

    monkeypatch.setattr(api.services.sites, "get", broken)
    await api.refused("{ site { id } }", {"unused": "PRIVATE"})
    for told in ("RuntimeError: 'document: aaa", "ValueError: 'document: aaa", "in broken"):
        assert told in caplog.text
    assert "PRIVATE" not in caplog.text


async def test_browsers_of_other_origins_may_call(api: Any) -> None:
    """A preflight with our headers is answered, so that frontends elsewhere can track."""
    response = await api.http.options(
        "/graphql",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
