"""The query and the subscriptions of what happens now."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from app.core.auth import Principal, Scope, require
from app.core.context import Info
from app.core.errors import BadInputError
from app.core.permissions import READ
from app.core.ports import ItemDirectory, KeyCheck
from app.core.texts import check_id
from app.modules.analytics.realtime.entries import MAX_UNREAD
from app.modules.analytics.realtime.feed import LiveFeed
from app.modules.analytics.realtime.key_watch import KeyWatch
from app.modules.analytics.realtime.numbers import (
    MAX_MINUTES,
    MAX_TOP,
    Numbers,
    check_minutes,
    check_top,
)
from app.modules.analytics.realtime.seats import PER_CONNECTION, Seats
from app.modules.analytics.realtime.service import MAX_EVERY, RealtimeService, check_every
from app.modules.analytics.realtime.subscriber import FeedFilter
from app.modules.analytics.realtime.types import FeedEntry, Realtime
from app.modules.analytics.selection import selected
from app.schemas.event import EventType

Minutes = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many minutes back `events` and all but the active ones go, 1 to {MAX_MINUTES}."
    ),
]
Limit = Annotated[
    int | None,
    strawberry.argument(description=f"How many items and pages at most, 1 to {MAX_TOP}."),
]


@strawberry.type
class RealtimeQuery:
    @strawberry.field(
        extensions=READ,
        description="What happens now: who is active, and what the last minutes had. An event is in "
        "it as soon as it is accepted.",
    )
    async def realtime(self, info: Info, minutes: Minutes = 5, limit: Limit = 10) -> Realtime:
        principal = require(info.context.principal, Scope.READ)
        back, most = check_minutes(minutes), check_top(limit)
        counted = await info.context.get(RealtimeService).numbers(principal.site, back)
        return await _shown(info, principal, counted.top(most))


@strawberry.type
class RealtimeSubscription:
    @strawberry.subscription(
        extensions=READ,
        description="The same as the query `realtime`: at once, and again whenever a number has "
        f"changed. At most {PER_CONNECTION} subscriptions may be open on one connection.",
    )
    async def realtime(
        self,
        info: Info,
        minutes: Minutes = 5,
        every_seconds: Annotated[
            int | None,
            strawberry.argument(
                description=f"Seconds between two looks at the numbers, 1 to {MAX_EVERY}."
            ),
        ] = 2,
        limit: Limit = 10,
    ) -> AsyncGenerator[Realtime, None]:
        principal = require(info.context.principal, Scope.READ)
        back, most, every = check_minutes(minutes), check_top(limit), check_every(every_seconds)
        info.context.get(Seats).check(info.context, principal.site)
        return _numbers(info, principal, back, most, every)

    @strawberry.subscription(
        extensions=READ,
        description="Every event of the site as it is accepted, by whatever process: first an entry "
        "STARTED, then each event once, in the order in which they were stored. A reader that leaves "
        f"more than {MAX_UNREAD:,} events of the site unread is too slow: the subscription ends with "
        "LIMIT_EXCEEDED, and says how many were missed. At most "
        f"{PER_CONNECTION} subscriptions may be open on one connection.",
    )
    async def event_feed(
        self,
        info: Info,
        types: Annotated[
            list[EventType] | None,
            strawberry.argument(description="Events of these types. Default: of any."),
        ] = None,
        item_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Events of this item. Default: of any and of none."),
        ] = None,
    ) -> AsyncGenerator[FeedEntry, None]:
        principal = require(info.context.principal, Scope.READ)
        if types is not None and not types:
            raise BadInputError("must not be empty", "types")
        wanted = FeedFilter(
            types=None if types is None else frozenset(types),
            item=None if item_id is None else check_id(item_id, "itemId"),
        )
        info.context.get(Seats).check(info.context, principal.site)
        return _entries(info, principal, wanted)


async def _numbers(
    info: Info, principal: Principal, minutes: int, limit: int, every: int
) -> AsyncGenerator[Realtime, None]:
    context = info.context
    service, watch = context.get(RealtimeService), KeyWatch(context.get(KeyCheck), principal)
    with context.get(Seats).take(context, principal.site):
        changes = service.changes(principal.site, minutes, limit, every, watch)
        async with aclosing(changes):
            async for counted in changes:
                yield await _shown(info, principal, counted)


async def _entries(
    info: Info, principal: Principal, wanted: FeedFilter
) -> AsyncGenerator[FeedEntry, None]:
    context = info.context
    feed, watch = context.get(LiveFeed), KeyWatch(context.get(KeyCheck), principal)
    with (
        context.get(Seats).take(context, principal.site),
        feed.subscribed(principal.site, wanted) as subscriber,
    ):
        entries = subscriber.entries(watch)
        async with aclosing(entries):
            async for entry in entries:
                yield FeedEntry.of(entry)


async def _shown(info: Info, principal: Principal, counted: Numbers) -> Realtime:
    """The numbers, with the items of the catalogue where they are asked for."""
    items = {}
    if counted.items and "item" in selected(info, "topItems"):
        directory = info.context.get(ItemDirectory)
        items = await directory.by_ids(principal.site, [top.item for top in counted.items])
    return Realtime.of(counted, items)
