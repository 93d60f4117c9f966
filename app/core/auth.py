"""API keys and what each may do."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import ForbiddenError, UnauthenticatedError


class Scope(StrEnum):
    """What a key is for. An admin key may do everything of its site."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: one key of one site."""

    site: str
    scope: Scope
    key_id: str

    def allows(self, needed: Scope) -> bool:
        return self.scope in (needed, Scope.ADMIN)


def require(principal: Principal | None, needed: Scope) -> Principal:
    """The principal, if it may do what needs this scope.

    Raises UnauthenticatedError without a valid key, ForbiddenError with one of another scope.
    """
    if principal is None:
        raise UnauthenticatedError(
            "A valid API key is needed, as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
        )
    if not principal.allows(needed):
        raise ForbiddenError(
            f"This needs a key of scope {needed.value} or admin; "
            f"the key given has scope {principal.scope.value}."
        )
    return principal


def make_key(scope: Scope) -> str:
    """A new random key. Its prefix tells a person what it is for; 192 bits are random."""
    return f"ff_{scope.value}_{secrets.token_urlsafe(24)}"


def hash_key(key: str) -> str:
    """What is stored of a key, hex. Keys are random and long, so that a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
