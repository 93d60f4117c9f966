"""What can happen: the word that every part of Footfall shares."""

from enum import StrEnum

from app.core.enums import graphql_enum


class EventType(StrEnum):
    """What happened."""

    IMPRESSION = "IMPRESSION"
    VIEW = "VIEW"
    CLICK = "CLICK"
    CONVERSION = "CONVERSION"
    ENGAGEMENT = "ENGAGEMENT"
    BOUNCE = "BOUNCE"
    PAGE_VIEW = "PAGE_VIEW"
    CUSTOM = "CUSTOM"


graphql_enum(
    EventType,
    "What happened.",
    {
        "IMPRESSION": "The item was rendered: as late as possible, no prefetch or prerender.",
        "VIEW": "Viewable impression: at least half of the item's pixels (30% from 242,500 pixels) "
        "were in an in-focus tab for one continuous second.",
        "CLICK": "The user clicked the item.",
        "CONVERSION": "The user bought, bid or did whatever else is the goal.",
        "ENGAGEMENT": "How long the item was visible and focused, and how far the page was scrolled.",
        "BOUNCE": "The user left at once, as the caller judged it.",
        "PAGE_VIEW": "A page was shown.",
        "CUSTOM": "Anything else; it needs a name.",
    },
)
