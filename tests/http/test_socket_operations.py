"""What is asked over a WebSocket is held to the same bounds as over HTTP, and answered the same."""

import asyncio
from typing import Any

import pytest

from app.core.auth import Scope
from tests.sockets import connected

BATCH = """mutation ($input: BatchInput!) { trackBatch(input: $input) {
  accepted rejected results { verdict reason message eventId } } }"""
DEEP = "{ item(id: 1) { " + "related { " * 30 + "id" + " }" * 30 + " } }"
WIDE = "{ " + " ".join(f"a{place}: site {{ id }}" for place in range(500)) + " }"


@pytest.mark.parametrize(
    "query", [DEEP, WIDE, "{ nothing }", "{", "query a { site { id } } query b"]
)
async def test_an_operation_is_refused_as_over_http(api: Any, query: str) -> None:
    """The same code and message for one that is too deep, too wide, or none at all; the connection stays."""
    over_http = await api.refused(query)
    async with connected(api, Scope.ADMIN) as socket:
        message = await socket.next(socket.start(query))
        assert message["type"] == "error"
        error = message["payload"][0]
        assert error["extensions"] == over_http["extensions"]
        assert error["message"] == over_http["message"]
        assert await socket.data(socket.start("{ site { id } }")) == {"id": "demo"}


async def test_one_bad_event_sinks_no_batch_over_a_socket(api: Any) -> None:
    """Each batch has its own verdicts, also when several are under way on one connection."""
    async with connected(api, Scope.ADMIN) as socket:
        started = [
            socket.start(
                BATCH,
                input={
                    "events": [
                        {"type": "PAGE_VIEW", "position": "first" if place == bad else 1}
                        for place in range(4)
                    ]
                },
            )
            for bad in range(5)
        ]
        answers = await asyncio.gather(*map(socket.data, started))
    for bad, answer in enumerate(answers):
        refused = [place for place, one in enumerate(answer["results"]) if one["reason"]]
        assert refused == [bad] * (bad < 4)
        assert all(answer["results"][place]["reason"] == "INVALID" for place in refused)
        assert all("position" in answer["results"][place]["message"] for place in refused)
    assert await api.database["events"].count_documents({}) == 16


async def test_a_call_with_an_unreadable_value_is_an_error_over_a_socket(api: Any) -> None:
    """BAD_USER_INPUT with the field and without the value, as over HTTP; nothing is stored."""
    query = "mutation ($input: TrackInput!) { trackClick(input: $input) { verdict } }"
    variables = {"input": {"itemId": "a", "position": "mark7f3a"}}
    over_http = await api.refused(query, variables)
    async with connected(api, Scope.ADMIN) as socket:
        error = await socket.error(socket.start(query, **variables))
    assert error["extensions"] == over_http["extensions"]
    assert error["message"] == over_http["message"]
    assert "mark7f3a" not in str(error)
    assert await api.database["events"].count_documents({}) == 0


async def test_values_that_json_can_hold_and_nobody_else_are_refused_alone(api: Any) -> None:
    """Half of a character in one event of a batch: the others count."""
    events = [{"type": "PAGE_VIEW", "source": source} for source in ("a", "\ud800", "b")]
    async with connected(api, Scope.ADMIN) as socket:
        answer = await socket.data(socket.start(BATCH, input={"events": events}))
    assert [one["verdict"] for one in answer["results"]] == ["ACCEPTED", "REJECTED", "ACCEPTED"]


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
async def test_who_does_not_want_to_be_tracked_is_not_over_a_socket(api: Any, header: str) -> None:
    """With respectDoNotTrack the handshake's header holds for all that comes over the connection, in
    single calls and in batches; with another value, or before the site says so, it does not."""
    track = 'mutation { trackPageView(input: {visitorId: "who"}) { verdict reason } }'
    batch = {"events": [{"type": "PAGE_VIEW", "visitorId": "who", "consentGiven": True}]}
    accepted = {"verdict": "ACCEPTED", "reason": None}
    refused = {"verdict": "REJECTED", "reason": "NO_CONSENT"}
    async with connected(api, Scope.WRITE, headers={header: "1"}) as refusing:
        assert await refusing.data(refusing.start(track)) == accepted
        await api.database["events"].delete_many({})
        await api.ask("mutation { updateSite(input: {respectDoNotTrack: true}) { id } }")
        assert await refusing.data(refusing.start(track)) == refused
        answer = await refusing.data(refusing.start(BATCH, input=batch))
        assert [one["reason"] for one in answer["results"]] == ["NO_CONSENT"]
    assert await api.database["events"].count_documents({}) == 0
    assert "who" not in str(await api.database["decisions"].find({}).to_list(None))
    async with connected(api, Scope.WRITE, headers={header: "0"}) as other:
        assert await other.data(other.start(track)) == accepted
