"""The documents that Footfall stores, one a file."""

from app.schemas.admin_action import AdminAction
from app.schemas.api_key import ApiKey
from app.schemas.change import Change
from app.schemas.decision import Decision
from app.schemas.erasure import Erasure
from app.schemas.event import Event
from app.schemas.item import Item
from app.schemas.item_token_secret import ItemTokenSecret
from app.schemas.lease import Lease
from app.schemas.mark import Mark
from app.schemas.quarter_hour import QuarterHour
from app.schemas.rollup import Rollup
from app.schemas.salt import Salt
from app.schemas.session import Session
from app.schemas.session_item import SessionItem
from app.schemas.site import Site
from app.schemas.upgrade import Upgrade

DOCUMENTS = (
    AdminAction,
    ApiKey,
    Change,
    Decision,
    Erasure,
    Event,
    Item,
    ItemTokenSecret,
    Lease,
    Mark,
    QuarterHour,
    Rollup,
    Salt,
    Session,
    SessionItem,
    Site,
    Upgrade,
)

__all__ = [
    "DOCUMENTS",
    "AdminAction",
    "ApiKey",
    "Change",
    "Decision",
    "Erasure",
    "Event",
    "Item",
    "ItemTokenSecret",
    "Lease",
    "Mark",
    "QuarterHour",
    "Rollup",
    "Salt",
    "Session",
    "SessionItem",
    "Site",
    "Upgrade",
]
