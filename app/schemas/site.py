"""A site: one tenant, to which keys, items and events belong."""

from datetime import datetime

from app.schemas.base import TextIdDocument


class Site(TextIdDocument):
    """`_id` is the site's short name: lower case letters, digits and hyphens."""

    name: str
    timezone: str = "UTC"
    currency: str
    created_at: datetime
    demo_filled_at: datetime | None = None

    class Settings:
        name = "sites"
        indexes = ()
