"""The GraphQL types of tracking: what frontends and backend services send, and what they are told."""

import dataclasses
import decimal
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.core.scalars import Long
from app.modules.tracking.enums import EventType, Reason, Verdict
from app.modules.tracking.events import IncomingEvent, Outcome


def _field(description: str) -> Any:
    """An optional input field."""
    return strawberry.field(default=None, description=description)


@strawberry.input(description="A point in pixels from the left and top of the item or page.")
class PointInput:
    x: float = strawberry.field(description="Pixels from the left.")
    y: float = strawberry.field(description="Pixels from the top.")


@strawberry.input(description="Where in the viewport the item stood, in pixels.")
class ViewportInput:
    top: float = strawberry.field(description="Pixels from the viewport's top.")
    left: float = strawberry.field(description="Pixels from the viewport's left.")


@strawberry.input(
    description="What a tracking call carries. Item events (impression, view, click, engagement, "
    "bounce) need itemId; nothing else is required."
)
class TrackInput:
    id: strawberry.ID | None = _field(
        "UUID made by the caller, at most 128 characters: sending it again never counts twice."
    )
    item_id: strawberry.ID | None = _field(
        "The item. It need not be in the catalogue: items may live in another system."
    )
    session_id: strawberry.ID | None = _field(
        "The visit. Default: derived from site, address and user agent (and visitorId or userId, "
        "where given), by day."
    )
    visitor_id: strawberry.ID | None = _field(
        "The anonymous visitor. Default: derived from site, address and user agent (and userId, "
        "where given), by day."
    )
    user_id: strawberry.ID | None = _field("The caller's own user, where known.")
    timestamp: datetime | None = _field("When it happened. Default: when it arrived.")
    source: str | None = _field('Where the item was shown: "search", "homepage", ...')
    position: int | None = _field("Its rank there, from 1.")
    page_url: str | None = _field("The page. Query string and fragment are read, then dropped.")
    page_title: str | None = _field("The page's title.")
    referrer: str | None = _field("The page before. Only its domain is kept.")
    user_agent: str | None = _field(
        "The visitor's user agent. Default: the User-Agent header where a browser sent it. A backend "
        "service passes its visitor's; its own HTTP client is no reason for BOT."
    )
    language: str | None = _field('The visitor\'s language: "de-CH".')
    timezone: str | None = _field('The visitor\'s IANA time zone: "Europe/Zurich".')
    screen_resolution: str | None = _field('"1920x1080"')
    viewport_size: str | None = _field('"1280x720"')
    campaign_id: strawberry.ID | None = _field("The campaign that the item belongs to.")
    utm_source: str | None = _field("Default: utm_source in pageUrl.")
    utm_medium: str | None = _field("Default: utm_medium in pageUrl.")
    utm_campaign: str | None = _field("Default: utm_campaign in pageUrl.")
    utm_content: str | None = _field("Default: utm_content in pageUrl.")
    utm_term: str | None = _field("Default: utm_term in pageUrl.")
    engagement_duration: int | None = _field(
        "Milliseconds visible and focused, on a monotonic clock; at most 30 minutes."
    )
    scroll_depth: int | None = _field("The largest share of the page reached, percent, 0-100.")
    click_position: PointInput | None = _field("Where the click was.")
    viewport_position: ViewportInput | None = _field("Where in the viewport the item stood.")
    conversion_type: str | None = _field('"purchase", "bid", "signup", ...')
    conversion_value: decimal.Decimal | None = _field("What it was worth, in conversionCurrency.")
    conversion_currency: str | None = _field("ISO 4217. Default: the site's.")
    order_id: strawberry.ID | None = _field("The order. One order counts as one conversion.")
    experiment_id: strawberry.ID | None = _field("The experiment that the visitor is in.")
    variant: str | None = _field("The variant of it that the visitor saw.")
    consent_given: bool | None = _field("Whether the visitor agreed to be counted.")
    data_processing_consent: bool | None = _field(
        "Whether the visitor agreed to processing of the data."
    )
    consent_version: str | None = _field(
        "Which version of the text the visitor agreed to, at most 64 characters."
    )
    consent_purposes: list[str] | None = _field(
        'What the visitor agreed to: "analytics", "marketing", ...; at most 20 of 64 characters.'
    )
    properties: JSON | None = _field(
        "Anything else: a flat or shallow object, at most 10 KB and four levels deep."
    )
    honeypot: str | None = _field(
        "What stands in a form field that people cannot see. Anything in it is BOT; leave it out."
    )
    item_token: str | None = _field(
        "The token that the host's server signed for this item, at most 256 characters. Sites with "
        "requireItemToken want one with every event of an item; others do not look at it."
    )


@strawberry.input(description="TrackInput plus what kind of event it is.")
class EventInput(TrackInput):
    type: EventType = strawberry.field(description="What happened.")
    name: str | None = _field('What a CUSTOM event is called: "add_to_cart", "form_submit", ...')


@strawberry.input(description="1 to 1,000 events that are answered one by one.")
class BatchInput:
    batch_id: strawberry.ID | None = _field(
        "The caller's name for the batch; kept with its events."
    )
    sent_at: datetime | None = _field(
        "The caller's clock at the moment of this sending. Where it is off, the events' timestamps are "
        "corrected by the difference, and the caller's own are kept beside them."
    )
    events: list[EventInput] = strawberry.field(description="1 to 1,000 events.")


@strawberry.type(description="What became of one event.")
class TrackResult:
    verdict: Verdict = strawberry.field(description="Whether it was counted.")
    event_id: strawberry.ID = strawberry.field(
        description="The caller's id for it, else the one made."
    )
    reason: Reason | None = strawberry.field(description="Why not, where it was not counted.")
    message: str | None = strawberry.field(
        description="The same for a person, with the field's name."
    )

    @classmethod
    def of(cls, outcome: Outcome) -> "TrackResult":
        return cls(
            verdict=outcome.verdict,
            event_id=strawberry.ID(outcome.event_id),
            reason=outcome.reason,
            message=outcome.message,
        )


@strawberry.type(
    description="What became of a batch. results[i] answers events[i]; one bad event never sinks the "
    "others."
)
class BatchResult:
    accepted: int = strawberry.field(description="How many were counted.")
    duplicates: int = strawberry.field(description="How many another event stands for.")
    rejected: int = strawberry.field(description="How many were rejected.")
    results: list[TrackResult] = strawberry.field(description="One for each event, in their order.")

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> "BatchResult":
        verdicts = [outcome.verdict for outcome in outcomes]
        return cls(
            accepted=verdicts.count(Verdict.ACCEPTED),
            duplicates=verdicts.count(Verdict.DUPLICATE),
            rejected=verdicts.count(Verdict.REJECTED),
            results=[TrackResult.of(outcome) for outcome in outcomes],
        )


@strawberry.type(description="What cleanOldEvents deleted.")
class CleanupResult:
    events: Long = strawberry.field(description="Events deleted, of every type.")
    impressions: Long = strawberry.field(description="Impressions among them.")
    clicks: Long = strawberry.field(description="Clicks among them.")


_SHARED_FIELDS = tuple(
    field.name
    for field in dataclasses.fields(TrackInput)
    if field.name not in ("click_position", "viewport_position")
)


def incoming(event_type: EventType, sent: TrackInput) -> IncomingEvent:
    """The event that an input stands for, in the pipeline's own form."""
    event = IncomingEvent(event_type)
    for name in _SHARED_FIELDS:
        setattr(event, name, getattr(sent, name))
    if sent.click_position is not None:
        event.click_position = {"x": sent.click_position.x, "y": sent.click_position.y}
    if sent.viewport_position is not None:
        event.viewport_position = {
            "top": sent.viewport_position.top,
            "left": sent.viewport_position.left,
        }
    if isinstance(sent, EventInput):
        event.name = sent.name
    return event
