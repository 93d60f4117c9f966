"""The mutations of tracking."""

from typing import Annotated

import strawberry

from app.core.auth import Scope, require
from app.core.context import Info
from app.core.permissions import ADMIN, WRITE
from app.modules.tracking.cleanup import CleanupService
from app.modules.tracking.events import Batch, IncomingEvent, Outcome
from app.modules.tracking.service import TrackingService, check_batch_size
from app.modules.tracking.types import (
    BatchInput,
    BatchResult,
    CleanupResult,
    EventInput,
    TrackInput,
    TrackResult,
    incoming,
)
from app.modules.tracking.unreadable import with_unreadable_marked
from app.schemas.event import EventType

Track = Annotated[TrackInput, strawberry.argument(description="What happened, and to which item.")]


async def _ingest(
    info: Info, events: list[IncomingEvent], batch: Batch | None = None
) -> list[Outcome]:
    context = info.context
    principal = require(context.principal, Scope.WRITE)
    service = context.get(TrackingService)
    return await service.ingest(events, principal, context.request, batch or Batch())


async def _track(info: Info, event_type: EventType, sent: TrackInput) -> TrackResult:
    [outcome] = await _ingest(info, [incoming(event_type, sent)])
    return TrackResult.of(outcome)


@strawberry.type
class TrackingMutation:
    @strawberry.mutation(
        extensions=WRITE,
        description="Track that an item was rendered. Again within the cooldown of 30 s, in the same "
        "session, it is a DUPLICATE.",
    )
    async def track_impression(self, info: Info, input: Track) -> TrackResult:
        return await _track(info, EventType.IMPRESSION, input)

    @strawberry.mutation(
        extensions=WRITE,
        description="Track a viewable impression: half of the item's pixels for one second.",
    )
    async def track_view(self, info: Info, input: Track) -> TrackResult:
        return await _track(info, EventType.VIEW, input)

    @strawberry.mutation(
        extensions=WRITE,
        description="Track a click on an item. Again within the cooldown of 5 s, in the same session, "
        "it is a DUPLICATE.",
    )
    async def track_click(self, info: Info, input: Track) -> TrackResult:
        return await _track(info, EventType.CLICK, input)

    @strawberry.mutation(
        extensions=WRITE,
        description="Track a purchase, a bid or another goal. With an orderId it counts once.",
    )
    async def track_conversion(self, info: Info, input: Track) -> TrackResult:
        return await _track(info, EventType.CONVERSION, input)

    @strawberry.mutation(
        extensions=WRITE,
        description="Track how long an item was visible and focused, and how far was scrolled.",
    )
    async def track_engagement(self, info: Info, input: Track) -> TrackResult:
        return await _track(info, EventType.ENGAGEMENT, input)

    @strawberry.mutation(extensions=WRITE, description="Track that a page was shown.")
    async def track_page_view(self, info: Info, input: Track) -> TrackResult:
        return await _track(info, EventType.PAGE_VIEW, input)

    @strawberry.mutation(extensions=WRITE, description="Track an event of any type.")
    async def track_event(
        self,
        info: Info,
        input: Annotated[EventInput, strawberry.argument(description="The event.")],
    ) -> TrackResult:
        return await _track(info, input.type, input)

    @strawberry.mutation(
        extensions=WRITE,
        description="Track 1 to 1,000 events at once. Each gets its own result, in their order; one "
        "bad event never sinks the others.",
    )
    async def track_batch(
        self,
        info: Info,
        input: Annotated[BatchInput, strawberry.argument(description="The events.")],
    ) -> BatchResult:
        check_batch_size(len(input.events))
        events = [incoming(event.type, event) for event in input.events]
        events = with_unreadable_marked(events, info.context)
        batch = Batch(input.batch_id, input.sent_at)
        return BatchResult.of(await _ingest(info, events, batch))

    @strawberry.mutation(
        extensions=ADMIN,
        description="Delete the events that are older than so many days, by the time they happened. What "
        "reports answer of them stays; what looks at single events (funnels, paths, ...) no longer has "
        "them.",
    )
    async def clean_old_events(
        self,
        info: Info,
        days_to_keep: Annotated[
            int | None,
            strawberry.argument(
                description="Days to keep, from 0. Default: FOOTFALL_DATA_RETENTION_DAYS."
            ),
        ] = None,
    ) -> CleanupResult:
        principal = require(info.context.principal, Scope.ADMIN)
        service = info.context.get(CleanupService)
        deleted = await service.clean_old_events(principal.site, days_to_keep)
        return CleanupResult(
            events=deleted.events, impressions=deleted.impressions, clicks=deleted.clicks
        )
