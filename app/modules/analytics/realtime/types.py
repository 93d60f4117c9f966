"""The GraphQL types of what happens now."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.core.described import described
from app.core.enums import graphql_enum
from app.core.scalars import Long
from app.modules.analytics.realtime import entries, numbers
from app.modules.analytics.realtime.entries import FeedEntryKind
from app.schemas.event import EventType

if TYPE_CHECKING:  # of the items module, known here by name only
    Item = Any

graphql_enum(
    FeedEntryKind,
    "What an entry of the event feed is.",
    {
        "STARTED": "The first one: every event that is accepted after this was sent comes. Some that "
        "were accepted shortly before may come as well.",
        "EVENT": "An event was accepted.",
        "GAP": "Events that were accepted since the entry before may be missing; from now on "
        "they all come again.",
    },
)


@strawberry.type(description="The events of one minute.")
class MinuteCount:
    start: datetime = described("When the minute begins.")
    events: Long = described("Events of any type that happened in it.")


@strawberry.type(description="How many events of one type there were.")
class EventTypeCount:
    type: EventType = described("The type.")
    events: Long = described("Events of this type.")


@strawberry.type(description="An item of the last minutes.")
class RealtimeItem:
    item_id: strawberry.ID = described("The item.")
    item: Annotated["Item", strawberry.lazy("app.modules.items.types")] | None = described(
        "It in the catalogue; null where it is not there."
    )
    events: Long = described("Its events of any type.")
    impressions: Long = described("Its events of type IMPRESSION.")
    clicks: Long = described("Its events of type CLICK.")


@strawberry.type(description="A page of the last minutes.")
class RealtimePage:
    page: str = described("Its address without query string and fragment.")
    events: Long = described("Events of any type on it.")
    page_views: Long = described("Its events of type PAGE_VIEW.")


@strawberry.type(
    description="What happens now, by the time at which events happened. An event whose time lies "
    "ahead of now counts as if it happened now. Where the site counts a sample of its visitors all "
    "numbers are scaled up from it."
)
class Realtime:
    as_of: datetime = described("When it was counted.")
    active_visitors: Long = described(
        "Distinct visitors with an event in the last 5 minutes, whatever `minutes` is."
    )
    active_sessions: Long = described(
        "Distinct sessions with an event in the last 5 minutes, whatever `minutes` is."
    )
    events: Long = described("Events of any type in the last `minutes` minutes.")
    events_per_minute: list[MinuteCount] = described(
        "The last `minutes` minutes of the clock, oldest first, those without events too. The last "
        "one has only begun."
    )
    by_type: list[EventTypeCount] = described(
        "The events of these minutes by type, most first; types without any are left out."
    )
    top_items: list[RealtimeItem] = described(
        "The items with most events in these minutes, most first; of two that are equal the one "
        "whose id sorts first."
    )
    top_pages: list[RealtimePage] = described(
        "The pages with most events in these minutes, in the same order."
    )

    @classmethod
    def of(cls, counted: numbers.Numbers, items: Mapping[str, Any]) -> "Realtime":
        """`items` are those of the catalogue, by id."""
        return cls(
            as_of=counted.as_of,
            active_visitors=counted.active_visitors,
            active_sessions=counted.active_sessions,
            events=counted.events,
            events_per_minute=[
                MinuteCount(start=start, events=events) for start, events in counted.per_minute
            ],
            by_type=[
                EventTypeCount(type=event_type, events=events)
                for event_type, events in counted.by_type
            ],
            top_items=[
                RealtimeItem(
                    item_id=strawberry.ID(top.item),
                    item=items.get(top.item),
                    events=top.events,
                    impressions=top.impressions,
                    clicks=top.clicks,
                )
                for top in counted.items
            ],
            top_pages=[
                RealtimePage(page=top.page, events=top.events, page_views=top.page_views)
                for top in counted.pages
            ],
        )


@strawberry.type(
    description="An event as it was accepted. Visitors and sessions are shown as digests, which "
    "tell them apart; users are not shown."
)
class LiveEvent:
    event_id: strawberry.ID = described("The event; `explainEvent` tells all that is stored of it.")
    type: EventType = described("What happened.")
    name: str | None = described("What a CUSTOM event is called.")
    item_id: strawberry.ID | None = described("The item that it is about.")
    page: str | None = described("The page's address without query string and fragment.")
    source: str | None = described('Where the item was shown: "search", "homepage", ...')
    device: str | None = described('"mobile", "tablet", "desktop", "tv" or "console".')
    browser: str | None = described("The browser's family.")
    os: str | None = described("The operating system's family.")
    country: str | None = described("The visitor's country, ISO 3166-1 alpha-2.")
    timestamp: datetime = described("When it happened.")
    received_at: datetime = described("When it arrived.")
    visitor: str = described("12 hex digits of a digest of the visitor's id.")
    session: str = described("12 hex digits of a digest of the session's id.")

    @classmethod
    def of(cls, event: entries.AcceptedEvent) -> "LiveEvent":
        return cls(
            event_id=strawberry.ID(event.event_id),
            type=event.type,
            name=event.name,
            item_id=None if event.item is None else strawberry.ID(event.item),
            page=event.page,
            source=event.source,
            device=event.device,
            browser=event.browser,
            os=event.os,
            country=event.country,
            timestamp=event.at,
            received_at=event.received_at,
            visitor=event.visitor,
            session=event.session,
        )


@strawberry.type(description="One entry of the event feed.")
class FeedEntry:
    kind: FeedEntryKind = described("What it is.")
    at: datetime = described("When the server put it into the feed.")
    event: LiveEvent | None = described("The event, of an entry of kind EVENT.")

    @classmethod
    def of(cls, entry: entries.FeedEntry) -> "FeedEntry":
        return cls(
            kind=entry.kind,
            at=entry.at,
            event=None if entry.event is None else LiveEvent.of(entry.event),
        )
