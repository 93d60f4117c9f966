"""For any events: who counts for which variant is what an oracle says, visitor by visitor."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.repositories.events import EventRepository
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.analytics.experiments.experimenting import by_variant, experiment

START, END = NOW - timedelta(seconds=8), NOW - timedelta(seconds=2)


@st.composite
def stored_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event as it is stored, around the range and its edges."""
    event = {
        "type": draw(st.sampled_from(["IMPRESSION", "IMPRESSION", "CLICK", "CONVERSION", "CUSTOM"])),
        "at": NOW - timedelta(seconds=draw(st.integers(0, 10))),
        "session": "s",
        "visitor": draw(st.sampled_from("uvwxyz")),
        "experiment": draw(st.sampled_from([None, "ab", "ab", "$ab"])),
        "variant": draw(st.sampled_from([None, "a", "a", "b", "$c"])),
        "item": draw(st.sampled_from(["i", "j"])),
        "name": draw(st.sampled_from([None, "n"])),
        "conversion_type": draw(st.sampled_from([None, "order"])),
        "void": draw(st.sampled_from([None, None, None, {"id": "x"}])),
    }  # fmt: skip
    return {name: value for name, value in event.items() if value is not None}


goals = st.fixed_dictionaries(
    {"type": st.sampled_from(["CLICK", "CONVERSION", "CUSTOM", "IMPRESSION"])},
    optional={
        "name": st.just("n"),
        "itemId": st.sampled_from(["i", "j"]),
        "conversionType": st.just("order"),
    },
)


def reaches(event: dict[str, Any], goal: dict[str, str]) -> bool:
    """Whether the event is a conversion."""
    stored = {"type": "type", "name": "name", "itemId": "item", "conversionType": "conversion_type"}
    return all(event.get(stored[field]) == value for field, value in goal.items())


def oracle(
    events: list[dict[str, Any]], goal: dict[str, str], by_impression: bool
) -> tuple[dict[str, tuple[int, int, int]], int]:
    """Visitors, trials and conversions by variant; and who saw several."""
    covered = [one for one in events if START <= one["at"] < END and "void" not in one]
    exposures = [one for one in covered if one.get("experiment") == "ab" and "variant" in one]
    saw: dict[str, set[str]] = {}
    for one in exposures:
        saw.setdefault(one["visitor"], set()).add(one["variant"])
    several = {visitor for visitor, variants in saw.items() if len(variants) > 1}
    found: dict[str, tuple[int, int, int]] = {}
    for variant in sorted({one["variant"] for one in exposures}):
        own = [one for one in exposures if one["variant"] == variant]
        if by_impression:
            shown = [one for one in own if one["type"] == "IMPRESSION"]
            reached = [one for one in own if reaches(one, goal)]
            visitors = {one["visitor"] for one in own if one in shown or one in reached}
            found[variant] = (len(visitors), len(shown), len(reached))
        else:
            visitors = {one["visitor"] for one in own} - several
            converted = 0
            for visitor in visitors:
                first = min(one["at"] for one in own if one["visitor"] == visitor)
                converted += any(
                    reaches(one, goal) and one["at"] >= first
                    for one in covered
                    if one["visitor"] == visitor
                )
            found[variant] = (len(visitors), len(visitors), converted)
        if not found[variant][0]:
            del found[variant]
    return found, len(several)


@settings(
    max_examples=examples(40),
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(events=st.lists(stored_events(), max_size=40), goal=goals, by_impression=st.booleans())
async def test_counts_are_what_the_oracle_says(
    api: Any, events: list[dict[str, Any]], goal: dict[str, str], by_impression: bool
) -> None:
    """Visitors, trials and conversions of every variant, and the visitors in several."""
    await api.database["events"].delete_many({})
    for site in ("demo", "other"):
        documents = [
            {"_id": f"{site}:{place}", "site": site, "received_at": NOW, **event}
            for place, event in enumerate(events)
        ]
        await EventRepository().insert(site, documents)
    results = await experiment(
        api,
        range={"start": START.isoformat(), "end": END.isoformat()},
        goal=goal,
        countBy="IMPRESSION" if by_impression else "VISITOR",
    )
    counted, several = oracle(events, goal, by_impression)
    assert by_variant(results) == counted
    assert results["visitorsInSeveralVariants"] == several
