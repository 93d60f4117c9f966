"""Tracking past GraphQL's general machinery answers, and stores, what going through it does."""

import json
import re
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.auth import Scope
from app.core.errors import UnavailableError
from app.http.graphql import GraphQLEndpoint
from tests.conftest import KEYS, OTHER_SITE_KEYS, Api
from tests.examples import examples

RESULT = "verdict eventId reason message"
QUERIES = {
    "trackImpression": f"mutation ($e: TrackInput!) {{ trackImpression(input: $e) {{ {RESULT} }} }}",
    "trackClick": "mutation Click($in: TrackInput!) {\n trackClick(input: $in) { v: verdict message } }",
    "trackConversion": "mutation ($i: TrackInput!) { sold: trackConversion(input: $i) "
    "{ __typename reason verdict } }",
    "trackEvent": f"mutation ($input: EventInput!) {{ trackEvent(input: $input) {{ {RESULT} }} }}",
    "trackBatch": "mutation ($b: BatchInput!) { trackBatch(input: $b) { rejected accepted "
    "duplicates results { message reason verdict } __typename } }",
}
VARIABLES = {
    "trackImpression": "e",
    "trackClick": "in",
    "trackConversion": "i",
    "trackEvent": "input",
    "trackBatch": "b",
}

anything: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5),
    st.sampled_from(["", " ", "\x00", "\ud800", "x" * 300, 1.0, 3.5, -0.0, [], {}, [None], {"a": {}}]),
)  # fmt: skip
short = st.sampled_from(["lot-1", "lot-2", "s", "Zürich", "7"])
point = st.fixed_dictionaries({"x": st.floats(-5, 5), "y": st.integers(-5, 5)})
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "itemId": short,
    "sessionId": short,
    "visitorId": short,
    "source": short,
    "timestamp": st.sampled_from(
        ["2026-06-15T11:59:00Z", "2026-06-15T11:58:30.1239+02:00", "2026-06-15", "2020-01-01T00:00:00Z"]
    ),
    "position": st.integers(0, 5),
    "pageUrl": st.sampled_from(["https://shop.example/a?utm_source=x", "/p", "javascript:alert(1)"]),
    "userAgent": st.sampled_from(["Mozilla/5.0 (Windows NT 10.0) Firefox/143.0", "curl/8"]),
    "scrollDepth": st.integers(0, 101),
    "clickPosition": point,
    "viewportPosition": st.fixed_dictionaries({"left": st.just(1), "top": st.just(2.5)}),
    "conversionValue": st.sampled_from(["12.50", 12.5, 3, "-1", "x"]),
    "conversionCurrency": st.sampled_from(["EUR", "eur"]),
    "consentGiven": st.booleans(),
    "properties": st.sampled_from([{"a": 1}, {"a": {"b": [1, "x"]}}, {"$a": 1}]),
    "language": st.just("de-CH"),
    "consentPurposes": st.sampled_from([[], ["analytics", "marketing"], "analytics", [None]]),
}  # fmt: skip


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda n: anything if n == 0 else good)


fields = st.fixed_dictionaries(
    {}, optional={name: mostly(good) for name, good in GOOD.items()} | {"nonsense": anything}
)
plain = st.fixed_dictionaries({}, optional=GOOD)
types = mostly(st.sampled_from(["IMPRESSION", "CLICK", "PAGE_VIEW", "CUSTOM", "impression"]))
event = st.one_of(plain, plain, fields, anything)
typed = st.one_of(plain, plain, fields).flatmap(lambda e: types.map(lambda t: {**e, "type": t}))
batch = st.fixed_dictionaries(
    {"events": mostly(st.lists(st.one_of(typed, typed, typed, event), max_size=4))},
    optional={"batchId": mostly(short), "sentAt": mostly(GOOD["timestamp"]), "nonsense": anything},
)
inputs = {**dict.fromkeys(QUERIES, event), "trackEvent": typed, "trackBatch": batch}
requests = st.sampled_from(list(QUERIES)).flatmap(
    lambda name: st.tuples(st.just(name), inputs[name], st.sampled_from([None, "", "Click", "No"]))
)


def endpoint_of(api: Api) -> GraphQLEndpoint:
    [endpoint] = [
        owner
        for route in api.app.router.routes
        if isinstance(
            owner := getattr(getattr(route, "endpoint", None), "__self__", None), GraphQLEndpoint
        )
    ]
    return endpoint


async def _never(*_: Any) -> None:
    return None


@pytest.fixture
async def both(make_api: Any) -> tuple[Api, Api]:
    """One application that knows the operations already, and one that never will."""
    knowing, general = await make_api(), await make_api(empty=False)
    endpoint_of(general)._known.answer = _never  # type: ignore[method-assign]
    for name, query in QUERIES.items():
        sent: dict[str, Any] = {"type": "PAGE_VIEW"} if name == "trackEvent" else {"itemId": "new"}
        if name == "trackBatch":
            sent = {"events": [{"type": "PAGE_VIEW"}]}
        for api, keys in ((knowing, KEYS), (general, OTHER_SITE_KEYS)):
            await api.ask(query, {VARIABLES[name]: sent}, scope=Scope.WRITE, keys=keys)
    assert set(endpoint_of(knowing)._known._plans) == set(QUERIES.values())
    return knowing, general


async def answer(api: Api, key: str, body: bytes) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    response = await api.http.post("/graphql", content=body, headers=headers)
    made = rb'"eventId":"0[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f-]{21}"'
    return response.status_code, re.sub(made, b'"eventId":"made"', response.content)


async def stored(api: Api, site: str) -> list[dict[str, Any]]:
    """What is stored of a site, without what is the site's own or made up."""
    found = api.database["events"].find({"site": site}, {"_id": 0, "site": 0}).sort("$natural", 1)
    return [
        {k: v for k, v in document.items() if not (k in ("session", "visitor") and len(v) == 26)}
        async for document in found
    ]


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request=requests, number=st.sampled_from([None, *range(5)]))
async def test_both_ways_answer_alike(
    both: tuple[Api, Api], request: tuple[str, Any, str | None], number: int | None
) -> None:
    """Any input of any tracking mutation: the same bytes are answered, the same documents stored."""
    name, sent, operation_name = request
    if number is not None and isinstance(sent, dict) and name != "trackBatch":
        sent = {**sent, "id": f"event-{number}"}
    body = encoded(
        {"query": QUERIES[name], "variables": {VARIABLES[name]: sent}, "operationName": operation_name}
    )  # fmt: skip
    knowing, general = both
    first = await answer(knowing, KEYS[Scope.WRITE], body)
    second = await answer(general, OTHER_SITE_KEYS[Scope.WRITE], body)
    assert first == second
    assert first[0] != 500
    assert await stored(knowing, "demo") == await stored(general, "other")


def encoded(value: Any) -> bytes:
    """JSON as any client may write it, with halves of characters and numbers of any size."""
    return json.dumps(value).replace("NaN", "1e999").replace("Infinity", "1e999").encode()


async def test_a_known_operation_passes_graphql_by(
    both: tuple[Api, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen once, it is answered without the schema; for whoever may not track, the schema says so."""
    knowing, _ = both
    schema = endpoint_of(knowing)._schema
    asked = count()
    execute = schema.execute

    async def counted(*args: Any, **kw: Any) -> Any:
        next(asked)
        return await execute(*args, **kw)

    monkeypatch.setattr(schema, "execute", counted)
    variables = {"e": {"itemId": "a", "sessionId": "b"}}
    data = await knowing.ask(QUERIES["trackImpression"], variables, scope=Scope.WRITE)
    assert data["trackImpression"]["verdict"] == "ACCEPTED"
    assert next(asked) == 0
    error = await knowing.refused(QUERIES["trackImpression"], variables, scope=Scope.READ)
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert next(asked) == 2


@pytest.mark.parametrize(
    "query",
    [
        "mutation ($e: TrackInput!) { a: trackClick(input: $e) { verdict } b: trackView(input: $e) { verdict } }",
        "mutation ($e: TrackInput!) { trackClick(input: $e) @include(if: true) { verdict } }",
        "mutation ($e: TrackInput!) { trackClick(input: $e) { ...r } } fragment r on TrackResult { verdict }",
        'mutation { trackClick(input: {itemId: "a"}) { verdict } }',
        "mutation ($e: TrackInput! = {itemId: \"a\"}) { trackClick(input: $e) { verdict } }",
        "mutation ($e: ID) { trackClick(input: {itemId: $e}) { verdict } }",
        "mutation ($e: TrackInput!) { trackClick(input: $e) { verdict verdict } }",
        "query { __typename }",
    ],
)  # fmt: skip
async def test_what_is_not_one_plain_mutation_stays_with_graphql(
    both: tuple[Api, Api], query: str
) -> None:
    """Several mutations, directives, fragments, literals, defaults: none of them becomes known."""
    knowing, _ = both
    sent = {"e": {"itemId": "a"}} if "TrackInput" in query else {}
    assert await knowing.ask(query, sent)
    assert not endpoint_of(knowing)._known._plans.get(query)


async def test_the_database_away_is_said_in_the_same_words(
    both: tuple[Api, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the write itself: the same bytes, with the place in the document."""
    answers = []
    body = orjson.dumps(
        {"query": QUERIES["trackClick"], "variables": {"in": {"itemId": "a", "id": "1"}}}
    )
    for api, keys in zip(both, (KEYS, OTHER_SITE_KEYS), strict=True):

        async def away(*_: Any) -> Any:
            raise UnavailableError

        monkeypatch.setattr(api.services.commit, "submit", away)
        answers.append(await answer(api, keys[Scope.WRITE], body))
    assert answers[0] == answers[1]
    assert b"UNAVAILABLE" in answers[0][1]
