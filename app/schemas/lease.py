"""A lease: which process does what only one may do at a time."""

from datetime import datetime

from app.schemas.base import TextIdDocument


class Lease(TextIdDocument):
    """`_id` is what is leased. It is `holder`'s until `until`, by the database's clock."""

    holder: str
    until: datetime

    class Settings:
        name = "leases"
        indexes = ()
