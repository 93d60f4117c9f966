"""What was done once to a database that an earlier version had filled."""

from datetime import datetime

from app.schemas.base import TextIdDocument


class Upgrade(TextIdDocument):
    """`_id` is what was done."""

    done_at: datetime

    class Settings:
        name = "upgrades"
        indexes = ()
