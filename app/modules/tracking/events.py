"""What goes through the tracking pipeline, apart from how it came (types.py) and how it is stored."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.schemas.event import EventType


class Verdict(StrEnum):
    """How an event ended."""

    ACCEPTED = "ACCEPTED"
    DUPLICATE = "DUPLICATE"
    REJECTED = "REJECTED"


class Reason(StrEnum):
    """Why an event was not counted."""

    REPLAYED = "REPLAYED"
    COOLDOWN = "COOLDOWN"
    BOT = "BOT"
    RATE_LIMITED = "RATE_LIMITED"
    NO_CONSENT = "NO_CONSENT"
    INVALID = "INVALID"
    TIMESTAMP = "TIMESTAMP"
    EXCLUDED = "EXCLUDED"
    SAMPLED_OUT = "SAMPLED_OUT"
    VOIDED = "VOIDED"
    BAD_SIGNATURE = "BAD_SIGNATURE"


@dataclass(slots=True)
class IncomingEvent:
    """An event as it was sent, not yet looked at. Names are the contract's, in Python's spelling."""

    type: EventType
    name: str | None = None
    id: str | None = None
    item_id: str | None = None
    session_id: str | None = None
    visitor_id: str | None = None
    user_id: str | None = None
    timestamp: datetime | None = None
    source: str | None = None
    position: int | None = None
    page_url: str | None = None
    page_title: str | None = None
    referrer: str | None = None
    user_agent: str | None = None
    language: str | None = None
    timezone: str | None = None
    screen_resolution: str | None = None
    viewport_size: str | None = None
    campaign_id: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    engagement_duration: int | None = None
    scroll_depth: int | None = None
    click_position: dict[str, float] | None = None
    viewport_position: dict[str, float] | None = None
    conversion_type: str | None = None
    conversion_value: Decimal | None = None
    conversion_currency: str | None = None
    order_id: str | None = None
    experiment_id: str | None = None
    variant: str | None = None
    consent_given: bool | None = None
    data_processing_consent: bool | None = None
    consent_version: str | None = None
    consent_purposes: list[str] | None = None
    properties: Any = None
    honeypot: str | None = None
    item_token: str | None = None
    # The timestamp by the caller's own clock, where that was off and `timestamp` is corrected.
    client_timestamp: datetime | None = None
    # Set where the event could not even be read: why.
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a request says of its events as a whole: its name, and the caller's clock at sending."""

    id: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one event. `message` is for a person: it names the field or the rule."""

    event_id: str
    verdict: Verdict
    reason: Reason | None = None
    message: str | None = None
    # The event that is counted instead of this one, for a duplicate.
    stands_for: str | None = None
    # What would be stored if an admin released it, for a valid event that was rejected.
    document: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(slots=True)
class Candidate:
    """An event that passed validation and screening: what would be stored, and its cooldown."""

    event_id: str
    document: dict[str, Any]
    # Whether the caller chose the id, so that it may have been sent before.
    id_is_callers: bool
    # The key of its session-item claim; None where the type has no cooldown.
    claim_key: str | None = None
    cooldown: float = 0.0
    outcome: Outcome | None = field(default=None)

    @property
    def at(self) -> datetime:
        at: datetime = self.document["at"]
        return at
