"""Item tokens, through the API: who needs one, what is accepted, and how secrets are changed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.core.auth import Scope
from tests.conftest import OTHER_SITE_KEYS
from tests.importing.importer import Importer

ROTATE = """mutation ($validFor: Int) { rotateItemTokenSecret(previousValidFor: $validFor) {
    number secret previousValidUntil } }"""
TOKENS = """query ($items: [ID!]!, $types: [EventType!], $session: ID, $seconds: Int) {
    itemTokens(itemIds: $items, types: $types, sessionId: $session, expiresIn: $seconds) {
        itemId token expiresAt } }"""
REQUIRE = "mutation { updateSite(input: {requireItemToken: true}) { requireItemToken } }"


async def rotate(api: Any, **variables: Any) -> dict[str, Any]:
    answer = await api.ask(ROTATE, variables)
    secret: dict[str, Any] = answer["rotateItemTokenSecret"]
    return secret


async def token(api: Any, item: str = "lot-1", keys: Any = None, **variables: Any) -> str:
    """A token that the API signed."""
    kw = {"keys": keys} if keys else {}
    answer = await api.ask(TOKENS, {"items": [item], **variables}, scope=Scope.READ, **kw)
    [signed] = answer["itemTokens"]
    assert signed["itemId"] == item
    return str(signed["token"])


async def track(api: Any, scope: Scope = Scope.WRITE, **event: Any) -> tuple[Any, Any]:
    """Verdict and reason of one event."""
    [result] = await api.track({"type": "IMPRESSION", "itemId": "lot-1"} | event, scope=scope)
    return result["verdict"], result["reason"]


async def message(api: Any, **event: Any) -> str:
    """What is said of an event that is refused."""
    [result] = await api.track({"type": "IMPRESSION", "itemId": "lot-1"} | event, scope=Scope.WRITE)
    assert (result["verdict"], result["reason"]) == ("REJECTED", "BAD_SIGNATURE")
    return str(result["message"])


@pytest.fixture
async def strict(api: Any) -> Any:
    """An application whose site demo has a secret and wants tokens."""
    await rotate(api)
    assert (await api.ask(REQUIRE))["updateSite"] == {"requireItemToken": True}
    return api


ACCEPTED = ("ACCEPTED", None)
REFUSED = ("REJECTED", "BAD_SIGNATURE")


async def test_a_site_that_does_not_ask_for_tokens_does_not_look_at_them(api: Any) -> None:
    """By default events are counted without one, and with any."""
    assert await track(api) == ACCEPTED
    assert await track(api, itemId="lot-2", itemToken="nonsense") == ACCEPTED


async def test_an_event_with_a_token_of_its_item_is_accepted(strict: Any) -> None:
    """Signed for any type and session, it is good for every event of the item, and stored nowhere."""
    signed = await token(strict)
    for kind in ("IMPRESSION", "VIEW", "CLICK", "ENGAGEMENT", "BOUNCE", "CONVERSION", "PAGE_VIEW"):
        assert await track(strict, type=kind, itemToken=signed) == ACCEPTED, kind
    assert await track(strict, type="CUSTOM", name="bid", itemToken=signed) == ACCEPTED
    async for document in strict.database.events.find():
        assert signed not in str(document)


@pytest.mark.parametrize(
    "kind",
    ["IMPRESSION", "VIEW", "CLICK", "ENGAGEMENT", "BOUNCE", "CONVERSION", "PAGE_VIEW", "CUSTOM"],
)
async def test_whatever_names_an_item_needs_one(strict: Any, kind: str) -> None:
    """Also conversions and events of one's own: what they name is counted for the item."""
    assert "is needed" in await message(strict, type=kind, name="bid")
    overview = "{ overview { current { events } } }"
    assert (await strict.ask(overview))["overview"]["current"]["events"] == 0


async def test_what_names_no_item_needs_none(strict: Any) -> None:
    """There would be nothing to sign."""
    for kind in ("PAGE_VIEW", "CONVERSION", "CUSTOM"):
        assert await track(strict, type=kind, name="bid", itemId=None) == ACCEPTED


async def test_admin_keys_and_answers_that_track_need_none(strict: Any) -> None:
    """A key that is kept on servers vouches for itself, and an answer of ours has shown its items."""
    assert await track(strict, Scope.ADMIN) == ACCEPTED
    await strict.ask('mutation { createItem(input: {id: "lot-9", title: "Vase"}) { id } }')
    search = '{ items(tracking: {sessionId: "s"}) { data { id } } }'
    await strict.ask(search, scope=Scope.READ)
    await strict.services.tracking.finish_background()
    found = await strict.ask('{ itemAnalytics(itemId: "lot-9") { impressions } }')
    assert found["itemAnalytics"]["impressions"] == 1


async def test_imports_need_none(strict: Any, tmp_path: Path) -> None:
    """What comes from a command is the operator's own."""
    importer = Importer(strict, tmp_path)
    line = '{"type": "VIEW", "itemId": "lot-1", "timestamp": "2026-06-14T10:00:00Z"}'
    tally = await importer.run(importer.write("events.ndjson", [line]))
    assert tally.accepted == 1


async def test_a_token_is_for_its_item_site_types_and_session(strict: Any) -> None:
    """For anything else it is as good as none, and the answer does not tell which it was."""
    await strict.ask(ROTATE, {}, keys=OTHER_SITE_KEYS)
    for_clicks = await token(strict, types=["CLICK", "IMPRESSION"])
    for_session = await token(strict, session="s-1")
    wrong = {
        await message(strict, itemToken=await token(strict, "lot-2")),
        await message(strict, itemToken=await token(strict, keys=OTHER_SITE_KEYS)),
        await message(strict, itemToken=for_clicks, type="VIEW"),
        await message(strict, itemToken=for_session, sessionId="s-2"),
        await message(strict, itemToken=for_session),
        await message(strict, itemToken="nonsense"),
    }
    assert len(wrong) == 1
    assert await track(strict, itemToken=for_clicks, type="CLICK") == ACCEPTED
    assert await track(strict, itemToken=for_session, sessionId="s-1") == ACCEPTED


async def test_a_token_ends_in_time(strict: Any) -> None:
    """It counts up to the second that it says, whatever time the event says of itself."""
    signed = await token(strict, seconds=60)
    strict.clock.advance(seconds=59)
    assert await track(strict, itemToken=signed) == ACCEPTED
    strict.clock.advance(seconds=1)
    before = "2026-06-15T12:00:00Z"
    assert "expired" in await message(strict, itemToken=signed, timestamp=before, sessionId="s")


async def test_a_retry_after_the_token_has_ended_counts_nothing_twice(strict: Any) -> None:
    """It is refused, not REPLAYED, and the event of before stays counted once."""
    event = {"id": "sent-twice", "itemToken": await token(strict, seconds=60)}
    assert await track(strict, **event) == ACCEPTED
    assert await track(strict, **event) == ("DUPLICATE", "REPLAYED")
    strict.clock.advance(seconds=60)
    assert await track(strict, **event) == REFUSED
    state = '{ explainEvent(eventId: "sent-twice") { state } overview { current { events } } }'
    found = await strict.ask(state)
    assert found["explainEvent"]["state"] == "COUNTED"
    assert found["overview"]["current"]["events"] == 1


async def test_after_a_rotation_the_secret_before_counts_for_a_while(strict: Any) -> None:
    """Two secrets at once, and never a third: old ones end at their time or with the next rotation."""
    first = await token(strict)
    rotated = await rotate(strict, validFor=3600)
    assert rotated["number"] == 2
    assert rotated["secret"].startswith("ff_item_2_")
    assert rotated["previousValidUntil"] == "2026-06-15T13:00:00.000Z"
    second = await token(strict)
    assert await track(strict, itemToken=first, sessionId="a") == ACCEPTED
    assert await track(strict, itemToken=second, sessionId="b") == ACCEPTED
    strict.clock.advance(hours=1)
    assert await track(strict, itemToken=first, sessionId="c") == REFUSED
    assert await track(strict, itemToken=second, sessionId="d") == ACCEPTED
    await rotate(strict)
    await rotate(strict)
    assert await track(strict, itemToken=second, sessionId="e") == REFUSED


async def test_a_rotation_is_in_the_log_of_admin_actions(api: Any) -> None:
    """By its number, with how long the one before counts; the secret is shown once and nowhere else."""
    secret = (await rotate(api, validFor=60))["secret"]
    log = "{ adminActions { data { action result target changes { name new } } } }"
    [action] = (await api.ask(log))["adminActions"]["data"]
    assert action == {
        "action": "rotateItemTokenSecret",
        "result": "DONE",
        "target": "1",
        "changes": [{"name": "previousValidFor", "new": 60}],
    }
    assert secret not in str(await api.ask(ROTATE))


async def test_a_leaked_secret_ends_at_once(strict: Any) -> None:
    """With no time given to it, what it signed is refused from then on."""
    signed = await token(strict)
    await rotate(strict, validFor=0)
    assert await track(strict, itemToken=signed) == REFUSED


async def test_two_first_rotations_at_once_are_two(api: Any) -> None:
    """Nobody is shown a secret that another one has overwritten unnumbered."""
    made = await asyncio.gather(*(rotate(api) for _ in range(5)))
    assert sorted(secret["number"] for secret in made) == [1, 2, 3, 4, 5]
    assert len({secret["secret"] for secret in made}) == 5


async def test_every_process_knows_a_new_secret_within_seconds(make_api: Any) -> None:
    """Another process accepts its tokens once what it knew is 5 seconds old."""
    one, two = await make_api(), await make_api(empty=False)
    await one.ask(REQUIRE)
    two.services.sites.sweep()
    two.services.sites._known_sites.clear()
    await rotate(one)
    signed = await token(one)
    assert await track(two, itemToken=signed) == ACCEPTED


async def test_a_rejected_event_can_be_released(strict: Any) -> None:
    """As when a host has signed wrongly for an hour: its events are in the ledger."""
    assert await track(strict, id="late") == REFUSED
    state = 'query { explainEvent(eventId: "late") { state decisions { reason rule } } }'
    explained = (await strict.ask(state))["explainEvent"]
    assert explained["decisions"] == [{"reason": "BAD_SIGNATURE", "rule": "bad_signature"}]
    released = await strict.ask('mutation { releaseEvent(eventId: "late") { verdict } }')
    assert released["releaseEvent"] == {"verdict": "ACCEPTED"}


async def test_without_a_secret_there_is_nothing_to_sign_with(api: Any) -> None:
    """The query says what to do first; and a site that asks for tokens all the same accepts nothing."""
    error = await api.refused(TOKENS, {"items": ["lot-1"]}, scope=Scope.READ)
    assert error["extensions"]["code"] == "CONFLICT"
    assert "rotateItemTokenSecret" in error["message"]
    await api.ask(REQUIRE)
    assert await track(api, itemToken=f"1.any.1799999999.1.{'A' * 22}") == REFUSED


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"items": []}, "itemIds"),
        ({"items": [""]}, "itemIds"),
        ({"items": ["a\0b"]}, "itemIds"),
        ({"items": ["a" * 257]}, "itemIds"),
        ({"items": ["a"] * 1001}, "itemIds"),
        ({"items": ["a"], "session": ""}, "sessionId"),
        ({"items": ["a"], "session": "a\x07"}, "sessionId"),
        ({"items": ["a"], "seconds": 0}, "expiresIn"),
        ({"items": ["a"], "seconds": 2_592_001}, "expiresIn"),
    ],
)
async def test_tokens_that_no_event_could_use_are_not_signed(
    strict: Any, variables: dict[str, Any], field: str
) -> None:
    """Bad arguments are named, and their values not repeated."""
    error = await strict.refused(TOKENS, variables, scope=Scope.READ)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


@pytest.mark.parametrize("seconds", [-1, 2_592_001])
async def test_rotations_have_bounds(api: Any, seconds: int) -> None:
    """The secret before counts for 0 seconds to 30 days."""
    error = await api.refused(ROTATE, {"validFor": seconds})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "previousValidFor"}


async def test_nulls_count_as_the_defaults(strict: Any) -> None:
    """A token for a day, any type and any session; a day for the secret before."""
    nulls = {"types": None, "session": None, "seconds": None}
    answer = await strict.ask(TOKENS, {"items": ["a"], **nulls}, scope=Scope.READ)
    [signed] = answer["itemTokens"]
    assert signed["expiresAt"] == "2026-06-16T12:00:00.000Z"
    assert signed["token"].startswith("1.any.1781611200.1.")
    rotated = await rotate(strict, validFor=None)
    assert rotated["previousValidUntil"] == "2026-06-16T12:00:00.000Z"
