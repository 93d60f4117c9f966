"""Asks every question many times, one call after the other, and compares every answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.bench.reports.questions import Question, differences, questions
from tests.bench.reports.recount import Recount, Span
from tests.conftest import LiveServer

PATIENCE_SECONDS = 150
MOST_SHOWN = 5  # differences of one question

# What is asked now.
Advance = Callable[[str], None]


class UnansweredError(Exception):
    """There was no answer, or one with errors."""


@dataclass(slots=True)
class Asked:
    """One question and its calls: how long each took, and what was wrong with the answers."""

    question: Question
    seconds: list[float] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)


def measure(server: LiveServer, recount: Recount, calls: int, advance: Advance) -> list[Asked]:
    """Ask everything. A question that is not answered, or wrongly, is not asked again."""
    every = [Asked(question) for question in questions()]
    number = count()
    headers = {"Authorization": f"Bearer {server.read_key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        for asked in every:
            for _ in range(calls):
                if not asked.trouble:
                    span = asked.question.span(next(number))
                    asked.trouble = _call(client, asked, recount, span)
                advance(asked.question.name)
    return every


def _call(client: httpx.Client, asked: Asked, recount: Recount, span: Span) -> list[str]:
    """Time one call; what is wrong with its answer."""
    body = asked.question.body(span)
    try:
        began = time.perf_counter()
        try:
            response = client.post("/graphql", json=body)
        finally:
            asked.seconds.append(time.perf_counter() - began)
        data = _data(response)
    except (httpx.HTTPError, UnansweredError) as error:
        return [f"not answered: {str(error) or type(error).__name__}"]
    found = [str(each) for each in differences(asked.question, recount, span, data)]
    if len(found) > MOST_SHOWN:
        found[MOST_SHOWN:] = [f"and {len(found) - MOST_SHOWN:,} more"]
    return found


def _data(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != httpx.codes.OK:
        raise UnansweredError(f"HTTP {response.status_code}")
    answer = response.json()
    if answer.get("errors"):
        raise UnansweredError(str(answer["errors"][0].get("message")))
    data: dict[str, Any] = answer["data"]
    return data
