"""A site: one tenant, to which keys, items and events belong."""

from datetime import datetime

from pydantic import Field

from app.core.origins import ANY_ORIGIN
from app.core.site_rules import PrivateData, TrackingLevel
from app.schemas.base import TextIdDocument


class Site(TextIdDocument):
    """`_id` is the site's short name: lower case letters, digits and hyphens."""

    name: str
    timezone: str = "UTC"
    currency: str
    # Origins of pages that may call the API from a browser, as core/origins.py reads them.
    allowed_origins: list[str] = Field(default_factory=lambda: [ANY_ORIGIN])
    consent_required: bool = False
    respect_do_not_track: bool = False
    tracking_level: TrackingLevel = TrackingLevel.STANDARD
    private_data: PrivateData = PrivateData.CLEAN
    keep_city: bool = False
    sample_one_in: int = 1
    require_item_token: bool = False
    session_ends_on_new_source: bool = False
    # Seconds; None: the instance's setting.
    impression_cooldown: float | None = None
    click_cooldown: float | None = None
    # Days that events are kept, by their type; others as long as the instance keeps them.
    retention: dict[str, int] = Field(default_factory=dict)
    excluded_types: list[str] = Field(default_factory=list)
    excluded_items: list[str] = Field(default_factory=list)
    excluded_sources: list[str] = Field(default_factory=list)
    excluded_addresses: list[str] = Field(default_factory=list)
    created_at: datetime
    archived_at: datetime | None = None
    demo_filled_at: datetime | None = None

    class Settings:
        name = "sites"
        indexes = ()
