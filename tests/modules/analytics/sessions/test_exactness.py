"""For any events, in any order of arrival, with withdrawals and rollups at any time: stored and
live answers are those derived from raw events, and what a plain oracle says."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.quarters import quarter_of
from app.modules.analytics.sessions import counting
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.sessions import oracle
from tests.modules.analytics.sessions.asking import (
    arrive,
    mark,
    metrics,
    page,
    roll_up,
    roll_up_all,
    stored,
)

BASE = NOW - timedelta(days=2)
# Pauses of just 30 minutes, and quarters of an hour and their edges, come up often.
instants = st.builds(
    lambda minutes, ms: BASE + timedelta(minutes=minutes, milliseconds=ms),
    st.one_of(st.integers(0, 8).map(lambda n: 15 * n), st.integers(0, 150)),
    st.sampled_from([0, 0, 0, -1, 1, 500]),
)
PAGES = ["https://shop.example/", "https://shop.example/b", "/c"]


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event as it is stored, without its id."""
    found = {
        "type": draw(st.sampled_from(["PAGE_VIEW", "PAGE_VIEW", "IMPRESSION", "VIEW", "CLICK",
                                      "CONVERSION", "CUSTOM", "ENGAGEMENT"])),
        "at": draw(instants),
        "session": draw(st.sampled_from("rst")),
        "visitor": draw(st.sampled_from("vvw")),
        "user": draw(st.sampled_from([None, None, "u"])),
        "item": draw(st.sampled_from([None, "a", "b"])),
        "page": draw(st.sampled_from([None, *PAGES])),
        "referrer": draw(st.sampled_from([None, None, "a.com", "shop.example"])),
        "utm_source": draw(st.sampled_from([None, None, None, "$x"])),
        "device": draw(st.sampled_from([None, "tv"])),
        "weight": draw(st.sampled_from([None, None, None, 3])),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


# What happens to the events of a site: each step is one of these.
steps = st.one_of(
    st.tuples(st.just("arrive"), st.lists(events(), min_size=1, max_size=8)),
    st.tuples(st.just("void"), st.integers(0, 1_000)),
    st.tuples(st.just("undo"), st.integers(0, 1_000)),
    st.tuples(st.just("roll up"), st.integers(0, 1_000)),
    st.tuples(st.just("roll up"), st.none()),
)
thorough = settings(
    deadline=None,
    max_examples=examples(20),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Site:
    """The site demo: what is stored, and the same in memory."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self.events: list[dict[str, Any]] = []

    async def empty(self) -> None:
        for name in ("events", "sessions", "marks"):
            await self._api.database[name].delete_many({})
        # A service of this process remembers the site's settings: changed as a caller does.
        await self.set_rule(False)

    async def set_rule(self, by_source: bool) -> None:
        await self._api.ask(
            "mutation ($on: Boolean!) { updateSite(input: {sessionEndsOnNewSource: $on}) { id } }",
            {"on": by_source},
        )

    async def take(self, step: tuple[str, Any]) -> None:
        what, detail = step
        if what == "arrive":
            for fields in detail:
                # Ids do not go up with time.
                place = len(self.events) * 7919 % 10_007
                event = {"_id": f"demo:{place:05}", "site": "demo", "received_at": NOW, **fields}
                self.events.append(event)
            await arrive(*self.events[-len(detail) :])
        elif what == "roll up" and detail is None:
            await roll_up_all(self._api)
        elif self.events:
            event = self.events[detail % len(self.events)]
            if what == "roll up":
                await roll_up(self._api, quarter_of(event["at"]))
            else:
                await self._withdraw(event, what == "void")

    async def _withdraw(self, event: dict[str, Any], withdrawn: bool) -> None:
        await mark(event["at"])
        change = {"$set": {"void": {"id": "x"}}} if withdrawn else {"$unset": {"void": ""}}
        await self._api.database["events"].update_one({"_id": event["_id"]}, change)
        if withdrawn:
            event["void"] = {"id": "x"}
        else:
            event.pop("void", None)


def close(answer: Any) -> Any:
    """An answer whose changes in percent are compared as numbers that were calculated."""
    if isinstance(answer, list):
        return [close(each) for each in answer]
    if isinstance(answer, dict):
        return {
            name: pytest.approx(value, rel=1e-9)
            if name == "changePercent" and value is not None
            else close(value)
            for name, value in answer.items()
        }
    return answer


def in_words(session: dict[str, Any]) -> dict[str, Any]:
    """A session of the oracle as the API says it."""
    found = {name: value for name, value in session.items() if name not in ("ms", "weight")}
    for name in ("start", "lastActivity"):
        found[name] = found[name].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**found, "duration": session["ms"] / 1000}


def by_start(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: (one["start"], one["sessionId"]))


FILTERS = {
    "device": "device",
    "visitorId": "visitorId",
    "entryPage": "entryPage",
    "utmSource": "utmSource",
}
filters = st.sampled_from(
    [{}, {}, {"device": "tv"}, {"visitorId": "v"}, {"entryPage": PAGES[0]}, {"utmSource": "$x"}]
)


@settings(thorough)
@given(
    steps=st.lists(steps, min_size=1, max_size=12),
    by_source=st.booleans(),
    switched=st.integers(0, 12),
    edges=st.lists(instants, min_size=2, max_size=2, unique=True).map(sorted),
    wanted=filters,
    limit=st.sampled_from([1, 2, 100]),
    looked_up=st.sampled_from([0, counting.MAX_LOOKED_UP]),
)
async def test_answers_are_exact_and_fresh(
    api: Any,
    steps: list[tuple[str, Any]],
    by_source: bool,
    switched: int,
    edges: list[Any],
    wanted: dict[str, str],
    limit: int,
    looked_up: int,
) -> None:
    """Every number, every row and every session; with what is stored, and without."""
    site = Site(api)
    await site.empty()
    for place, step in enumerate(steps):
        if place == switched:
            await site.set_rule(by_source)
        await site.take(step)
    expected = oracle.sessions(site.events, by_source=by_source and switched < len(steps))
    asked = {"range": {"start": edges[0].isoformat(), "end": edges[1].isoformat()}}
    numbers = oracle.metrics(expected, edges[0], edges[1], wanted, limit)

    async def check() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counting, "MAX_LOOKED_UP", looked_up)
            answer = await metrics(api, **asked, filter=wanted, limit=limit)
        assert answer == close(numbers)
        assert by_start([without_id(one) for one in (await page(api))["data"]]) == by_start(
            [in_words(one) for one in expected]
        )

    await check()
    await roll_up_all(api)
    await check()
    assert len({one["_id"] for one in await stored(api)}) == len(await stored(api))
    await api.database["sessions"].delete_many({})
    await mark(*(event["at"] for event in site.events))
    await check()


def without_id(session: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in session.items() if name != "id"}
