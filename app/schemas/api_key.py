"""A key of a site. Only its hash is stored."""

from datetime import datetime

from pydantic import Field
from pymongo import ASCENDING, IndexModel

from app.core.auth import Scope
from app.schemas.base import TextIdDocument

PUBLIC_ID_LENGTH = 16


class ApiKey(TextIdDocument):
    """`_id` is the SHA-256 of the key, hex: looking a key up is one read by `_id`."""

    site: str
    scope: Scope
    label: str
    # The first characters of the key, so that a person can tell which one this is.
    hint: str
    # Where browsers may use it from (core/origins.py); empty: from everywhere.
    allowed_origins: list[str] = Field(default_factory=list)
    # As core/rates.py has it, instead of the instance's settings.
    rate_limit: str | None = None
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    # In the future while a rotated key may still be used.
    revoked_at: datetime | None = None
    # How often another admin key was revoked because the site has this one.
    relied_on: int = 0

    class Settings:
        name = "api_keys"
        indexes = (IndexModel([("site", ASCENDING), ("created_at", ASCENDING)], name="by_site"),)

    @property
    def public_id(self) -> str:
        """What it is called: the first 64 bits of its hash, which tell nothing of the key."""
        return self.id[:PUBLIC_ID_LENGTH]

    def is_usable(self, now: datetime) -> bool:
        """Whether it opens anything now."""
        return not any(end is not None and end <= now for end in (self.revoked_at, self.expires_at))
