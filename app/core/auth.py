"""API keys and what each may do."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import FootfallError, ForbiddenError, UnauthenticatedError


class Scope(StrEnum):
    """What a key is for. An admin key may do everything of its site, an owner's of every site."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"
    OWNER = "owner"


# The scopes of keys that are of a site.
SITE_SCOPES = (Scope.WRITE, Scope.READ, Scope.ADMIN)
# What stands for a site where a key is the owner's, of none: no site can be named so.
INSTANCE = "*"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: one key, and the site that it acts on.

    The instance's owner is an admin of the site that the request names, and of INSTANCE where it names
    none. `refusal` is why it may do nothing on a site, as when it names one that is not its own; a
    ForbiddenError holds for what is of no site as well.
    """

    site: str
    scope: Scope
    key_id: str
    is_owner: bool = False
    refusal: FootfallError | None = None
    label: str = ""
    # So much it may do, such as "6000/minute", instead of what the settings say.
    rate_limit: str | None = None

    def allows(self, needed: Scope) -> bool:
        """Whether a key of its scope may do what needs this one, on a site that it may act on."""
        if self.is_owner or needed is Scope.OWNER:
            return self.is_owner
        return self.scope in (needed, Scope.ADMIN)

    @property
    def forbidden(self) -> ForbiddenError | None:
        """Why its key may not be used in this request at all, not even for what is of no site."""
        return self.refusal if isinstance(self.refusal, ForbiddenError) else None

    @property
    def key_is_of(self) -> tuple[str, Scope]:
        """The site, or INSTANCE, and the scope that its key has in the database."""
        return (INSTANCE, Scope.OWNER) if self.is_owner else (self.site, self.scope)


def require(principal: Principal | None, needed: Scope) -> Principal:
    """The principal, if it may do what needs this scope.

    Raises UnauthenticatedError without a valid key, ForbiddenError with one of another scope, and where
    it cannot act on the site that the request names, why.
    """
    if principal is None:
        raise UnauthenticatedError(
            "A valid API key is needed, as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
        )
    if needed is Scope.OWNER:
        return _require_owner(principal)
    if principal.refusal is not None:
        raise principal.refusal
    if not principal.allows(needed):
        wanted = " or ".join(dict.fromkeys((needed.value, Scope.ADMIN.value)))
        raise ForbiddenError(
            f"This needs a key of scope {wanted}; the key given has scope {principal.scope.value}."
        )
    return principal


def _require_owner(principal: Principal) -> Principal:
    if not principal.is_owner:
        raise ForbiddenError(
            "This needs a key of the instance's owner; "
            f"the key given has scope {principal.scope.value}."
        )
    if principal.forbidden is not None:
        raise principal.forbidden
    return principal


def make_key(scope: Scope) -> str:
    """A new random key. Its prefix tells a person what it is for; 192 bits are random."""
    return f"ff_{scope.value}_{secrets.token_urlsafe(24)}"


def hash_key(key: str) -> str:
    """What is stored of a key, hex. Keys are random and long, so that a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
