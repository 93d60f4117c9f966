"""A session: what one session id did until it paused, derived from its events."""

from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from app.schemas.base import TextIdDocument

SESSION_TTL_INDEX = "session_retention"


class Session(TextIdDocument):
    """`_id` is `site:digest of (session id, start)`. Fields that a session does not have are absent.

    It is derived from all counted events of its session id and replaced whole, never counted up
    (modules/analytics/sessions/derivation.py). It is kept as long as its last event.
    """

    site: str
    session: str
    start: datetime
    last: datetime
    visitor: str
    user: str | None = None

    events: int
    page_views: int
    conversions: int
    # Distinct items of its impressions and views, and of its clicks.
    items_seen: int
    items_clicked: int
    bounced: bool

    entry_page: str | None = None
    exit_page: str | None = None
    referrer: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    device: str | None = None
    browser: str | None = None
    os: str | None = None

    # For how many it stands, where the site counted a sample of its visitors; absent: for itself.
    weight: int | None = None
    # Whether it was derived by the rule that a new source begins a new session.
    by_source: bool
    # Whether events of it were deleted before their time, so that it stays as it was derived last.
    is_final: bool | None = None

    class Settings:
        name = "sessions"
        indexes = (
            IndexModel(
                [("site", ASCENDING), ("start", DESCENDING), ("_id", DESCENDING)], name="by_start"
            ),
            IndexModel(
                [("site", ASCENDING), ("session", ASCENDING), ("start", ASCENDING)],
                name="by_session",
            ),
            IndexModel(
                [("site", ASCENDING), ("visitor", ASCENDING), ("start", ASCENDING)],
                name="by_visitor",
            ),
            IndexModel(
                [("site", ASCENDING), ("user", ASCENDING), ("start", ASCENDING)],
                name="by_user",
                partialFilterExpression={"user": {"$exists": True}},
            ),
            IndexModel(
                [("site", ASCENDING), ("by_source", ASCENDING), ("last", ASCENDING)],
                name="by_rule",
            ),
            IndexModel([("last", ASCENDING)], name=SESSION_TTL_INDEX, expireAfterSeconds=0),
        )
