"""The clients: they send the workload, again until it is answered, and write down every answer."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.servers import WRITE_KEY
from tests.faults.workload import Request, Workload

CLIENTS = 16
THINK_SECONDS = 0.04  # at most, between two requests of a client
ANSWER_SECONDS = 12.0  # a client waits no longer for an answer, and sends again
DRAIN_SECONDS = 90.0  # what is still unanswered so long after the last fault never will be
BACK_OFF_SECONDS = (0.05, 0.6)

ONE = """mutation ($input: EventInput!) {
  trackEvent(input: $input) { verdict eventId reason message } }"""
MANY = """mutation ($input: BatchInput!) {
  trackBatch(input: $input) { results { verdict eventId reason message } } }"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict on an event, and when it was asked for and given (seconds, monotonic)."""

    verdict: str
    reason: str | None
    sent: float
    answered: float


@dataclass(slots=True)
class Journal:
    """What the clients saw."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    sent: int = 0  # events, the repeats on purpose among them
    verdicts: Counter[str] = field(default_factory=Counter)
    refused: int = 0  # requests that were answered UNAVAILABLE
    refusals: list[tuple[float, float]] = field(default_factory=list)  # when sent, seconds it took
    broken: int = 0  # connections refused or broken before the answer
    silent: int = 0  # requests that were not answered in ANSWER_SECONDS
    given_up: int = 0  # events that nobody sends again, unanswered
    unexpected: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds, of the answers
    unanswered: int = 0  # events, at the end

    @property
    def accepted(self) -> int:
        return self.verdicts["ACCEPTED"]

    @property
    def duplicates(self) -> int:
        return self.verdicts["DUPLICATE"]

    def verdicts_between(self, since: float, until: float) -> list[Answer]:
        """Verdicts that were given before `until` on what was sent after `since`."""
        return [
            answer
            for answers in self.answers.values()
            for answer in answers
            if answer.sent >= since and answer.answered <= until
        ]

    def accepted_between(self, since: float, until: float) -> list[Answer]:
        """The ACCEPTED ones among them."""
        between = self.verdicts_between(since, until)
        return [answer for answer in between if answer.verdict == "ACCEPTED"]


class Traffic:
    """Sixteen clients on random servers. `start`, later `finish`."""

    def __init__(self, workload: Workload, urls: Sequence[str], seed: str) -> None:
        self._workload = workload
        self._urls = list(urls)
        self._random = random.Random(seed)
        self._clients: list[asyncio.Task[None]] = []
        self._http = httpx.AsyncClient(
            headers={"X-API-Key": WRITE_KEY},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=5),
            limits=httpx.Limits(max_connections=CLIENTS * 2),
            trust_env=False,
        )
        self.journal = Journal()

    def start(self) -> None:
        self._clients = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]

    async def finish(self) -> None:
        """Begin nothing new, and wait for the answers to what was begun."""
        self._workload.finish()
        _, unfinished = await asyncio.wait(self._clients, timeout=DRAIN_SECONDS)
        await self.abort()
        for client in self._clients:
            if client not in unfinished:
                client.result()

    async def abort(self) -> None:
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._http.aclose()

    async def _client(self) -> None:
        while (request := self._workload.next_request()) is not None:
            self.journal.sent += len(request.events)
            self.journal.unanswered += len(request.events)
            while not await self._try(request):
                if request.once:
                    self.journal.given_up += 1
                    break
                await asyncio.sleep(self._random.uniform(*BACK_OFF_SECONDS))
            self.journal.unanswered -= len(request.events)
            await asyncio.sleep(self._random.uniform(0, THINK_SECONDS))

    async def _try(self, request: Request) -> bool:
        """Send once; whether every event got its verdict."""
        journal = self.journal
        began = time.monotonic()
        try:
            response = await self._http.post(
                f"{self._random.choice(self._urls)}/graphql", json=_operation(request)
            )
            body = response.json()
        except httpx.ReadTimeout:
            journal.silent += 1
            journal.slowest = max(journal.slowest, ANSWER_SECONDS)
            return False
        except (httpx.TransportError, ValueError):
            journal.broken += 1
            return False
        now = time.monotonic()
        journal.slowest = max(journal.slowest, now - began)
        if "errors" in body:
            self._error(body, began, now)
            return False
        data = body["data"]
        results = [data["trackEvent"]] if "trackEvent" in data else data["trackBatch"]["results"]
        for event, result in zip(request.events, results, strict=True):
            verdict = result["verdict"]
            journal.verdicts[verdict] += 1
            journal.answers[event.id].append(Answer(verdict, result["reason"], began, now))
            if verdict == "REJECTED" or result["eventId"] != event.id:
                journal.unexpected[f"{verdict} {result['reason']}"] += 1
        return True

    def _error(self, body: dict[str, Any], began: float, now: float) -> None:
        code = body["errors"][0].get("extensions", {}).get("code", "no code")
        if code == "UNAVAILABLE":
            self.journal.refused += 1
            self.journal.refusals.append((began, now - began))
        else:
            self.journal.unexpected[f"error {code}"] += 1


def _operation(request: Request) -> dict[str, Any]:
    inputs = [event.as_input() for event in request.events]
    if len(inputs) == 1:
        return {"query": ONE, "variables": {"input": inputs[0]}}
    return {"query": MANY, "variables": {"input": {"events": inputs}}}
