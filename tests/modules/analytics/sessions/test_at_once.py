"""Sessions derived at once, from columns: the same ones as from events one by one, whatever they are."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.quarters import QUARTER, quarter_of
from app.modules.analytics.rollups import stretches
from app.modules.analytics.rollups.columns import joined
from app.modules.analytics.sessions.at_once import NamedEvents, sessions_of
from app.modules.analytics.sessions.derivation import Derivation, document_of
from app.modules.analytics.sessions.rollup import SessionRollup
from app.repositories.events import EventRepository
from app.repositories.sessions import SessionEvents
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.asking import event, store
from tests.modules.analytics.rollups.making import columns, roll_up
from tests.modules.analytics.sessions.asking import mark, stored

BASE = NOW - timedelta(days=2)
ALWAYS = (NOW - timedelta(days=30), NOW + timedelta(days=1))
PAGES = ["https://shop.example/", "https://www.shop.example/b", "https://a.com/", "/c", "", "https://[", None]  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event as it is stored; pauses of just 30 minutes, and events of one instant, come up often."""
    minutes = draw(st.one_of(st.integers(0, 8).map(lambda n: 15 * n), st.integers(0, 150)))
    found = {
        "_id": f"demo:{draw(st.integers(0, 10**9))}",
        "site": "demo",
        "type": draw(st.sampled_from(["PAGE_VIEW", "PAGE_VIEW", "IMPRESSION", "VIEW", "CLICK",
                                      "CONVERSION", "CUSTOM", "ENGAGEMENT", "BOUNCE"])),
        "at": BASE + timedelta(minutes=minutes, milliseconds=draw(st.sampled_from([0, 0, -1, 1]))),
        "session": draw(st.sampled_from(["r", "s", "t", ""])),
        "visitor": draw(st.sampled_from("vw")),
        "user": draw(st.sampled_from([None, None, "u", "w", ""])),
        "item": draw(st.sampled_from([None, "a", "b", ""])),
        "page": draw(st.sampled_from(PAGES)),
        "referrer": draw(st.sampled_from([None, None, "a.com", "shop.example", ""])),
        "utm_source": draw(st.sampled_from([None, None, None, "$x", ""])),
        "utm_term": draw(st.sampled_from([None, None, None, "y"])),
        "device": draw(st.sampled_from([None, "tv", "mobile"])),
        "os": draw(st.sampled_from([None, None, "iOS"])),
        "weight": draw(st.sampled_from([None, None, None, 3, 5])),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


lists_of_events = st.lists(events(), max_size=30, unique_by=lambda one: one["_id"])


def one_by_one(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By session id: the documents of the sessions that a derivation gives."""
    documents: dict[str, list[dict[str, Any]]] = {}
    for name in {one["session"] for one in found}:
        derivation = Derivation("demo", name, by_source=False)
        its = sorted(
            (one for one in found if one["session"] == name),
            key=lambda one: (one["at"], one["_id"]),
        )
        ended = [*map(derivation.add, its), derivation.end()]
        documents[name] = [document_of(session) for session in ended if session is not None]
    return documents


def at_once(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The same of all together."""
    names = ([one.get(name) for one in found] for name in ("_id", "session", "visitor", "user"))
    return sessions_of("demo", NamedEvents(columns(found) if found else joined(()), *names))


@settings(deadline=None, max_examples=examples(100))
@given(found=lists_of_events)
def test_at_once_they_are_what_they_are_one_by_one(found: list[dict[str, Any]]) -> None:
    """Every field of every session, and none that it does not have, in whatever order events come."""
    assert at_once(found) == one_by_one(found)


def at(minutes: float, session: str = "s", **more: Any) -> dict[str, Any]:
    """A page view so long after BASE."""
    when = BASE + timedelta(minutes=minutes)
    return event(**{"event_type": "PAGE_VIEW", "session": session, "at": when, **more})


async def is_right(api: Any) -> bool:
    """Whether deriving every session again from all of its events changes nothing."""
    before = await stored(api)
    changed = await api.services.registry[SessionRollup].refresh("demo", *ALWAYS)
    return changed == 0 and await stored(api) == before


steps = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.lists(events(), min_size=1, max_size=8)),
        st.tuples(st.just("void"), st.integers(0, 100)),
        st.tuples(st.just("undo"), st.integers(0, 100)),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=examples(10), suppress_health_check=list(HealthCheck))
@given(
    steps=steps, most_quarters=st.sampled_from([1, 4, 96]), most_events=st.sampled_from([2, 100])
)
async def test_what_the_worker_stores_is_right_after_every_change(
    api: Any, steps: list[tuple[str, Any]], most_quarters: int, most_events: int
) -> None:
    """Of sessions within what is rolled up and beyond it, read at once or not; events come late, are
    withdrawn and counted again."""
    for name in ("events", "sessions", "marks", "quarter_hours", "rollups"):
        await api.database[name].delete_many({})
    ids: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "MOST_QUARTERS", most_quarters)
        patch.setattr(stretches, "MOST_EVENTS", most_events)
        for what, detail in steps:
            if what == "arrive":
                # Ids do not go up with time.
                new = [one | {"_id": f"demo:{(len(ids) + n) * 7919 % 10_007:05}"}
                       for n, one in enumerate(detail)]  # fmt: skip
                ids += [one["_id"] for one in new]
                await store(*new)
            elif ids:
                chosen = {"_id": ids[detail % len(ids)]}
                change = (
                    {"$set": {"void": {"id": "x"}}} if what == "void" else {"$unset": {"void": ""}}
                )
                changed = await api.database["events"].find_one(chosen)
                await mark(changed["at"])
                await api.database["events"].update_one(chosen, change)
            await roll_up(api)
            assert await is_right(api)


async def test_only_what_reaches_beyond_is_read_again(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session inside of what is rolled up is derived from what was read of it anyway."""
    read: list[str] = []
    of_sessions = SessionEvents.of_sessions

    def counted(self: Any, site: str, sessions: Any, **more: Any) -> Any:
        read.extend(sessions)
        return of_sessions(self, site, sessions, **more)

    monkeypatch.setattr(SessionEvents, "of_sessions", counted)
    quarter = quarter_of(BASE)
    await store(*[at(n, "inside") for n in (1, 2, 3)])
    await store(at(5, "over"), at(16, "over"), at(-31, "long before"), at(5, "long before"))
    stretch = stretches.Stretches(EventRepository())
    found = await stretch.read("demo", [quarter])
    rollup = api.services.registry[SessionRollup]
    span = (quarter, quarter + QUARTER)
    assert await rollup.refresh("demo", *span, found.named(), found.withdrawn) == 3
    assert read == ["over"]
    assert [(one["session"], one["events"]) for one in await stored(api)] == [
        ("inside", 3),
        ("long before", 1),
        ("over", 2),
    ]
    assert await rollup.refresh("demo", *span, found.named(), found.withdrawn) == 0
    assert read == ["over", "over"]


async def test_large_quarters_are_read_in_parts(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a quarter's columns do not fit into a document; the names of so many are not held."""
    await store(*[at(n / 1_000, f"s{n % 7}", page="x" * 1_800) for n in range(10_000)])
    monkeypatch.setattr(stretches, "MOST_EVENTS", 9_999)
    found = await stretches.Stretches(EventRepository()).read("demo", [quarter_of(BASE)])
    assert found.counted == 10_000
    assert found.named() is None
    [parts] = found.columns.values()
    assert len(parts) == 40
    assert sum(map(len, parts)) == 10_000
