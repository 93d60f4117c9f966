"""Data quality: every check by its definition, its limits, and what is said."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.analytics.quality.checks import (
    LIMITS,
    Check,
    Limits,
    QualityCode,
    Severity,
    Tally,
    checks,
)
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store

QUALITY = """query ($range: RangeInput) { dataQuality(range: $range) {
  start end asOf severity
  checks { code severity value affected total threshold warningThreshold higherIsBetter finding since }
  overclickedItems { itemId item { title } impressions clicks clickThroughRate } } }"""
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


async def ask(api: Any, **arguments: Any) -> Any:
    return (await api.ask(QUALITY, arguments))["dataQuality"]


def by_code(found: Any) -> dict[str, Any]:
    return {check["code"]: check for check in found["checks"]}


def shares(found: Any) -> dict[str, tuple[int, int]]:
    return {check["code"]: (check["affected"], check["total"]) for check in found["checks"]}


def ago(seconds: float) -> Any:
    return NOW - timedelta(seconds=seconds)


async def test_a_site_without_events_has_nothing_to_judge(api: Any) -> None:
    """Every check is there, is OK, has no value, and says so in words."""
    found = await ask(api)
    assert [check["code"] for check in found["checks"]] == list(QualityCode)
    assert found["severity"] == "OK"
    assert found["overclickedItems"] == []
    for check in found["checks"]:
        assert (check["value"], check["affected"], check["total"]) == (None, 0, 0)
        assert check["severity"] == "OK"
        assert check["finding"].startswith(("There are no ", "Nothing was received"))
    assert found["asOf"] == "2026-06-15T12:00:00.000Z"


async def test_every_share_of_events_by_its_definition(api: Any) -> None:
    """A handful of events, worked out by hand; what was withdrawn has no part in it."""
    derived = "v_" + "0123456789ab" * 2
    await store(
        event(item="a", session="1"),
        event(item="a", session="1"),
        event(item="b", session="2", client_at=ago(9)),
        event("VIEW", item="a", session="1", visitor=derived),
        event("PAGE_VIEW", session="1", page="/p", at=ago(10)),
        event("PAGE_VIEW", session="1", page="/p", at=ago(8.001)),
        event("PAGE_VIEW", session="1", page="/p", at=ago(6.001)),
        event("PAGE_VIEW", session="1", page="/q", at=ago(6)),
        event("PAGE_VIEW", session="1", at=ago(6)),
        event("PAGE_VIEW", session="1", at=ago(6)),
        event("CLICK", item="b", session="2"),
        event("CLICK", item="b", session="2"),
        event("CLICK", item="a", session="2", visitor=derived + "0"),
        event("ENGAGEMENT", item="b", session="2", void={"id": "x"}),
    )
    found = await ask(api, range={"preset": "LAST_7_DAYS"})
    assert shares(found) == {
        "MEASURABLE_RATE": (2, 3),
        "ACCEPTED_SHARE": (13, 14),
        "BOT_SHARE": (0, 14),
        "SKEWED_CLOCKS": (1, 13),
        "SESSIONS_WITHOUT_PAGE_VIEW": (1, 2),
        "MORE_CLICKS_THAN_IMPRESSIONS": (1, 2),
        "ITEMS_TRACKED_TWICE": (0, 4),
        "PAGE_VIEWS_TRACKED_TWICE": (1, 4),
        "DERIVED_VISITORS": (1, 13),
    }
    for check in found["checks"]:
        assert check["value"] == 100 * check["affected"] / check["total"]
        assert check["since"] == found["start"]
    assert found["severity"] == "WARNING"


async def test_what_was_received_is_counted_or_in_the_ledger(api: Any) -> None:
    """Accepted, repeats and rejected events as they are tracked; what was released is counted."""
    who = {"itemId": "a", "sessionId": "s", "visitorId": "v"}
    await api.track(
        {"type": "IMPRESSION", "id": "one", "timestamp": ago(60).isoformat(), **who},
        {"type": "IMPRESSION", "timestamp": ago(59.001).isoformat(), **who},
        {"type": "IMPRESSION", "timestamp": ago(59).isoformat(), **who},
        {"type": "IMPRESSION", "timestamp": ago(60.5).isoformat(), **who},
        {"type": "IMPRESSION", "id": "one", **who},
        {"type": "CLICK", "timestamp": ago(60).isoformat(), **who},
        {"type": "CLICK", "timestamp": ago(59.9).isoformat(), **who},
        {"type": "IMPRESSION", "sessionId": "s"},
        {"type": "CLICK", "id": "bot", "userAgent": GOOGLEBOT, **who},
        {"type": "VIEW", "id": "bot2", "userAgent": GOOGLEBOT, **who},
        {"type": "VIEW", "timestamp": "2016-01-01", **who},
    )
    found = await ask(api)
    assert shares(found)["ACCEPTED_SHARE"] == (2, 11)
    assert shares(found)["BOT_SHARE"] == (2, 11)
    # Less than a second from the counted one: the first and the last of the three, not the second.
    assert shares(found)["ITEMS_TRACKED_TWICE"] == (2, 3)
    assert "reason is COOLDOWN, of 4 events" in by_code(found)["ACCEPTED_SHARE"]["finding"]

    await api.ask('mutation { releaseEvent(eventId: "bot") { verdict } }')
    found = await ask(api)
    assert (shares(found)["ACCEPTED_SHARE"], shares(found)["BOT_SHARE"]) == ((3, 11), (1, 11))
    await api.ask('mutation { voidEvents(filter: {eventIds: ["one"]}, reason: "x") { voidId } }')
    assert shares(await ask(api))["ACCEPTED_SHARE"] == (2, 11)


async def test_what_the_site_leaves_out_is_no_loss(api: Any) -> None:
    """EXCLUDED and SAMPLED_OUT are not what should have been counted."""
    await api.ask('mutation { updateSite(input: {excludedSources: ["test"]}) { name } }')
    await api.track(
        *[{"type": "PAGE_VIEW", "source": "test"} for _ in range(9)], {"type": "PAGE_VIEW"}
    )
    found = await ask(api)
    assert shares(found)["ACCEPTED_SHARE"] == (1, 1)
    assert shares(found)["BOT_SHARE"] == (0, 10)


async def test_the_ledger_says_nothing_of_what_it_no_longer_has(make_api: Any) -> None:
    """Checks that need it begin where it does, with the accepted events too; the others do not."""
    api = await make_api(ledger_retention_days=1)
    begins = NOW - timedelta(days=1) + timedelta(minutes=5)
    await store(
        event(item="a", at=begins - timedelta(milliseconds=1)),
        event(item="a", at=begins),
        event(item="b", at=NOW),
    )
    decision = {"site": "demo", "event": "e", "type": "VIEW", "verdict": "REJECTED", "reason": "BOT",
                "rule": "bot", "rule_version": 1}  # fmt: skip
    await api.database["decisions"].insert_many(
        [
            {**decision, "_id": "1", "at": NOW - timedelta(days=2), "received_at": NOW},
            {**decision, "_id": "2", "at": begins, "received_at": NOW},
            {**decision, "_id": "3", "site": "other", "at": NOW, "received_at": NOW},
            {**decision, "_id": "4", "at": NOW, "received_at": NOW, "released_at": NOW},
        ]
    )
    found = by_code(await ask(api))
    assert found["SKEWED_CLOCKS"]["total"] == 3
    assert (found["ACCEPTED_SHARE"]["affected"], found["ACCEPTED_SHARE"]["total"]) == (2, 3)
    assert found["ACCEPTED_SHARE"]["since"] == "2026-06-14T12:05:00.000Z"
    assert found["SKEWED_CLOCKS"]["since"] == "2026-05-16T12:00:00.000Z"
    long_ago = {"start": "2026-05-01", "end": "2026-06-01"}
    found = by_code(await ask(api, range=long_ago))
    assert found["ACCEPTED_SHARE"]["value"] is None
    assert found["ACCEPTED_SHARE"]["since"] == "2026-06-01T00:00:00.000Z"


async def test_a_tracker_installed_twice_is_found(api: Any) -> None:
    """Two of everything within milliseconds: both checks warn, and say that it is there twice."""
    for n in range(10):
        who = {"sessionId": f"s{n}", "pageUrl": "https://shop.example/p?x=1"}
        for late in (0, 0.04):
            at = ago(100 - late).isoformat()
            await api.track(
                {"type": "PAGE_VIEW", "timestamp": at, **who},
                {"type": "IMPRESSION", "itemId": "a", "timestamp": at, **who},
            )
    found = by_code(await ask(api))
    for code in ("ITEMS_TRACKED_TWICE", "PAGE_VIEWS_TRACKED_TWICE"):
        assert (found[code]["value"], found[code]["severity"]) == (50.0, "WARNING")
        assert "installed twice" in found[code]["finding"]


async def test_derived_visitors_are_told_from_named_ones(api: Any) -> None:
    """An event without visitorId counts as derived, one with its own does not, as they are tracked."""
    await api.track(
        {"type": "PAGE_VIEW"},
        {"type": "PAGE_VIEW", "userId": "u"},
        {"type": "PAGE_VIEW", "visitorId": "v_mine"},
        {"type": "PAGE_VIEW", "visitorId": "v"},
    )
    check = by_code(await ask(api))["DERIVED_VISITORS"]
    assert (check["affected"], check["total"]) == (2, 4)
    assert (check["severity"], check["warningThreshold"]) == ("NOTICE", None)


async def test_clocks_that_are_off_are_counted(api: Any) -> None:
    """Events whose time was corrected by what the batch said of its sender's clock."""
    batch = """mutation ($at: DateTime) { trackBatch(input: {sentAt: $at, events: [
      {type: PAGE_VIEW, timestamp: $at}, {type: PAGE_VIEW}]}) { accepted } }"""
    await api.ask(batch.replace("$at: DateTime", "$at: DateTime!"), {"at": ago(3_600).isoformat()})
    assert shares(await ask(api))["SKEWED_CLOCKS"] == (1, 2)


async def test_the_items_with_the_most_clicks_beyond_their_impressions(api: Any) -> None:
    """At most ten, most first, then by id; those without any impression have no rate."""
    items = {f"i{n:02}": (1, 2) for n in range(11)} | {"zz": (2, 9), "none": (0, 3), "fine": (5, 5)}
    await store(
        *[
            event(kind, item=item)
            for item, counts in items.items()
            for kind, number in zip(("IMPRESSION", "CLICK"), counts, strict=True)
            for _ in range(number)
        ]
    )
    await api.ask('mutation { createItem(input: {id: "zz", title: "Vase"}) { id } }')
    found = await ask(api)
    listed = found["overclickedItems"]
    assert [item["itemId"] for item in listed] == ["zz", "none", *[f"i{n:02}" for n in range(8)]]
    assert listed[0] == {
        "itemId": "zz", "item": {"title": "Vase"}, "impressions": 2, "clicks": 9,
        "clickThroughRate": 450.0,
    }  # fmt: skip
    assert (listed[1]["item"], listed[1]["clickThroughRate"]) == (None, None)
    assert shares(found)["MORE_CLICKS_THAN_IMPRESSIONS"] == (13, 14)
    assert await api.ask("{ dataQuality { overclickedItems { clicks } } }")


@pytest.mark.parametrize("field", ["range.start", "range"])
async def test_a_range_that_is_none_is_refused(api: Any, field: str) -> None:
    """BAD_USER_INPUT with the field."""
    given = {"end": "2026-06-01"} if field == "range.start" else {"start": "2026-07-01"}
    error = await api.refused(QUALITY, {"range": given})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


async def test_it_ends_in_time(make_api: Any) -> None:
    """Where the server allows next to no time, the answer is LIMIT_EXCEEDED and nothing else."""
    api = await make_api(report_timeout=1e-6)
    error = await api.refused("{ dataQuality { severity } }")
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("value", "severity"),
    [(None, "OK"), (0, "OK"), (5, "OK"), (5.001, "NOTICE"), (20, "NOTICE"), (20.001, "WARNING")],
)
def test_limits_are_crossed_beyond_them(value: float | None, severity: str) -> None:
    """Exactly at a limit is within it, in both directions."""
    assert Limits(5, 20).severity(value) == severity
    mirrored = None if value is None else 100 - value
    assert Limits(95, 80, higher_is_better=True).severity(mirrored) == severity


def check(code: QualityCode, **counted: Any) -> Check:
    found = checks(Tally(**counted), NOW, NOW)
    return next(each for each in found if each.code is code)


def test_words_never_round_to_all_or_nothing() -> None:
    """What is nearly all or nearly none is not said to be it."""
    code = QualityCode.SKEWED_CLOCKS
    for skewed, words in ((0, "0%"), (1, "Less than 0.1%"), (99_999, "More than 99.9%"), (2_000, "2%"),
        (2_500, "2.5%"),
        (100_000, "100%")):  # fmt: skip
        assert check(code, skewed=skewed, events=100_000).finding.startswith(f"{words} of the")


@pytest.mark.parametrize(
    "reason",
    ["REPLAYED", "COOLDOWN", "BOT", "RATE_LIMITED", "NO_CONSENT", "INVALID", "TIMESTAMP", "VOIDED"],
)
def test_the_main_loss_is_named_and_there_is_something_to_do(reason: str) -> None:
    """Of several reasons the most frequent one, and never one that the site wanted."""
    counted = {
        "EXCLUDED": 900,
        "SAMPLED_OUT": 900,
        **dict.fromkeys(("BOT", "INVALID"), 1),
        reason: 40,
    }
    found = check(QualityCode.ACCEPTED_SHARE, events_since=10, not_counted=counted)
    assert found.severity is Severity.WARNING
    assert f"reason is {reason}, of 40 events. " in found.finding
    assert ".  " not in found.finding


def test_a_site_without_page_views_is_only_told_so() -> None:
    """Whoever tracks none has decided so; whoever loses most of them has a problem."""
    code = QualityCode.SESSIONS_WITHOUT_PAGE_VIEW
    without = check(code, sessions=10, without_page_view=10)
    assert without.severity is Severity.NOTICE
    assert "tracks no page views" in without.finding
    lost = check(code, sessions=10, without_page_view=9, page_views=1)
    assert lost.severity is Severity.WARNING


def test_every_check_has_limits_and_words() -> None:
    """A new check without fails; where all is well nothing is advised."""
    found = checks(Tally(events=1, events_since=1, impressions=1, measured=1), NOW, NOW)
    assert {each.code for each in found} == set(QualityCode) == set(LIMITS)
    assert all(each.finding for each in found)
    assert all(each.severity is Severity.OK for each in found)


stored_events = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["IMPRESSION", "VIEW", "CLICK", "PAGE_VIEW", "PAGE_VIEW", "ENGAGEMENT"]),
            "session": st.sampled_from("rst"),
            "visitor": st.sampled_from(["v", "v_" + "0" * 24, "v_" + "g" * 24, "v_0"]),
            "at": st.integers(-2, 40).map(lambda half: ago(half / 2 * 0.999)),
        },
        optional={
            "page": st.sampled_from(["/p", "/q"]),
            "client_at": st.just(NOW),
            "void": st.just({"id": "x"}),
        },
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(events=stored_events, items=st.lists(st.sampled_from(["a", "b", "c"]), min_size=30))
async def test_shares_are_what_the_oracle_says(
    api: Any, events: list[dict[str, Any]], items: list[str]
) -> None:
    """Any events: the numbers of every check that needs no ledger."""
    for e, item in zip(events, items, strict=False):
        if e["type"] != "PAGE_VIEW":
            e["item"] = item
    await api.database["events"].delete_many({})
    await store(*[event(e["type"], **{k: v for k, v in e.items() if k != "type"}) for e in events])
    end = NOW - timedelta(seconds=1)
    found = await ask(api, range={"start": ago(15).isoformat(), "end": end.isoformat()})
    within = [e for e in events if ago(15) <= e["at"] < end and "void" not in e]
    voided = [e for e in events if ago(15) <= e["at"] < end and "void" in e]

    def of(*types: str) -> list[dict[str, Any]]:
        return [e for e in within if e["type"] in types]

    measuring = {e["session"] for e in of("VIEW", "ENGAGEMENT")}
    sessions = {e["session"] for e in within}
    clicks = {item: sum(e["item"] == item for e in of("CLICK")) for item in "abc"}
    shown = {item: sum(e["item"] == item for e in of("IMPRESSION")) for item in "abc"}
    paged = sorted((e["session"], e["page"], e["at"]) for e in of("PAGE_VIEW") if "page" in e)
    at_once = [
        (one, next_one)
        for one, next_one in pairwise(paged)
        if one[:2] == next_one[:2] and next_one[2] - one[2] < timedelta(seconds=2)
    ]
    derived = [e for e in within if e["visitor"] == "v_" + "0" * 24]
    assert shares(found) == {
        "MEASURABLE_RATE": (
            sum(e["session"] in measuring for e in of("IMPRESSION")),
            len(of("IMPRESSION")),
        ),
        "ACCEPTED_SHARE": (len(within), len(within) + len(voided)),
        "BOT_SHARE": (0, len(within) + len(voided)),
        "SKEWED_CLOCKS": (sum("client_at" in e for e in within), len(within)),
        "SESSIONS_WITHOUT_PAGE_VIEW": (
            len(sessions - {e["session"] for e in of("PAGE_VIEW")}),
            len(sessions),
        ),
        "MORE_CLICKS_THAN_IMPRESSIONS": (
            sum(clicks[item] > shown[item] for item in "abc"),
            sum(clicks[item] > 0 for item in "abc"),
        ),
        "ITEMS_TRACKED_TWICE": (0, len(of("IMPRESSION", "VIEW"))),
        "PAGE_VIEWS_TRACKED_TWICE": (len(at_once), len(paged)),
        "DERIVED_VISITORS": (len(derived), len(within)),
    }
