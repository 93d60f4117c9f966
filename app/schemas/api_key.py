"""A key of a site. Only its hash is stored."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from app.core.auth import Scope
from app.schemas.base import TextIdDocument


class ApiKey(TextIdDocument):
    """`_id` is the SHA-256 of the key, hex: looking a key up is one read by `_id`."""

    site: str
    scope: Scope
    label: str
    # The first characters of the key, so that a person can tell which one this is.
    hint: str
    created_at: datetime
    revoked_at: datetime | None = None

    class Settings:
        name = "api_keys"
        indexes = (IndexModel([("site", ASCENDING), ("created_at", ASCENDING)], name="by_site"),)
