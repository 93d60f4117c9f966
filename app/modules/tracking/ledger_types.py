"""The GraphQL types of the ledger."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.core.enums import graphql_enum
from app.core.json_values import plain
from app.core.scalars import Long, format_instant
from app.core.texts import check_id
from app.modules.tracking.enums import EventType, Reason, Verdict
from app.modules.tracking.ledger import EventState, Explanation
from app.repositories.decisions import DecisionCount as CountOfDecisions
from app.repositories.decisions import LedgerFilter
from app.repositories.events import VoidFilter
from app.schemas import Decision as DecisionDocument

graphql_enum(
    EventState,
    "What an event id stands for now.",
    {
        "COUNTED": "It is stored and counted.",
        "VOIDED": "It is stored; an admin withdrew it, and it is not counted.",
        "NOT_COUNTED": "It is not stored; the ledger says why.",
        "UNKNOWN": "It never arrived, or what is known of it has expired.",
    },
)


def _condition(description: str) -> Any:
    return strawberry.field(default=None, description=description)


@strawberry.input(description="Which decisions. Conditions that are left out are open.")
class DecisionFilter:
    event_id: strawberry.ID | None = _condition("Of this event.")
    item_id: strawberry.ID | None = _condition("Of this item.")
    session_id: strawberry.ID | None = _condition("Of this session.")
    verdict: Verdict | None = _condition("DUPLICATE or REJECTED; accepted events are not here.")
    reasons: list[Reason] | None = _condition("For any of these reasons.")
    since: datetime | None = _condition("Arrived at this instant or later.")
    until: datetime | None = _condition("Arrived before this instant.")

    def conditions(self) -> LedgerFilter:
        return LedgerFilter(
            event=_looked_for(self.event_id, "eventId"),
            item=_looked_for(self.item_id, "itemId"),
            session=_looked_for(self.session_id, "sessionId"),
            verdict=self.verdict.value if self.verdict else None,
            reasons=None if self.reasons is None else sorted({one.value for one in self.reasons}),
            start=self.since,
            end=self.until,
        )


@strawberry.input(
    description="Which counted events to withdraw: all conditions that are given must hold. Event "
    "ids or one condition besides the time is needed."
)
class VoidInput:
    event_ids: list[strawberry.ID] | None = _condition("Any of these events, at most 1,000.")
    item_id: strawberry.ID | None = _condition("Of this item.")
    session_id: strawberry.ID | None = _condition("Of this session.")
    visitor_id: strawberry.ID | None = _condition("Of this visitor, as when a bot is found later.")
    user_id: strawberry.ID | None = _condition("Of this user.")
    source: str | None = _condition("Shown there.")
    since: datetime | None = _condition("Happened at this instant or later.")
    until: datetime | None = _condition("Happened before this instant.")

    def conditions(self) -> VoidFilter:
        return VoidFilter(
            events=self.event_ids,
            item=_looked_for(self.item_id, "itemId"),
            session=_looked_for(self.session_id, "sessionId"),
            visitor=_looked_for(self.visitor_id, "visitorId"),
            user=_looked_for(self.user_id, "userId"),
            source=_looked_for(self.source, "source"),
            start=self.since,
            end=self.until,
        )


@strawberry.type(description="Why one event was not counted.")
class Decision:
    id: strawberry.ID = strawberry.field(description="Of the decision; later ones sort later.")
    event_id: strawberry.ID = strawberry.field(
        description="The event; `sha256:` and a hash of its id for what is INVALID or NO_CONSENT, of "
        "which nothing else is kept."
    )
    type: EventType = strawberry.field(description="What was said to have happened.")
    item_id: strawberry.ID | None = strawberry.field(description="The item it was about.")
    session_id: strawberry.ID | None = strawberry.field(description="The session it was of.")
    verdict: Verdict = strawberry.field(description="DUPLICATE or REJECTED.")
    reason: Reason = strawberry.field(description="Why.")
    message: str | None = strawberry.field(description="The same for a person.")
    stands_for: strawberry.ID | None = strawberry.field(
        description="The event that is counted in its place, for a duplicate."
    )
    rule: str = strawberry.field(description="The rule that decided.")
    rule_version: int = strawberry.field(description="Its version: rules change, records do not.")
    timestamp: datetime | None = strawberry.field(description="When the event happened.")
    received_at: datetime = strawberry.field(description="When it arrived.")
    released_at: datetime | None = strawberry.field(
        description="When an admin released it: it is counted since."
    )

    @classmethod
    def of(cls, decision: DecisionDocument) -> "Decision":
        return cls(
            id=strawberry.ID(decision.id),
            event_id=strawberry.ID(decision.event),
            type=EventType(decision.type),
            item_id=_id(decision.item),
            session_id=_id(decision.session),
            verdict=Verdict(decision.verdict),
            reason=Reason(decision.reason),
            message=decision.message,
            stands_for=_id(decision.stands_for),
            rule=decision.rule,
            rule_version=decision.rule_version,
            timestamp=decision.at,
            received_at=decision.received_at,
            released_at=decision.released_at,
        )


@strawberry.type(description="Decisions, newest first.")
class DecisionPage:
    data: list[Decision] = strawberry.field(description="The decisions.")
    next_cursor: str | None = strawberry.field(
        description="Give it as `after` for the next page; null on the last one."
    )


@strawberry.type(description="How many events of one period were not counted for one reason.")
class DecisionCount:
    start: datetime = strawberry.field(description="Where the period of arrival begins, in UTC.")
    verdict: Verdict = strawberry.field(description="DUPLICATE or REJECTED.")
    reason: Reason = strawberry.field(description="Why.")
    count: Long = strawberry.field(description="How many events.")

    @classmethod
    def of(cls, row: CountOfDecisions) -> "DecisionCount":
        return cls(
            start=row.start,
            verdict=Verdict(row.verdict),
            reason=Reason(row.reason),
            count=row.count,
        )


@strawberry.type(description="Why an event counts, or does not.")
class EventExplanation:
    event_id: strawberry.ID = strawberry.field(description="The event that was asked about.")
    state: EventState = strawberry.field(description="What it stands for now.")
    summary: str = strawberry.field(description="The same in a sentence.")
    event: JSON | None = strawberry.field(description="What is stored of it, where it is stored.")
    decisions: list[Decision] = strawberry.field(
        description="Every time that it was not counted, oldest first."
    )

    @classmethod
    def of(cls, explanation: Explanation) -> "EventExplanation":
        return cls(
            event_id=strawberry.ID(explanation.event_id),
            state=explanation.state,
            summary=_summary(explanation),
            event=None if explanation.event is None else JSON(_readable(explanation.event)),
            decisions=[Decision.of(decision) for decision in explanation.decisions],
        )


@strawberry.type(description="What was withdrawn.")
class VoidResult:
    void_id: strawberry.ID = strawberry.field(description="With which it can be undone.")
    voided: Long = strawberry.field(description="How many events are no longer counted.")


def _looked_for(value: str | None, field: str) -> str | None:
    """A condition of a filter. Raises BadInputError for what nothing stored can be."""
    return None if value is None else check_id(value, f"filter.{field}")


def _id(text: str | None) -> strawberry.ID | None:
    return None if text is None else strawberry.ID(text)


def _summary(explanation: Explanation) -> str:
    event, decisions = explanation.event, explanation.decisions
    if event is not None and explanation.state is EventState.VOIDED:
        void = event["void"]
        return f"Withdrawn by an admin at {format_instant(void['at'])}: {void['why']}"
    if event is not None:
        again = f" It was sent again {len(decisions)} times." if decisions else ""
        return f"Counted since {format_instant(event['received_at'])}.{again}"
    if decisions:
        last = decisions[-1]
        stands = f" {last.stands_for} stands for it." if last.stands_for else ""
        return f"Not counted, {last.reason}: {last.message}{stands}"
    return "No event of this id is stored and the ledger has none."


def _readable(event: dict[str, Any]) -> dict[str, Any]:
    """A stored event without what the answer and the key have said already: its id and its site."""
    shown = {name: value for name, value in event.items() if name not in ("_id", "site")}
    data: dict[str, Any] = plain(shown)
    return data
