"""An accepted event: the truth that every report is computed from."""

from datetime import datetime
from typing import Any

from bson import Decimal128
from pydantic import ConfigDict
from pymongo import ASCENDING, IndexModel

from app.core.event_types import EventType
from app.schemas.base import TextIdDocument

__all__ = ["ORDER_INDEX", "TTL_INDEX", "Event", "EventType"]

TTL_INDEX = "retention"
ORDER_INDEX = "one_conversion_an_order"


class Event(TextIdDocument):
    """One accepted event. Fields that an event does not have are absent, not null.

    `_id` is `site:event id`, so that the caller's event id is the idempotency key of its site.
    Nothing here is an address or a user agent: those are read, and then dropped.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    site: str
    type: EventType
    name: str | None = None
    item: str | None = None
    session: str
    visitor: str
    user: str | None = None
    # When it happened; by the caller's own clock, where that was off; and when it arrived.
    at: datetime
    client_at: datetime | None = None
    received_at: datetime
    batch: str | None = None

    source: str | None = None
    position: int | None = None
    # The page's address without query string and fragment.
    page: str | None = None
    page_title: str | None = None
    # The referrer's domain.
    referrer: str | None = None
    device: str | None = None
    browser: str | None = None
    os: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    language: str | None = None
    timezone: str | None = None
    screen: str | None = None
    viewport: str | None = None

    campaign: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None

    # Milliseconds visible and focused; percent of the page reached.
    engagement: int | None = None
    scroll_depth: int | None = None
    click_position: dict[str, float] | None = None
    viewport_position: dict[str, float] | None = None

    conversion_type: str | None = None
    value: Decimal128 | None = None
    currency: str | None = None
    order: str | None = None

    experiment: str | None = None
    variant: str | None = None
    consent: bool | None = None
    processing_consent: bool | None = None
    # Which text was agreed to, and to what.
    consent_version: str | None = None
    consent_purposes: list[str] | None = None
    properties: dict[str, Any] | None = None

    # For how many it stands, where the site counted a sample of its visitors; absent: for itself.
    weight: int | None = None
    # Where an admin has withdrawn it: which void, when and why. It is stored, but not counted.
    void: dict[str, Any] | None = None

    class Settings:
        name = "events"
        indexes = (
            IndexModel([("site", ASCENDING), ("at", ASCENDING)], name="by_time"),
            IndexModel(
                [("site", ASCENDING), ("item", ASCENDING), ("at", ASCENDING)], name="by_item"
            ),
            IndexModel(
                [("site", ASCENDING), ("session", ASCENDING), ("at", ASCENDING)], name="by_session"
            ),
            IndexModel(
                [("site", ASCENDING), ("user", ASCENDING), ("at", ASCENDING)],
                name="by_user",
                partialFilterExpression={"user": {"$exists": True}},
            ),
            IndexModel(
                [("site", ASCENDING), ("experiment", ASCENDING), ("at", ASCENDING)],
                name="by_experiment",
                partialFilterExpression={"experiment": {"$exists": True}},
            ),
            IndexModel(
                [("site", ASCENDING), ("order", ASCENDING)],
                name=ORDER_INDEX,
                unique=True,
                partialFilterExpression={"type": "CONVERSION", "order": {"$exists": True}},
            ),
            IndexModel(
                [("site", ASCENDING), ("at", ASCENDING), ("weight", ASCENDING)],
                name="by_sample",
                partialFilterExpression={"weight": {"$exists": True}},
            ),
            IndexModel(
                [("site", ASCENDING), ("void.id", ASCENDING)],
                name="by_void",
                partialFilterExpression={"void.id": {"$exists": True}},
            ),
            IndexModel([("at", ASCENDING)], name=TTL_INDEX, expireAfterSeconds=0),
        )
