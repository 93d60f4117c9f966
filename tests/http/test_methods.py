"""GET, HEAD and the others, and which media type is answered."""

from typing import Any

import pytest

from app.http.graphql import prefers_response_json

QUERY = {"query": "{ site { id } }"}
JSON = "application/json"
NEWER = "application/graphql-response+json"


@pytest.mark.parametrize(
    "header",
    [
        {"x-api-key": "test-read-key"},
        {"authorization": "Bearer test-read-key"},
        {"x-requested-with": "XMLHttpRequest"},
        {"apollo-require-preflight": "true"},
        {"content-type": "application/json"},
    ],
    ids=str,
)
async def test_a_query_by_get_needs_a_header_that_a_page_must_ask_for(
    api: Any, header: dict[str, str]
) -> None:
    """With one that no simple request of another origin has, it is answered."""
    answered = await api.http.get(
        "/graphql", params={"query": "{ __typename }"}, headers={"accept": JSON, **header}
    )
    assert answered.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "simple",
    ["text/plain", "text/plain; charset=json", "multipart/form-data; boundary=application/json"],
)
async def test_a_query_by_get_that_any_page_can_send_is_refused(api: Any, simple: str) -> None:
    """Without such a header it is 400, whatever a media type that needs no leave says of itself."""
    refused = await api.http.get(
        "/graphql",
        params={"query": "{ __typename }"},
        headers={"accept": JSON, "content-type": simple},
    )
    assert refused.status_code == 400
    assert "X-Requested-With" in refused.json()["errors"][0]["message"]


async def test_a_browsers_get_is_the_page_and_runs_nothing(api: Any) -> None:
    """A link with a query in it opens GraphiQL; nothing of it is executed."""
    response = await api.http.get("/graphql", params=QUERY, headers={"accept": "text/html"})
    assert response.headers["content-type"].startswith("text/html")


async def test_a_tracking_mutation_is_never_done_by_get(api: Any) -> None:
    """Not even one that POST has just done, so that it is known."""
    query = "mutation T($i: TrackInput!) { trackPageView(input: $i) { verdict } }"
    assert (await api.ask(query, {"i": {}}))["trackPageView"]["verdict"] == "ACCEPTED"
    refused = await api.http.get(
        "/graphql",
        params={"query": query, "variables": '{"i": {}}', "operationName": "T"},
        headers={"accept": JSON, "x-api-key": "test-admin-key"},
    )
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"
    assert await api.database["events"].count_documents({}) == 1


async def test_head_says_what_get_would(api: Any) -> None:
    """The page's headers, and those of a query, without a mutation by that way."""
    page = await api.http.head("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    mutation = await api.http.head(
        "/graphql",
        params={"query": "mutation { trackPageView(input: {}) { verdict } }"},
        headers={"x-api-key": "test-admin-key", "accept": JSON},
    )
    assert mutation.status_code == 405


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_are_told_which_there_are(api: Any, method: str) -> None:
    """405 with Allow and a GraphQL error."""
    response = await api.http.request(method, "/graphql", headers={"x-api-key": "test-admin-key"})
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("method", ["TRACE", "BREW", "PROPFIND", "POST"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/nothing", "/"])
async def test_nothing_else_is_a_server_error(api: Any, method: str, path: str) -> None:
    """Methods and paths that there are not are 404 or 405."""
    assert (await api.http.request(method, path)).status_code in (404, 405)


@pytest.mark.parametrize(
    "path",
    ["/%00", "/graphql/%2e%2e/", "/static/%00", "/static/" + "a" * 5_000, "/%ff"],
)
async def test_strange_paths_are_not_found(api: Any, path: str) -> None:
    """None of them is a server error."""
    assert (await api.http.get(path)).status_code in (404, 414)


@pytest.mark.parametrize(
    ("accept", "newer"),
    [
        (NEWER, True),
        (f"{NEWER}, {JSON}", True),
        (f"{JSON}, {NEWER}", True),
        (f"{NEWER};q=0.9, {JSON};q=0.1", True),
        (f"{NEWER};q=0.1, {JSON}", False),
        (f"{NEWER};q=0", False),
        (f"{NEWER};q=nonsense", False),
        (f"{NEWER}; charset=utf-8", True),
        (JSON, False),
        ("*/*", False),
        ("", False),
        ("image/png", False),
        (";;;,,,q=", False),
        (NEWER.upper(), True),
    ],
)
def test_accept_is_read_with_its_weights(accept: str, newer: bool) -> None:
    """The newer media type is answered where it is named and not wanted less than the older one."""
    assert prefers_response_json(accept) is newer


@pytest.mark.parametrize(
    ("query", "key", "status", "code"),
    [
        ("{ site { id } }", "nobody", 401, "UNAUTHENTICATED"),
        ("{ site { id } }", "test-write-key", 403, "FORBIDDEN"),
        ("{ nothing }", "test-read-key", 400, "BAD_USER_INPUT"),
        ("{" + " __typename" * 1_001 + "}", "test-read-key", 400, "LIMIT_EXCEEDED"),
        ("{" + " __typename" * 9_999 + "}", "test-read-key", 400, "LIMIT_EXCEEDED"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_the_newer_media_type_has_a_status_for_each_refusal(
    api: Any, query: str, key: str, status: int, code: str
) -> None:
    """What was refused before it ran says so by its status; the older media type by its errors alone."""
    for accept, expected in ((NEWER, status), (JSON, 200)):
        response = await api.http.post(
            "/graphql", json={"query": query}, headers={"accept": accept, "x-api-key": key}
        )
        assert response.status_code == expected
        assert response.json()["errors"][0]["extensions"]["code"] == code
        assert "data" not in response.json()
        assert ("www-authenticate" in response.headers) is (response.status_code == 401)
