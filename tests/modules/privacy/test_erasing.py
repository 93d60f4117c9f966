"""Erasing a visitor or a user, and exporting what is stored of them."""

import asyncio
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import UnavailableError
from app.modules.analytics.rollups.worker import LEASE, LEASE_SECONDS
from app.modules.privacy import erasing
from app.modules.privacy.erasing import ErasureService
from app.repositories.leases import LeaseRepository
from app.repositories.personal_data import personal_data
from app.schemas import DOCUMENTS
from tests.conftest import NOW
from tests.modules.analytics.asking import event, report, store
from tests.modules.privacy.looking import ERASE, EXPORT, export, naming

WHO = "visitor-to-be-erased"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
LONG = {"preset": "LAST_90_DAYS"}
NOTHING = {"events": 0, "sessions": 0, "decisions": 0, "goneEvents": 0}


async def erase(api: Any, **who: str) -> dict[str, Any]:
    receipt: dict[str, Any] = (await api.ask(ERASE, who))["eraseVisitor"]
    return receipt


async def roll_up(api: Any) -> None:
    await api.services.rollups.roll_up(0, 0, 0)
    await api.services.rollups.release()


async def events_of(api: Any, **arguments: Any) -> tuple[int, int]:
    """Events and visitors of the last 90 days."""
    totals = (await report(api, range=LONG, **arguments))["totals"]
    return totals["events"], totals["uniqueVisitors"]


async def fill(api: Any) -> None:
    """Something of every kind of one visitor, and somebody else in the same session."""
    theirs = {"visitorId": WHO, "userId": "user-1", "sessionId": "shared", "itemId": "lot-1"}
    await api.track(
        {"type": "IMPRESSION", "id": "seen", **theirs},
        {"type": "IMPRESSION", "id": "again", **theirs},
        {"type": "CLICK", "id": "bot", "userAgent": GOOGLEBOT, **theirs},
        {"type": "CONVERSION", "id": "sale", "conversionValue": "5", **theirs},
        {"type": "PAGE_VIEW", "id": "early", **theirs, "timestamp": "2026-06-10T08:00:00Z"},
        {"type": "PAGE_VIEW", "id": "other", "visitorId": "somebody", "sessionId": "shared",
         "timestamp": "2026-06-15T12:00:10Z"},
    )  # fmt: skip
    await api.ask('mutation { voidEvents(filter: {eventIds: ["sale"]}, reason: "x") { voided } }')


async def test_everything_that_names_a_visitor_goes(api: Any) -> None:
    """Events, withdrawn ones too, sessions, the ledger, claims and rollups; somebody else in the same
    session stays, and so do the numbers of what is left."""
    await fill(api)
    await roll_up(api)
    assert len(await naming(api, WHO)) > 10
    receipt = await erase(api, v=WHO)
    assert receipt["removed"] == {"events": 3, "sessions": 2, "decisions": 2, "goneEvents": 0}
    assert receipt["finishedAt"] is not None
    assert await naming(api, WHO) == []
    assert await events_of(api) == (1, 1)
    left = await api.database["events"].find({}).to_list(None)
    assert [one["_id"] for one in left] == ["demo:other"]
    assert await api.database["decisions"].count_documents({}) == 0
    assert await api.database["session_items"].count_documents({}) == 0
    [session] = await api.database["sessions"].find({}).to_list(None)
    assert (session["visitor"], session["events"]) == ("somebody", 1)
    audit = await api.ask("{ audit { received accepted } }")
    assert audit["audit"] == {"received": 1, "accepted": 1}


async def test_ids_made_of_a_visitors_go_too(api: Any) -> None:
    """Ids of events that have the visitor's in them are not left in what is kept of others: not as what
    stands for them, as a repeat of the same id, nor as an event that was released, invalid or refused."""
    theirs = {"visitorId": WHO, "sessionId": "shared", "itemId": "lot-1"}
    others = {"visitorId": "somebody", "sessionId": "shared", "itemId": "lot-1"}
    await api.track(
        {"type": "CLICK", "id": f"{WHO}-click", **theirs},
        {"type": "CLICK", "id": "in-its-cooldown", **others},
        {"type": "CLICK", "id": f"{WHO}-click", **others},
        {"type": "CLICK", "id": f"{WHO}-invalid", "scrollDepth": 500, **theirs},
        {"type": "PAGE_VIEW", "id": f"{WHO}-bot", "userAgent": GOOGLEBOT, **theirs},
        {"type": "PAGE_VIEW", "id": f"{WHO}-old", "timestamp": "2020-01-01T00:00:00Z", **theirs},
    )
    release = "mutation ($id: ID!) { releaseEvent(eventId: $id) { verdict } }"
    for released in ("bot", "old"):
        await api.ask(release, {"id": f"{WHO}-{released}"})
    await api.ask("mutation { updateSite(input: {consentRequired: true}) { id } }")
    await api.track({"type": "CLICK", "id": f"{WHO}-no-consent", **theirs})
    await roll_up(api)
    await erase(api, v=WHO)
    assert await naming(api, WHO) == []
    ledger = await api.database["decisions"].find({}).sort("reason", 1).to_list(None)
    reasons = [decision["reason"] for decision in ledger]
    assert reasons == ["COOLDOWN", "INVALID", "NO_CONSENT", "REPLAYED"]
    assert not [decision for decision in ledger if "stands_for" in decision]
    log = (
        '{ adminActions(range: {preset: ALL}, action: "releaseEvent") { data { target result } } }'
    )
    actions = (await api.ask(log))["adminActions"]["data"]
    assert actions == [{"target": None, "result": "DONE"}] * 2
    explain = "query ($id: ID!) { explainEvent(eventId: $id) { state decisions { reason } } }"
    for event_id, reason in (("invalid", "INVALID"), ("no-consent", "NO_CONSENT")):
        found = (await api.ask(explain, {"id": f"{WHO}-{event_id}"}))["explainEvent"]
        assert found == {"state": "NOT_COUNTED", "decisions": [{"reason": reason}]}
    assert (await api.ask("{ audit { differences } }"))["audit"]["differences"] == []


async def test_a_user_is_erased_by_their_own_id(api: Any) -> None:
    """Events that carry the userId go; those of the same visitor without it stay."""
    await fill(api)
    await api.track({"type": "PAGE_VIEW", "visitorId": WHO, "sessionId": "before-login"})
    receipt = await erase(api, u="user-1")
    assert receipt["removed"]["events"] == 3
    assert await naming(api, "user-1") == []
    assert await events_of(api) == (2, 2)


async def test_a_receipt_proves_without_naming(api: Any) -> None:
    """Who has the proof can show that this id was erased; what is stored has neither id nor proof."""
    await fill(api)
    receipt = await erase(api, v=WHO)
    told = f"visitor:{WHO}".encode()
    digest = hmac.new(receipt["proof"].encode(), told, hashlib.sha256).hexdigest()
    assert receipt["digest"] == digest
    assert await naming(api, receipt["proof"]) == []
    query = "{ erasures { receiptId digest proof kind finishedAt removed { events } } }"
    [listed] = (await api.ask(query))["erasures"]
    assert (listed["digest"], listed["proof"], listed["kind"]) == (digest, None, "VISITOR")
    one = "query ($id: ID!) { erasure(receiptId: $id) { digest removed { events } } }"
    found = (await api.ask(one, {"id": receipt["receiptId"]}))["erasure"]
    assert found == {"digest": digest, "removed": {"events": 3}}
    stored = await api.database["erasures"].find_one({})
    assert not {"subject", "quarters", "sessions"} & set(stored)


async def test_erasing_again_or_nobody_removes_nothing(api: Any) -> None:
    """It may be repeated; each time there is a receipt."""
    await fill(api)
    await erase(api, v=WHO)
    for who in (WHO, "nobody"):
        receipt = await erase(api, v=who)
        assert receipt["removed"] == NOTHING
        assert receipt["finishedAt"] is not None
    assert await events_of(api) == (1, 1)


async def test_sketches_are_those_of_who_is_left(api: Any) -> None:
    """Of more visitors than are counted one by one: every rollup is byte for byte what it is on a site
    that the visitor never came to."""
    day = NOW.replace(hour=9) - timedelta(days=8)
    for site in ("demo", "other"):
        visitors = [f"v{number}" for number in range(1_100)]
        if site == "demo":
            visitors.insert(500, WHO)
        sent = [
            event("CLICK", site=site, visitor=v, session=f"s{v}", at=day + timedelta(seconds=n % 7))
            for n, v in enumerate(visitors)
        ]
        await store(*sorted(sent, key=lambda one: one["visitor"]), site=site)
    await roll_up(api)
    rollups = api.database["rollups"]

    async def contents(site: str) -> dict[str, Any]:
        found = rollups.find({"site": site})
        return {one["_id"].partition("|")[2]: one["content"] async for one in found}

    assert await contents("demo") != await contents("other")
    await erase(api, v=WHO)
    assert await naming(api, WHO) == []
    assert await contents("demo") == await contents("other")
    assert any("sketch" in str(content) for content in (await contents("demo")).values())


async def test_events_that_are_gone_are_forgotten_too(make_api: Any) -> None:
    """Of events that retention has deleted, and of those that an admin has, only rollups know: they are
    cut out, so that reports agree; the other events of the same quarters stay counted."""
    api = await make_api(data_retention_days=10, report_cache_size=0)
    old, late = NOW - timedelta(days=9), NOW - timedelta(days=5)
    for at in (old, late):
        await store(
            event("CLICK", visitor=WHO, at=at), event("CLICK", at=at), event("CLICK", at=at)
        )
    await roll_up(api)
    await api.ask("mutation { cleanOldEvents(daysToKeep: 7) { events } }")
    await roll_up(api)
    api.clock.advance(days=6)
    await api.database["events"].delete_many({"at": late})  # as the database does for their age
    assert await events_of(api) == (6, 2)
    exported = await export(api, v=WHO)
    gone = [r["data"]["events"] for r in exported if r["kind"] == "gone_events"]
    assert [[one["type"] for one in each] for each in gone] == [["CLICK"], ["CLICK"]]
    receipt = await erase(api, v=WHO)
    assert receipt["removed"]["goneEvents"] == 2
    assert await naming(api, WHO) == []
    for _ in range(2):
        assert await events_of(api) == (4, 1)
        await roll_up(api)


@pytest.mark.parametrize("days_after", [3_600, 0])
async def test_days_and_weeks_that_wait_are_not_forgotten(api: Any, days_after: int) -> None:
    """Of an event that was withdrawn and then deleted, a day (or only its week) that has not been rolled
    up since still knows the visitor, and no quarter does: erasing reaches it all the same."""
    old = NOW - timedelta(days=20)
    await store(event("CLICK", visitor=WHO, at=old), event("CLICK", at=old))
    await roll_up(api)
    await api.ask(
        'mutation ($v: ID!) { voidEvents(filter: {visitorId: $v}, reason: "x") { voided } }',
        {"v": WHO},
    )
    await api.ask("mutation { cleanOldEvents(daysToKeep: 7) { events } }")
    await api.services.rollups.roll_up(0, days_after, 3_600)
    await api.services.rollups.release()
    assert "rollups" in {one.partition(":")[0] for one in await naming(api, WHO)}
    await erase(api, v=WHO)
    assert await naming(api, WHO) == []
    assert await events_of(api) == (1, 1)


async def test_a_cached_report_is_not_answered_again(api: Any) -> None:
    """What a process keeps of finished days follows at once."""
    day = NOW - timedelta(days=3)
    await store(event(visitor=WHO, at=day), event(visitor="v", at=day))
    await roll_up(api)
    range_ = {"start": "2026-06-10T00:00:00Z", "end": "2026-06-14T00:00:00Z"}
    assert (await report(api, range=range_))["totals"]["events"] == 2
    await erase(api, v=WHO)
    assert (await report(api, range=range_))["totals"]["events"] == 1


@pytest.mark.parametrize("step", ["mark", "forget_sessions", "forget"])
async def test_what_a_crash_interrupts_is_finished(
    api: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports are right from the first moment that an event is gone; the next look finishes it."""
    await fill(api)
    await roll_up(api)
    service: ErasureService = api.services.erasures
    calls = 0

    async def crash(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if step != "forget_sessions" or calls > 1:  # the first call has nothing to do yet
            raise RuntimeError("the process died here")

    with monkeypatch.context() as patched:
        patched.setattr(service._computed, step, crash)
        error = await api.refused(ERASE, {"v": WHO})
        assert error["extensions"]["code"] == "INTERNAL"
    left = await api.database["events"].count_documents({"void": {"$exists": False}})
    assert (await events_of(api))[0] == left
    assert await service.finish_all() == 1
    assert await service.finish_all() == 0
    [receipt] = await service.newest("demo", 10)
    assert receipt.finished_at is not None
    assert (receipt.removed["events"], receipt.removed["decisions"]) == (3, 2)
    assert await naming(api, WHO) == []
    assert await events_of(api) == (1, 1)
    [session] = await api.database["sessions"].find({}).to_list(None)
    assert (session["visitor"], session["events"]) == ("somebody", 1)


async def test_it_waits_for_a_roll_up_and_goes_on_by_itself(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process rolls up nothing is touched; the receipt says that it is not finished."""
    monkeypatch.setattr(erasing, "PATIENCE", timedelta(0))
    await fill(api)
    assert await LeaseRepository().acquire(LEASE, "another", LEASE_SECONDS)
    receipt = await erase(api, v=WHO)
    assert receipt["finishedAt"] is None
    assert await events_of(api) == (3, 2)
    with pytest.raises(UnavailableError):
        await api.services.erasures.finish_all()
    await LeaseRepository().release(LEASE, "another")
    assert await api.services.erasures.finish_all() == 1
    assert await naming(api, WHO) == []


async def test_a_caller_does_not_wait_for_long(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes its time is answered before it has ended and goes on; a shutdown ends it in order, and
    whoever runs next finishes it."""
    monkeypatch.setattr(erasing, "ANSWER_AFTER", timedelta(0))
    await fill(api)
    service: ErasureService = api.services.erasures
    got_there = asyncio.Event()

    async def take_for_ever(*_: Any) -> None:
        got_there.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(service._computed, "forget", take_for_ever)
        assert (await erase(api, v=WHO))["finishedAt"] is None
        await got_there.wait()
        await service.stop()
    assert await service.finish_all() == 1
    assert await naming(api, WHO) == []
    assert (await erase(api, v="somebody"))["finishedAt"] is None
    await asyncio.gather(*service._under_way)
    assert all(one.finished_at for one in await service.newest("demo", 10))
    assert await naming(api, "somebody") == []


async def test_another_site_keeps_its_visitor_of_the_same_id(api: Any) -> None:
    """Erasing and exporting know one site alone."""
    await fill(api)
    await store(event(site="other", visitor=WHO), site="other")
    await erase(api, v=WHO)
    assert await naming(api, WHO) == []
    assert len(await naming(api, WHO, "other")) == 1


async def test_an_export_has_everything_that_is_stored(api: Any) -> None:
    """Every document that names them is in it, whole, and nothing else; small pages say the same as one."""
    await fill(api)
    await api.track(
        {"type": "CLICK", "id": "ok", "itemId": "a", "visitorId": WHO, "sessionId": "s",
         "consentGiven": True, "consentVersion": "v3", "consentPurposes": ["analytics", "ads"]}
    )  # fmt: skip
    await roll_up(api)
    records = await export(api, v=WHO)
    assert await export(api, v=WHO, limit=1) == records
    kinds = [record["kind"] for record in records]
    assert kinds == ["events"] * 4 + ["sessions"] * 3 + ["decisions"] * 2
    by_id = {record["data"]["id"]: record["data"] for record in records}
    assert set(by_id) >= {"seen", "sale", "early", "ok"}
    assert by_id["sale"]["void"]["why"] == "x"
    assert by_id["sale"]["value"] == "5"
    assert by_id["ok"]["consent_version"] == "v3"
    assert by_id["ok"]["consent_purposes"] == ["analytics", "ads"]
    assert "other" not in by_id
    [rejected] = [r["data"] for r in records if "document" in r["data"]]
    assert rejected["document"]["visitor"] == WHO
    named = {path.partition(":")[0] for path in await naming(api, WHO)}
    assert named == {*kinds, "quarter_hours", "rollups"}


def test_no_collection_is_left_out() -> None:
    """Every document that has a visitor or a user is among those that are exported and erased."""
    naming_fields = {"visitor", "user"}
    holders = {
        document.Settings.name
        for document in DOCUMENTS
        if naming_fields & set(document.model_fields)
    }
    assert holders == {data.document.Settings.name for data in personal_data().values()}


@pytest.mark.parametrize(
    ("who", "field"),
    [
        ({}, None),
        ({"v": "a", "u": "b"}, None),
        ({"v": ""}, "visitorId"),
        ({"u": "x" * 257}, "userId"),
        ({"v": "a\x00"}, "visitorId"),
    ],
)
async def test_who_must_be_said_in_one_way(api: Any, who: dict[str, str], field: str) -> None:
    """Neither, both, and ids that no event can have are BAD_USER_INPUT, of both operations."""
    for query in (ERASE, EXPORT):
        error = await api.refused(query, who)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["extensions"].get("field") == field
    assert await api.database["erasures"].count_documents({}) == 0


@pytest.mark.parametrize(
    "page",
    [
        {"limit": 0},
        {"limit": 1_001},
        {"after": "elsewhere|x"},
        {"after": "gone_events|x"},
        {"after": "gone_events|99999999999999999"},
        {"after": "events|" + "x" * 600},
        {"after": "events|\x00"},
    ],
)
async def test_pages_must_be_possible(api: Any, page: dict[str, Any]) -> None:
    """Limits and cursors that were never answered are refused."""
    error = await api.refused(EXPORT, {"v": WHO, **page})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_unknown_receipt_is_not_found(api: Any) -> None:
    """And so is one of another site."""
    await erase(api, v=WHO)
    [stored] = await api.services.erasures.newest("demo", 1)
    query = "query ($id: ID!) { erasure(receiptId: $id) { digest } }"
    await api.database["erasures"].update_one({}, {"$set": {"site": "other"}})
    for receipt in (stored.id, "none", "x" * 200):
        error = await api.refused(query, {"id": receipt})
        assert error["extensions"]["code"] == "NOT_FOUND"
