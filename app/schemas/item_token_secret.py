"""The secrets with which a site's servers sign item tokens."""

from datetime import datetime

from pydantic import BaseModel

from app.schemas.base import TextIdDocument


class NumberedSecret(BaseModel):
    """A secret and its number, which tokens name. `valid_until` is None for the current one."""

    number: int
    secret: str
    valid_until: datetime | None = None


class ItemTokenSecret(TextIdDocument):
    """`_id` is the site. Verifying a signature needs the secret itself, so that a hash will not do:
    whoever reads the database can sign. The previous one counts until its time.
    """

    site: str
    current: NumberedSecret
    previous: NumberedSecret | None = None
    rotated_at: datetime

    class Settings:
        name = "item_token_secrets"
        indexes = ()
