"""A site: one tenant, to which keys, items and events belong."""

from datetime import datetime

from pydantic import Field

from app.schemas.base import TextIdDocument


class Site(TextIdDocument):
    """`_id` is the site's short name: lower case letters, digits and hyphens."""

    name: str
    timezone: str = "UTC"
    currency: str
    consent_required: bool = False
    sample_one_in: int = 1
    session_ends_on_new_source: bool = False
    excluded_types: list[str] = Field(default_factory=list)
    excluded_items: list[str] = Field(default_factory=list)
    excluded_sources: list[str] = Field(default_factory=list)
    excluded_addresses: list[str] = Field(default_factory=list)
    created_at: datetime
    demo_filled_at: datetime | None = None

    class Settings:
        name = "sites"
        indexes = ()
