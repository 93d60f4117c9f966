"""The documents that Footfall stores, one a file."""

from app.schemas.api_key import ApiKey
from app.schemas.decision import Decision
from app.schemas.event import Event
from app.schemas.item import Item
from app.schemas.salt import Salt
from app.schemas.session_item import SessionItem
from app.schemas.site import Site

DOCUMENTS = (ApiKey, Decision, Event, Item, Salt, SessionItem, Site)

__all__ = [
    "DOCUMENTS",
    "ApiKey",
    "Decision",
    "Event",
    "Item",
    "Salt",
    "SessionItem",
    "Site",
]
