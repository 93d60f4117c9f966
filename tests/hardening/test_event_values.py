"""Hostile values in events: each is refused by its field, alone, and leaves nothing behind."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Api, api_maker
from tests.hardening.asking import all_stored, listen, nothing_was_logged, post
from tests.hardening.event_values import ACCEPTED, MARK, REFUSED, EventRow

BATCH = """mutation ($input: BatchInput!) { trackBatch(input: $input) {
  accepted duplicates rejected results { verdict eventId reason message } } }"""
SINGLE = "mutation ($input: EventInput!) { trackEvent(input: $input) { verdict reason message } }"
NEIGHBOUR = '{"type": "PAGE_VIEW", "sessionId": "neighbour"}'


@pytest_asyncio.fixture(scope="module")
async def api(mongo_url: str, database_name: str) -> AsyncIterator[Any]:
    """One application for all rows."""
    async with api_maker(mongo_url, database_name) as make:
        yield await make()


@pytest_asyncio.fixture(autouse=True)
async def _emptied(api: Api) -> None:
    for name in ("events", "decisions"):
        await api.database[name].delete_many({})


def event_text(fields: dict[str, Any] | str) -> str:
    """An event as JSON text; of a name that is there twice the second one counts."""
    inside = fields if isinstance(fields, str) else json.dumps(fields)[1:-1]
    return f'{{"type": "CUSTOM", "name": "odd", "sessionId": "odd", {inside}}}'


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
async def test_a_refused_event_sinks_no_neighbour_and_leaves_nothing(
    api: Api, row: EventRow, caplog: pytest.LogCaptureFixture
) -> None:
    """In a batch: its reason and field, its neighbours counted, the value nowhere any more."""
    listen(caplog)
    events = f"[{NEIGHBOUR}, {event_text(row.fields)}, {NEIGHBOUR}]"
    response = await post(api, BATCH, f'{{"input": {{"events": {events}}}}}')
    answer = response.json()
    assert "errors" not in answer, answer
    first, refused, last = answer["data"]["trackBatch"]["results"]
    assert (first["verdict"], last["verdict"]) == ("ACCEPTED", "ACCEPTED")
    assert (refused["verdict"], refused["reason"]) == ("REJECTED", row.reason)
    assert refused["message"].startswith(f"{row.field}"), refused["message"]
    assert MARK not in response.text
    stored = await api.database["events"].find({}).to_list(None)
    assert [event["session"] for event in stored] == ["neighbour", "neighbour"]
    assert MARK not in await all_stored(api)
    nothing_was_logged(caplog)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
async def test_alone_it_is_refused_by_the_same_field(
    api: Api, row: EventRow, caplog: pytest.LogCaptureFixture
) -> None:
    """A verdict, or BAD_USER_INPUT where GraphQL itself cannot read it; nothing of it is stored."""
    listen(caplog)
    response = await post(api, SINGLE, f'{{"input": {event_text(row.fields)}}}')
    answer = response.json()
    if "errors" in answer:
        [error, *_] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        told = error["message"]
        assert row.field == "event" or row.field in error["extensions"]["field"]
    else:
        told = answer["data"]["trackEvent"]["message"]
        assert answer["data"]["trackEvent"]["reason"] == row.reason
    assert row.field == "event" or row.field in told
    assert MARK not in response.text
    assert await api.database["events"].count_documents({}) == 0
    assert MARK not in await all_stored(api)
    nothing_was_logged(caplog)


@pytest.mark.parametrize("name", ACCEPTED)
async def test_what_is_only_unusual_is_kept_as_it_came(api: Api, name: str) -> None:
    """It counts, and is stored to the last digit."""
    fields, kept = ACCEPTED[name]
    response = await post(api, SINGLE, f'{{"input": {event_text(fields)}}}')
    assert response.json()["data"]["trackEvent"]["verdict"] == "ACCEPTED", response.text
    [event] = await api.database["events"].find({}).to_list(None)
    assert {field: event[field] for field in kept} == kept
