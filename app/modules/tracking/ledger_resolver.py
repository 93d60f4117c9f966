"""The queries and mutations of the ledger."""

from enum import StrEnum
from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.enums import graphql_enum
from app.core.permissions import ADMIN, READ
from app.modules.tracking.ledger import LedgerService
from app.modules.tracking.ledger_types import Decision as DecisionType
from app.modules.tracking.ledger_types import (
    DecisionCount,
    DecisionFilter,
    DecisionPage,
    EventExplanation,
    VoidInput,
    VoidResult,
)
from app.modules.tracking.types import TrackResult
from app.repositories.decisions import LedgerFilter


class CountPeriod(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"


graphql_enum(
    CountPeriod,
    "How long the periods are in which decisions are counted.",
    {"HOUR": "Hours of UTC.", "DAY": "Days of UTC."},
)

Filter = Annotated[
    DecisionFilter | None, strawberry.argument(description="Which decisions. Default: all.")
]
EventId = Annotated[strawberry.ID, strawberry.argument(description="The event's id.")]


def _conditions(given: DecisionFilter | None) -> LedgerFilter:
    return given.conditions() if given is not None else LedgerFilter()


@strawberry.type
class LedgerQuery:
    @strawberry.field(
        extensions=READ, description="Events that were not counted and why, newest first."
    )
    async def decisions(
        self,
        info: Info,
        filter: Filter = None,
        limit: Annotated[
            int | None, strawberry.argument(description="How many, from 1 to 500.")
        ] = 50,
        after: Annotated[
            str | None, strawberry.argument(description="nextCursor of the page before.")
        ] = None,
    ) -> DecisionPage:
        principal = require(info.context.principal, Scope.READ)
        page = await info.context.get(LedgerService).page(
            principal.site, _conditions(filter), 50 if limit is None else limit, after
        )
        return DecisionPage(
            data=[DecisionType.of(decision) for decision in page.decisions],
            next_cursor=page.next_cursor,
        )

    @strawberry.field(
        extensions=READ, description="How many events were not counted, by reason over time."
    )
    async def decision_counts(
        self,
        info: Info,
        filter: Filter = None,
        period: Annotated[
            CountPeriod, strawberry.argument(description="How long the periods are.")
        ] = CountPeriod.DAY,
    ) -> list[DecisionCount]:
        principal = require(info.context.principal, Scope.READ)
        rows = await info.context.get(LedgerService).counts(
            principal.site, _conditions(filter), period.value.lower()
        )
        return [DecisionCount.of(row) for row in rows]

    @strawberry.field(
        extensions=READ,
        description="What became of an event and why: counted, withdrawn, not counted, or unknown.",
    )
    async def explain_event(self, info: Info, event_id: EventId) -> EventExplanation:
        principal = require(info.context.principal, Scope.READ)
        explanation = await info.context.get(LedgerService).explain(principal.site, event_id)
        return EventExplanation.of(explanation)


@strawberry.type
class LedgerMutation:
    @strawberry.mutation(
        extensions=ADMIN,
        description="Count a rejected event from now on. It is counted once, at the time it happened, "
        "and held to the cooldown; what is INVALID cannot be released.",
    )
    async def release_event(self, info: Info, event_id: EventId) -> TrackResult:
        principal = require(info.context.principal, Scope.ADMIN)
        outcome = await info.context.get(LedgerService).release(principal.site, event_id)
        return TrackResult.of(outcome)

    @strawberry.mutation(
        extensions=ADMIN,
        description="Withdraw counted events, as when a bot is found later. They stay stored, are no "
        "longer counted, and undoVoid brings them back. Sending one again is still a DUPLICATE.",
    )
    async def void_events(
        self,
        info: Info,
        filter: Annotated[VoidInput, strawberry.argument(description="Which events.")],
        reason: Annotated[
            str,
            strawberry.argument(description="Why, for whoever asks later; 1 to 500 characters."),
        ],
    ) -> VoidResult:
        principal = require(info.context.principal, Scope.ADMIN)
        void_id, voided = await info.context.get(LedgerService).void(
            principal.site, filter.conditions(), reason
        )
        return VoidResult(void_id=strawberry.ID(void_id), voided=voided)

    @strawberry.mutation(
        extensions=ADMIN, description="Count again what a void withdrew; how many events."
    )
    async def undo_void(
        self,
        info: Info,
        void_id: Annotated[strawberry.ID, strawberry.argument(description="The void's id.")],
    ) -> int:
        principal = require(info.context.principal, Scope.ADMIN)
        return await info.context.get(LedgerService).undo_void(principal.site, void_id)
