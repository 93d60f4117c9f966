"""The questions of the bench, asked of the API over made-up events."""

from typing import Any

from app.core.auth import Scope
from tests.bench.reports import vocabulary as words
from tests.bench.reports.columns import Columns, make_columns
from tests.bench.reports.documents import documents
from tests.bench.reports.questions import Question, differences, questions
from tests.bench.reports.recount import Recount
from tests.conftest import Api
from tests.modules.analytics.asking import store

EVENTS = 400


async def fill(api: Api, columns: Columns) -> None:
    """Store the events, and the items that they are of."""
    await store(*documents(columns, 0, EVENTS))
    for number in sorted({int(item) for item in columns.item if item >= 0}):
        if words.is_catalogued(number):
            fields = {
                "item": words.item_id(number),
                "title": words.item_title(number),
                "category": words.category_of(number),
            }
            await api.services.items.create(words.SITE, fields)


async def found(api: Api, recount: Recount, question: Question, call: int) -> list[str]:
    """How the answer of this call differs from the recount."""
    span = question.span(call)
    body = question.body(span)
    data: dict[str, Any] = await api.ask(body["query"], body["variables"], scope=Scope.READ)
    return [str(each) for each in differences(question, recount, span, data)]


async def test_the_recount_agrees_and_notices_an_event(api: Api) -> None:
    """No figure of any question differs, before and after rolling up; then an event that the columns
    do not have makes all of them differ that cover it, and no other."""
    columns = make_columns(EVENTS)
    await fill(api, columns)
    recount = Recount(columns)
    for call, question in enumerate(questions()):
        assert await found(api, recount, question, call) == [], question.name

    await api.services.rollups.roll_up(quarters_after=0, days_after=0)
    for call, question in enumerate(questions(), start=100):
        assert await found(api, recount, question, call) == [], question.name

    top = words.item_id(words.item_of_rank(0))
    middle = await api.database["events"].find_one({"device": "mobile"})
    more = {"_id": "demo:more", "type": "IMPRESSION", "item": top, "session": "more"}
    await store({**middle, **more, "source": "search"})
    for call, question in enumerate(questions(), start=200):
        covers = question.variables.get("item", top) == top
        assert bool(await found(api, recount, question, call)) == covers, question.name


def test_every_call_has_a_range_of_its_own() -> None:
    """No two calls of a run can be answered from the same cached answer; each is as long as it says."""
    asked = questions()
    spans = [asked[call % len(asked)].span(call) for call in range(2_000)]
    assert len({span.start for span in spans}) == len(spans)
    for call, span in enumerate(spans):
        question = asked[call % len(asked)]
        assert span.end - span.start == question.days * 86_400_000


def test_questions_are_told_apart() -> None:
    """By their names; and those with a bar are the ones that the bench promises."""
    asked = questions()
    assert len({question.name for question in asked}) == len(asked)
    bars = {question.name: question.bar for question in asked if question.bar is not None}
    assert len(bars) == 1 + 1 + 3 + 2 * 6 + 2
    assert {bar for name, bar in bars.items() if name.startswith("popularItems")} == {0.3}
    assert {bar for name, bar in bars.items() if not name.startswith("popularItems")} == {0.1}
