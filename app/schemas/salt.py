"""The salt of a day, with which visitors without an id are told apart for that day only."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from app.schemas.base import TextIdDocument


class Salt(TextIdDocument):
    """`_id` is the day, `2026-01-31`. It is deleted an hour after its end.

    For installations whose processes share no folder (FOOTFALL_SALT_DIR): the database's own log and
    backups keep it longer.
    """

    value: bytes
    expires_at: datetime

    class Settings:
        name = "salts"
        indexes = (IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),)
