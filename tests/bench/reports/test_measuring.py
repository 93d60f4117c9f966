"""Asking: a question that is not answered, or wrongly, is noted and not asked again."""

import httpx
import pytest

from tests.bench.reports import measuring
from tests.bench.reports.columns import make_columns
from tests.bench.reports.measuring import Asked
from tests.bench.reports.questions import questions
from tests.bench.reports.recount import Recount

RECOUNT = Recount(make_columns(1_000))
RIGHT = {"data": {"popularItems": []}}


def trouble(answer: httpx.Response | httpx.HTTPError) -> tuple[list[str], int]:
    """What is noted of a call that is answered so, and how many times were taken."""

    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    [question, *_] = [each for each in questions() if each.name.startswith("popularItems")]
    asked = Asked(question)
    with httpx.Client(base_url="http://test", transport=httpx.MockTransport(handle)) as client:
        found = measuring._call(client, asked, RECOUNT, question.span(0))
    return found, len(asked.seconds)


@pytest.mark.parametrize(
    ("answer", "noted"),
    [
        (httpx.ReadTimeout("too slow"), "not answered: too slow"),
        (httpx.ReadTimeout(""), "not answered: ReadTimeout"),
        (httpx.Response(200, json={"errors": [{"message": "no"}]}), "not answered: no"),
        (httpx.Response(502, text="<html>"), "not answered: HTTP 502"),
    ],
)
def test_no_answer_is_noted(answer: httpx.Response | httpx.HTTPError, noted: str) -> None:
    """With what was said instead; the time that it took counts."""
    assert trouble(answer) == ([noted], 1)


def test_a_wrong_answer_is_noted() -> None:
    """By its first differences; what is right is not."""
    found, times = trouble(httpx.Response(200, json=RIGHT))
    assert found[0].startswith("items, number 1: answered nothing, recounted lot-")
    assert times == 1
