"""What must be in the database, given what was sent and what was answered."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from tests.faults.traffic import Answer, Journal
from tests.faults.workload import COOLDOWNS, SentEvent, Story

SITE = "demo"


@dataclass(slots=True)
class Findings:
    """How the database differs from the answers. All zero, and no complaints, is exactly-once."""

    stored: int = 0
    lost: int = 0  # answered, and not stored
    doubled: int = 0  # stored, or acknowledged, although another stands for it
    unsent: int = 0  # stored, and never sent or not as it was sent
    examples: list[str] = field(default_factory=list)

    def complain(self, what: str) -> None:
        if len(self.examples) < 5:
            self.examples.append(what)


def stored_events(url: str, database: str) -> dict[str, dict[str, Any]]:
    """Every event that a majority has, by the caller's id."""
    client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)
    with client:
        events = client[database].get_collection("events", read_concern=ReadConcern("majority"))
        return {
            document["_id"].removeprefix(f"{SITE}:"): document
            for document in events.find({}, {"type": 1, "session": 1, "item": 1, "at": 1})
        }


def check(stories: list[Story], journal: Journal, stored: dict[str, dict[str, Any]]) -> Findings:
    """Compare all three: the stories sent, the answers given, the events stored."""
    findings = Findings(stored=len(stored))
    for story in stories:
        _check_story(story, journal, stored, findings)
    sent = {event.id: event for story in stories for event in story.events}
    for event_id, document in stored.items():
        if event_id not in sent or not _is_as_sent(sent[event_id], document):
            findings.unsent += 1
            findings.complain(f"stored, but not sent so: {event_id}")
    # The same once more from the database alone, without knowing what was sent.
    close = closer_than_cooldown(stored)
    if close > findings.doubled:
        findings.complain(f"{close} stored events are closer than the cooldown")
    findings.doubled = max(findings.doubled, close)
    return findings


def _check_story(
    story: Story, journal: Journal, stored: dict[str, dict[str, Any]], findings: Findings
) -> None:
    answers = {event.id: journal.answers.get(event.id, []) for event in story.events}
    there = [event for event in story.events if event.id in stored]
    accepted = Counter(_accepted(answers))
    if any(answers.values()):
        unfounded = sum(
            not _stands_for_something(event, there, stored)
            for event in story.events
            if answers[event.id]
        )
        lost = (
            max(unfounded, story.counts - len(there))
            if _all_answered(answers, story)
            else unfounded
        )
        lost = max(lost, sum(event_id not in stored for event_id in accepted))
        if lost:
            findings.lost += lost
            findings.complain(f"lost: {_tell(story, answers, stored)}")
    doubled = max(0, len(there) - story.counts, sum(accepted.values()) - story.counts)
    if doubled:
        findings.doubled += doubled
        findings.complain(f"doubled: {_tell(story, answers, stored)}")


def _accepted(answers: dict[str, list[Answer]]) -> list[str]:
    return [
        event_id
        for event_id, given in answers.items()
        for answer in given
        if answer.verdict == "ACCEPTED"
    ]


def _all_answered(answers: dict[str, list[Answer]], story: Story) -> bool:
    """Whether the whole count is due: of a story that counts once, any one answer makes it so."""
    return story.counts == 1 or all(answers.values())


def _stands_for_something(
    event: SentEvent, there: list[SentEvent], stored: dict[str, dict[str, Any]]
) -> bool:
    """Whether this very event, or one that it is a repeat of, is stored."""
    if event.id in stored:
        return True
    if event.order is not None:
        return any(other.order == event.order for other in there)
    near = COOLDOWNS.get(event.type, 0)
    at = event.at
    return at is not None and any(
        abs((stored[other.id]["at"] - at).total_seconds()) < near for other in there
    )


def _is_as_sent(event: SentEvent, document: dict[str, Any]) -> bool:
    same = (document["type"], document["session"], document.get("item")) == (
        event.type,
        event.session,
        event.item,
    )
    return same and (event.at is None or document["at"] == event.at)


def closer_than_cooldown(stored: dict[str, dict[str, Any]]) -> int:
    """How many stored events have another of their type, session and item too close before them."""
    times: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for document in stored.values():
        if document["type"] in COOLDOWNS:
            key = (document["type"], document["session"], document["item"])
            times[key].append(document["at"])
    close = 0
    for (kind, _, _), instants in times.items():
        instants.sort()
        close += sum(
            (after - before).total_seconds() < COOLDOWNS[kind]
            for before, after in pairwise(instants)
        )
    return close


def _tell(story: Story, answers: dict[str, list[Answer]], stored: dict[str, dict[str, Any]]) -> str:
    told = [
        f"{event.type} {event.id} of {event.session} at {event.at}: "
        f"{'stored' if event.id in stored else 'not stored'}, answered "
        + (
            ", ".join(f"{a.verdict} {a.reason or ''}".strip() for a in answers[event.id])
            or "nothing"
        )
        for event in story.events
    ]
    return "; ".join(told)
