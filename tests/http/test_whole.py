"""A request that came whole is answered, and refused, as one that came in pieces."""

import asyncio
import json
import re
from typing import Any

import pytest

from app.http.bodies import MAX_CALL_BYTES
from app.http.headers import DEFAULTS
from app.http.origins import Origins
from app.http.whole import WholeRequests
from tests.http.test_metrics import TOKEN, scrape, value
from tests.http.wire import Answer, Wire, request

SHOP = "https://shop.example"
RESPONSE_JSON = "Accept: application/graphql-response+json"
ORIGIN, OTHER_ORIGIN = f"Origin: {SHOP}", "Origin: https://evil.example"


def call(query: str, **variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


TRACK = call(
    "mutation ($e: TrackInput!) { trackClick(input: $e) { verdict reason eventId } }",
    e={"itemId": "a", "sessionId": "s"},
)
BATCH = call(
    "mutation ($b: BatchInput!) { trackBatch(input: $b) { accepted results { verdict } } }",
    b={"events": [{"type": "PAGE_VIEW"}, {"type": "CLICK"}]},
)
SITE = b'{"query": "{ site { id } }"}'
ASKED = {
    "tracking": request(TRACK),
    "a batch": request(BATCH),
    "a question": request(SITE, key="test-read-key"),
    "newer media type": request(SITE, RESPONSE_JSON, key="test-read-key"),
    "no key": request(TRACK, key=None),
    "no key, newer media type": request(TRACK, RESPONSE_JSON, key=None),
    "unknown key": request(TRACK, key="nobody"),
    "a key that may not": request(TRACK, key="test-read-key"),
    "two keys": request(TRACK, "X-API-Key: nobody"),
    "bearer": request(TRACK, "Authorization: Bearer test-admin-key", key=None),
    "forwarded": request(TRACK, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 192.0.2.8"),
    "of another site": request(SITE, "X-Footfall-Site: other", key="test-read-key"),
    "a page": request(TRACK, ORIGIN),
    "a page of others": request(TRACK, OTHER_ORIGIN),
    "a page without a key": request(TRACK, ORIGIN, key=None),
    "no JSON": request(b"{"),
    "no object": request(b"[]"),
    "no body": request(b""),
    "no operation": request(b'{"query": "{"}'),
    "half a character": request(b'{"query": "\\ud800"}'),
    "as text": request(TRACK, media_type="text/plain"),
    "in Latin 1": request(TRACK, media_type="application/json; charset=latin-1"),
    "compressed": request(TRACK, "Content-Encoding: gzip"),
    "in chunks": request(
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(SITE), SITE), "Transfer-Encoding: chunked"
    ),
}


@pytest.fixture
async def at_shop(api: Any) -> Any:
    """An application whose site allows the shop's pages alone."""
    for site in ("demo", "other"):
        await api.services.sites.update(site, {"allowed_origins": [SHOP]})
    return api


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each request that is answered as one that came whole."""
    entries: list[str] = []
    answer = WholeRequests.answer

    async def noted(self: Any, *args: Any, **named: Any) -> Any:
        entries.append("whole")
        return await answer(self, *args, **named)

    monkeypatch.setattr(WholeRequests, "answer", noted)
    return entries


def said(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """All of an answer, without ids that were made for it."""
    made = rb'"0[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f-]{21}"'
    return answer.status, sorted(answer.headers), re.sub(made, b'"made"', answer.body)


@pytest.mark.parametrize("sent", ASKED.values(), ids=ASKED)
async def test_in_one_piece_and_in_two_the_answer_is_the_same(
    at_shop: Any, whole: list[str], sent: bytes
) -> None:
    """Status, headers and body, and every header that keeps a browser from taking it for something else."""
    answers = []
    end = sent.index(b"\r\n\r\n") + 4
    for pieces in ((sent,), (sent[: end - 1], sent[end - 1 :]), (sent[:end], sent[end:])):
        await at_shop.database["session_items"].delete_many({})
        at_shop.services.deduplication._accepted.clear()
        wire = Wire(at_shop)
        wire.send(*pieces)
        answers.append(said(await wire.answer()))
    assert answers[0] == answers[1] == answers[2]
    assert {(name.lower(), text) for name, text in DEFAULTS.items()} <= set(answers[0][1])
    assert "whole" in whole


@pytest.mark.parametrize(
    ("sent", "method", "status"),
    [
        (request(SITE, version="1.0", key="test-read-key"), "POST", 200),
        (request(SITE, "Connection: close", key="test-read-key"), "POST", 200),
        (request(SITE, "Expect: 100-continue", key="test-read-key"), "POST", 100),
        (request(b"", method="GET"), "GET", 200),
        (request(b"", method="HEAD"), "HEAD", 200),
        (request(b"", method="DELETE"), "DELETE", 405),
        (request(b"", ORIGIN, "Access-Control-Request-Method: POST", method="OPTIONS"), "OPTIONS", 200),
        (request(b" " * (MAX_CALL_BYTES + 1), key="test-read-key"), "POST", 413),
        (request(SITE, path="/graphql?a=b", key="test-read-key"), "POST", 200),
        (request(b"", method="GET", path="/health/live"), "GET", 200),
    ],
    ids=["HTTP/1.0", "close", "Expect", "GET", "HEAD", "DELETE", "preflight", "too large", "query string", "health"],
)  # fmt: skip
async def test_what_is_not_a_plain_call_goes_the_general_way(
    at_shop: Any, whole: list[str], sent: bytes, method: str, status: int
) -> None:
    """It is answered as ever, also when it comes in one piece."""
    wire = Wire(at_shop)
    wire.send(sent, methods=(method,))
    answer = await wire.answer()
    await wire.idle()
    assert answer.status == status
    assert not whole
    assert wire.transport.closed == (b"HTTP/1.0" in sent or b"close" in sent)


async def test_requests_in_one_piece_are_answered_in_their_order(api: Any) -> None:
    """Whole ones, others, and whole ones again."""
    wire = Wire(api)
    one = request(b'{"query": "{ a: __typename }"}')
    live = request(b"", method="GET", path="/health/live")
    two = request(b'{"query": "{ b: __typename }"}')
    wire.send(one + live + two + two, methods=("POST", "GET", "POST", "POST"))
    await wire.answer(4)
    assert [b"a" in wire.answers[0].body, b"live" in wire.answers[1].body] == [True, True]
    assert all(b'"b"' in answer.body for answer in wire.answers[2:])


@pytest.fixture
async def full(make_api: Any) -> Any:
    """An application in which as many requests are under way as may be."""
    api = await make_api(max_concurrency=1, metrics_token=TOKEN)
    assert api.app.state.whole_requests.places.take()
    return api


def make_room(api: Any) -> None:
    api.app.state.whole_requests.places.give_back()


async def test_a_refusal_is_the_same_both_ways_and_the_connection_goes_on(full: Any) -> None:
    """503 with Retry-After and every other header; with room again, the same connection is answered."""
    before = await scrape(full)
    wire = Wire(full)
    sent = request(SITE, key="test-read-key")
    wire.send(sent)
    wire.send(sent[:-3])
    await wire.answer(2)
    wire.send(sent[-3:], methods=())
    first, second = map(said, wire.answers)
    assert first == second
    assert first[0] == 503
    assert json.loads(first[2])["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert wire.answers[0].header("retry-after")
    assert {(name.lower(), text) for name, text in DEFAULTS.items()} <= set(first[1])
    make_room(full)
    wire.send(sent)
    assert (await wire.answer(3)).status == 200
    after = await scrape(full)
    name = "footfall_refused_requests_total"
    assert value(after, name) - value(before, name) == 2


async def test_a_page_can_read_that_it_is_refused(full: Any) -> None:
    """Its browser is told that it may."""
    wire = Wire(full)
    sent = request(TRACK, ORIGIN)
    wire.send(sent)
    await wire.answer()
    wire.send(sent[:-3])
    await wire.answer(2)
    first, second = map(said, wire.answers)
    assert first == second
    assert first[0] == 503
    assert wire.answers[0].header("access-control-allow-origin") == "*"
    assert wire.answers[0].header("vary") == "Origin"


async def test_refusals_keep_their_places_between_other_answers(full: Any) -> None:
    """In one piece: refused, health, refused, refused."""
    wire = Wire(full)
    refused = request(TRACK)
    live = request(b"", method="GET", path="/health/live")
    wire.send(refused + live + refused + refused, methods=("POST", "GET", "POST", "POST"))
    await wire.answer(4)
    assert [answer.status for answer in wire.answers] == [503, 200, 503, 503]


@pytest.mark.parametrize(
    ("sent", "method", "status"),
    [
        (request(b" " * (MAX_CALL_BYTES + 1)), "POST", 503),
        (request(SITE, "Expect: 100-continue"), "POST", 503),
        (request(SITE, version="1.0"), "POST", 503),
        (request(b"", method="HEAD"), "HEAD", 503),
        (request(b"", ORIGIN, "Access-Control-Request-Method: POST", method="OPTIONS"), "OPTIONS", 200),
        (request(b"", method="GET", path="/health/ready"), "GET", 200),
        (request(b"", method="GET", path="/metrics"), "GET", 401),
    ],
    ids=["too large", "Expect", "HTTP/1.0", "HEAD", "preflight", "health", "metrics"],
)  # fmt: skip
async def test_without_room(full: Any, sent: bytes, method: str, status: int) -> None:
    """Whatever is asked for is refused at once, but health, metrics and preflights; and it goes on."""
    wire = Wire(full)
    wire.send(sent, methods=(method,))
    assert (await wire.answer()).status == status
    await wire.idle()
    if b"HTTP/1.0" in sent:
        assert wire.transport.closed
        return
    make_room(full)
    wire.send(request(SITE, key="test-read-key"))
    assert (await wire.answer(2)).status == 200


async def test_endless_refusals_wait_for_who_does_not_read(full: Any) -> None:
    """Where answers are not read, no more of them are kept than one."""
    wire = Wire(full)
    wire.connection.pause_writing()
    wire.send(request(TRACK) * 100, methods=("POST",) * 100)
    await asyncio.sleep(0)
    assert not wire.answers
    wire.connection.resume_writing()
    await wire.answer(100)


async def test_who_leaves_meanwhile_is_counted_all_the_same(api: Any, whole: list[str]) -> None:
    """Nothing is sent to nobody, the event is stored, and the place is free again."""
    wire = Wire(api)
    wire.send(request(TRACK))
    await asyncio.sleep(0)
    wire.connection.connection_lost(None)
    await wire.idle()
    assert whole
    assert not wire.transport.written
    assert await api.database["events"].count_documents({}) == 1


async def test_a_server_that_ends_answers_first(api: Any) -> None:
    """What is under way is answered, and the client told that the connection is closed."""
    wire = Wire(api)
    wire.send(request(TRACK))
    wire.connection.shutdown()
    answer = await wire.answer()
    assert answer.status == 200
    assert answer.header("connection") == "close"
    assert wire.transport.closed


async def test_a_request_that_is_given_up_gives_its_place_back(make_api: Any) -> None:
    """The server's patience at its end is over: the connection is closed, and there is room."""
    api = await make_api(max_concurrency=1)
    wire = Wire(api)
    wire.send(request(TRACK))  # known from now on: nothing but the application sees the end
    await wire.answer()
    await wire.idle()
    wire.send(request(TRACK))
    await asyncio.sleep(0)
    [task] = wire.server.tasks
    task.cancel()
    await asyncio.wait([task])
    assert wire.transport.closed
    assert api.app.state.whole_requests.places.take()


async def test_what_fails_beyond_every_answer_is_logged(
    make_api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is closed, the place is free again, and the operator sees why."""
    api = await make_api(max_concurrency=1)

    async def broken(*_: Any) -> None:
        raise RuntimeError("no origins")

    monkeypatch.setattr(Origins, "allowed", broken)
    wire = Wire(api)
    wire.send(request(TRACK, ORIGIN))
    await wire.idle()
    assert wire.transport.closed
    assert "no origins" in caplog.text
    assert api.app.state.whole_requests.places.take()
