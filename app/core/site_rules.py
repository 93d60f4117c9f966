"""What a site may choose of what is kept of its visitors: words that several parts share."""

from enum import StrEnum

from app.core.enums import graphql_enum


class TrackingLevel(StrEnum):
    """How much of an event is kept."""

    MINIMAL = "MINIMAL"
    STANDARD = "STANDARD"
    DETAILED = "DETAILED"


class PrivateData(StrEnum):
    """What is done with private data in texts, such as e-mail addresses."""

    CLEAN = "CLEAN"
    KEEP = "KEEP"


graphql_enum(
    TrackingLevel,
    "How much of an event is kept.",
    {
        "MINIMAL": "What counting needs, and nothing that tells one visitor from another by their device.",
        "STANDARD": "What reports group by, without what only describes the visitor's machine.",
        "DETAILED": "Everything that an event may carry.",
    },
)
graphql_enum(
    PrivateData,
    "What is done with e-mail addresses, tokens, card and telephone numbers in texts of events.",
    {
        "CLEAN": "They are removed before anything is stored.",
        "KEEP": "Texts are stored as they come.",
    },
)
