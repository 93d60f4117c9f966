"""The GraphQL types of item tokens."""

from datetime import datetime

import strawberry

from app.core.described import described
from app.schemas import ItemTokenSecret as SecretDocument


@strawberry.type(description="A new secret for signing item tokens. It is shown only now.")
class ItemTokenSecret:
    number: int = described("Its number, which tokens name. It stands in the secret as well.")
    secret: str = described(
        "The secret. Whoever has it can sign for every item of the site: keep it on servers."
    )
    previous_valid_until: datetime | None = described(
        "Until when tokens of the secret before are accepted; null where there was none."
    )

    @classmethod
    def of(cls, stored: SecretDocument) -> "ItemTokenSecret":
        previous = stored.previous
        return cls(
            number=stored.current.number,
            secret=stored.current.secret,
            previous_valid_until=None if previous is None else previous.valid_until,
        )


@strawberry.type(description="A token that lets a page track events of an item.")
class ItemToken:
    item_id: strawberry.ID = described("The item.")
    token: str = described("What events of the item carry as itemToken.")
    expires_at: datetime = described("From when on it is no longer accepted.")
