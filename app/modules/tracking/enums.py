"""The enums of tracking as GraphQL shows them. Types import them from here, so that they are registered."""

from app.core.enums import graphql_enum
from app.core.event_types import EventType
from app.modules.tracking.events import Reason, Verdict

__all__ = ["EventType", "Reason", "Verdict"]

graphql_enum(
    Verdict,
    "What became of an event.",
    {
        "ACCEPTED": "Stored durably and counted.",
        "DUPLICATE": "Not counted: an event that is stored already stands for it.",
        "REJECTED": "Kept in the ledger with its reason, not counted.",
    },
)
graphql_enum(
    Reason,
    "Why an event was not counted.",
    {
        "REPLAYED": "An event with this id, or a conversion of this order, is stored already.",
        "COOLDOWN": "The same type, session and item within the cooldown.",
        "BOT": "The user agent is a crawler's or a script's.",
        "RATE_LIMITED": "Too many events from one address. Send it again later.",
        "NO_CONSENT": "The site needs consent and there is none.",
        "INVALID": "A field cannot be used; the message says which and why.",
        "TIMESTAMP": "Too far in the future, or older than the site keeps events.",
        "EXCLUDED": "The site's settings exclude it.",
        "SAMPLED_OUT": "The site counts a sample of its visitors, and this one is not in it.",
        "VOIDED": "It was counted, and an admin withdrew it.",
        "BAD_SIGNATURE": "The site wants events of items to carry an itemToken signed by its server, and "
        "this one has none that is valid now.",
    },
)
