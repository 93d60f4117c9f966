"""The GraphQL types of API keys."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from app.core.auth import Scope
from app.core.described import described
from app.core.enums import graphql_enum
from app.modules.keys.attributes import MAX_LABEL, MAX_ORIGINS
from app.modules.keys.service import NewKey
from app.schemas import ApiKey as ApiKeyDocument


class KeyScope(StrEnum):
    WRITE = "WRITE"
    READ = "READ"
    ADMIN = "ADMIN"

    @property
    def scope(self) -> Scope:
        return Scope(self.value.lower())


graphql_enum(
    KeyScope,
    "What a key is for.",
    {
        "WRITE": "Browsers and apps: tracking mutations only. It may be public.",
        "READ": "Analysts: every query and subscription, no mutation.",
        "ADMIN": "Everything of its site.",
    },
)


@strawberry.type(description="An API key of the site, without the key itself, which is not stored.")
class ApiKey:
    id: strawberry.ID = described("Its id, with which it is changed, rotated and revoked.")
    label: str = described("A name to know it by.")
    scope: KeyScope = described("What it is for.")
    hint: str = described("Its first characters, to tell which one this is.")
    allowed_origins: list[str] = described(
        "Origins of the pages that may use it. Empty: it may be used from everywhere."
    )
    rate_limit: str | None = described(
        "How many events it may track, and how many queries it may ask. Null: what the instance's "
        "settings say."
    )
    created_at: datetime = described("When it was made.")
    last_used_at: datetime | None = described(
        "When it was used last, to the minute or so; null for a key that never was."
    )
    expires_at: datetime | None = described("When it ends by itself; null for never.")
    revoked_at: datetime | None = described(
        "When it was revoked. Of a rotated key that still has a grace, when that is over."
    )

    @classmethod
    def of(cls, document: ApiKeyDocument) -> "ApiKey":
        return cls(
            id=strawberry.ID(document.public_id),
            label=document.label,
            scope=KeyScope(document.scope.name),
            hint=document.hint,
            allowed_origins=document.allowed_origins,
            rate_limit=document.rate_limit,
            created_at=document.created_at,
            last_used_at=document.last_used_at,
            expires_at=document.expires_at,
            revoked_at=document.revoked_at,
        )


@strawberry.type(description="A new key. The key itself is shown here and never again.")
class CreatedKey:
    key: str = described("The key. Keep it: it is stored hashed and cannot be shown again.")
    api_key: ApiKey = described("What is known of it.")

    @classmethod
    def of(cls, new: NewKey) -> "CreatedKey":
        return cls(key=new.key, api_key=ApiKey.of(new.stored))


def _attribute(description: str) -> Any:
    """A field that is left as it is where it is not given."""
    return strawberry.field(default=strawberry.UNSET, description=description)


_LABEL = f"A name to know it by, 1 to {MAX_LABEL} printable characters."
_ORIGINS = (
    'Origins of the pages that may use it, such as "https://shop.example", at most '
    f"{MAX_ORIGINS}. With any, requests without an Origin header are FORBIDDEN as well: only browsers "
    "send one. Null or empty: it may be used from everywhere."
)
_RATE = (
    "How many events it may track in each process, and likewise how many queries it may ask, such as "
    '"6000/minute" (second, minute, hour, day) or "off" for any number. Null: what the instance\'s '
    "settings say."
)
_EXPIRY = "When it ends by itself. Null: never."


@strawberry.input(description="A key to make.")
class CreateKeyInput:
    scope: KeyScope = described("What it is for. It cannot be changed later.")
    label: str = described(_LABEL)
    allowed_origins: list[str] | None = _attribute(_ORIGINS)
    rate_limit: str | None = _attribute(_RATE)
    expires_at: datetime | None = _attribute(_EXPIRY)


@strawberry.input(description="What to change of a key; what is left out stays.")
class UpdateKeyInput:
    label: str | None = _attribute(_LABEL)
    allowed_origins: list[str] | None = _attribute(_ORIGINS)
    rate_limit: str | None = _attribute(_RATE)
    expires_at: datetime | None = _attribute(_EXPIRY)


def given_attributes(sent: CreateKeyInput | UpdateKeyInput) -> dict[str, Any]:
    """What was given, by the document's field; without the scope."""
    return {
        name: value
        for name, value in vars(sent).items()
        if value is not strawberry.UNSET and name != "scope"
    }
