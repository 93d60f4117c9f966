"""How much of a body is read, for how long, and what of it may reach the database."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.http.bodies import MAX_BATCH_BYTES, MAX_CALL_BYTES, Room
from app.http.refusals import RESPONSE_JSON, RefusedRequestError

HEADERS = {"content-type": "application/json"}
BATCH = "mutation ($input: BatchInput!) { trackBatch(input: $input) { accepted rejected } }"
SINGLE = "mutation ($input: TrackInput!) { trackPageView(input: $input) { verdict } }"


def batch_of(size: int) -> bytes:
    """A batch of one event in a body of so many bytes."""
    event = {"type": "PAGE_VIEW", "sessionId": "s", "pageUrl": "https://a.example/"}
    body = json.dumps({"query": BATCH, "variables": {"input": {"events": [event]}}}).encode()
    return body + b" " * (size - len(body))


class Counted:
    """A body that comes in parts, and knows how many were taken."""

    def __init__(self, part: bytes, count: int) -> None:
        self.part, self.count, self.taken = part, count, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.count):
            self.taken += 1
            yield self.part


async def post(api: Any, content: Any, key: str = "test-admin-key") -> Any:
    return await api.http.post("/graphql", content=content, headers={**HEADERS, "x-api-key": key})


async def test_a_batch_may_be_larger_than_a_call(api: Any) -> None:
    """5 MiB for trackBatch, 256 KiB for everything else; a byte more is 413."""
    assert (await post(api, batch_of(MAX_BATCH_BYTES))).json()["data"]["trackBatch"][
        "accepted"
    ] == 1
    single = json.dumps({"query": SINGLE, "variables": {"input": {}}}).encode()
    fits = single + b" " * (MAX_CALL_BYTES - len(single))
    assert (await post(api, fits)).json()["data"]["trackPageView"]["verdict"] == "ACCEPTED"
    for body in (fits + b" ", batch_of(MAX_BATCH_BYTES + 1)):
        refused = await post(api, body)
        assert refused.status_code == 413
        assert refused.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("key", "most"),
    [("test-write-key", MAX_BATCH_BYTES), ("test-read-key", MAX_CALL_BYTES), ("nobody", MAX_CALL_BYTES)],
)  # fmt: skip
async def test_reading_ends_at_the_bound(
    api: Any, key: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not track has the smaller one: what comes after it is not read."""
    read: list[int] = []
    take = Room.take

    def counted(room: Room, size: int) -> None:
        read.append(size)
        take(room, size)

    monkeypatch.setattr(Room, "take", counted)
    body = Counted(b" " * 65_536, 1_000)
    assert (await post(api, body, key)).status_code == 413
    assert most < sum(read) <= most + 65_536


async def test_a_body_that_does_not_come_is_408(make_api: Any) -> None:
    """The rest of a body is waited for until FOOTFALL_REQUEST_TIMEOUT, and the connection is ended."""
    api = await make_api(request_timeout=0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.Event().wait()

    refused = await post(api, never())
    assert refused.status_code == 408
    assert refused.headers["connection"] == "close"
    assert refused.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_client_that_leaves_is_no_error(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Gone in the middle of its body: nothing is raised, logged or stored."""
    messages = iter(
        [
            {"type": "http.request", "body": b'{"query": ', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"x-api-key", b"test-admin-key")],
        "client": ("192.0.2.1", 1), "server": ("test", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    caplog.clear()
    await api.app(scope, receive, send)
    assert caplog.records == []


def test_all_bodies_together_are_bounded() -> None:
    """Where there is no room left a request is told to come again, and what ends gives its room back."""
    room = Room(100)
    with room.share() as first:
        first.take(70)
        with room.share() as second, pytest.raises(RefusedRequestError) as refused:
            second.take(40)
        assert refused.value.status == 503
        assert refused.value.headers["Retry-After"]
    with room.share() as third:
        third.take(100)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/json; charset=utf-16",
        "text/plain; application/json",
        "",
    ],
)
async def test_only_json_in_utf_8_is_read(api: Any, content_type: str) -> None:
    """What a page can send without asking first, and what is no UTF-8, is 415."""
    response = await api.http.post(
        "/graphql",
        content=b"{}",
        headers={"content-type": content_type, "x-api-key": "test-admin-key"},
    )
    assert response.status_code == 415


async def test_a_compressed_body_is_refused(api: Any) -> None:
    """It could be a thousand times as large as it looks: 415."""
    response = await api.http.post(
        "/graphql",
        content=b"\x1f\x8b",
        headers={**HEADERS, "content-encoding": "gzip", "x-api-key": "test-admin-key"},
    )
    assert response.status_code == 415


@pytest.mark.parametrize(
    "literal",
    [
        "conversionValue: 1e999",
        "conversionValue: -1e999",
        "conversionValue: NaN",
        "position: 1e999",
        f"position: {'9' * 5_000}",
        "clickPosition: {x: 1e999, y: 0}",
        "clickPosition: {x: NaN, y: 0}",
        "viewportPosition: {top: 0, left: -1e999}",
        "properties: {a: 1e999}",
        "properties: {a: [{b: -1e999}]}",
        f"properties: {{a: {'9' * 5_000}}}",
        f"properties: {{a: {'[' * 100}{']' * 100}}}",
    ],
    ids=lambda value: value[:36],
)
async def test_numbers_without_end_are_not_stored(api: Any, literal: str) -> None:
    """Infinity and the like in a query's own text are refused, and the server is none the worse."""
    query = (
        f'mutation {{ trackConversion(input: {{itemId: "a", {literal}}}) {{ verdict reason }} }}'
    )
    answer = await api.post(query)
    if "errors" in answer:
        code = answer["errors"][0]["extensions"]["code"]
        assert code == ("LIMIT_EXCEEDED" if "9999" in literal else "BAD_USER_INPUT")
    else:
        assert answer["data"]["trackConversion"] == {"verdict": "REJECTED", "reason": "INVALID"}
    assert await api.database["events"].count_documents({}) == 0


async def test_ten_batches_in_one_request_are_enough(api: Any) -> None:
    """The same thousand events under many aliases are LIMIT_EXCEEDED, before one is looked at."""
    fields = " ".join(f"a{n}: trackBatch(input: $i) {{ accepted }}" for n in range(20))
    error = await api.refused(
        f"mutation ($i: BatchInput!) {{ {fields} }}", {"i": {"events": [{"type": "PAGE_VIEW"}]}}
    )
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert await api.database["events"].count_documents({}) == 0


DIGITS = "1" * 5_000  # more than Python itself reads as a number
NUMBER_ROWS = {
    "a body": (DIGITS, 400, "BAD_USER_INPUT"),
    "in a list": (f"[{DIGITS}]", 400, "BAD_USER_INPUT"),
    "a query": (f'{{"query": {DIGITS}}}', 400, "BAD_USER_INPUT"),
    "variables": (f'{{"query": "{{ site {{ id }} }}", "variables": {DIGITS}}}', 400, "BAD_USER_INPUT"),
    "a name": (f'{{"query": "{{ site {{ id }} }}", "operationName": {DIGITS}}}', 400, "BAD_USER_INPUT"),
    "extensions": (f'{{"query": "{{ site {{ id }} }}", "extensions": {DIGITS}}}', 400, "BAD_USER_INPUT"),
    # These are GraphQL operations: the older media type has 200 for all of them (decision 0004).
    "a variable": (
        f'{{"query": "query ($n: Int) {{ items(limit: $n) {{ __typename }} }}", "variables": {{"n": {DIGITS}}}}}',
        200,
        "BAD_USER_INPUT",
    ),
    "in a query": (f'{{"query": "{{ items(limit: {DIGITS}) {{ __typename }} }}"}}', 200, "LIMIT_EXCEEDED"),
    "an id in a query": (f'{{"query": "{{ item(id: {DIGITS}) {{ id }} }}"}}', 200, "LIMIT_EXCEEDED"),
    "a fraction in a query": (
        f'{{"query": "mutation {{ trackConversion(input: {{conversionValue: {DIGITS}.5}}) {{ verdict }} }}"}}',
        200,
        "BAD_USER_INPUT",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBER_ROWS)
async def test_a_number_of_5_000_digits_is_refused(
    api: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever it is in a body: 4xx, and for what is a GraphQL operation 200 in the older media type and
    400 in the newer one; its code, none of its digits, nothing in the log."""
    body, older, code = NUMBER_ROWS[name]
    for media_type, status in (("application/json", older), (RESPONSE_JSON, 400)):
        response = await api.http.post(
            "/graphql",
            content=body,
            headers={**HEADERS, "accept": media_type, "x-api-key": "test-admin-key"},
        )
        assert response.status_code == status
        assert {each["extensions"]["code"] for each in response.json()["errors"]} == {code}
        assert "1111" not in response.text
    assert "1111" not in caplog.text
    assert await api.database["events"].count_documents({}) == 0


async def test_a_number_of_5_000_digits_that_nobody_takes_is_passed_over(api: Any) -> None:
    """In variables or extensions that the operation does not name."""
    for name in ("variables", "extensions"):
        body = f'{{"query": "{{ site {{ id }} }}", "{name}": {{"a": {DIGITS}}}}}'
        assert (await post(api, body)).json() == {"data": {"site": {"id": "demo"}}}
