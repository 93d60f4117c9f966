"""Item tokens: what one looks like, how it is signed, and what may be wrong with one.

    1.impression-click.1781606400.2.q0wcz9J3kYxVbZ4nTf7h1A
    |        |             |      |            |
    |        |             |      |            signature, base64url without padding
    |        |             |      number of the secret it was made with
    |        |             when it expires, in Unix seconds
    |        the event types that it is for, or "any"
    version

The signature is HMAC-SHA256 over the site, all other parts, the item and the session ("" for any), cut
to its first 128 bits: half of the hash, which RFC 2104 recommends as the least to keep. A forger has to
try 2^127 of them on a running server, and nothing shorter helps, because collisions do not break a MAC.
docs/item-tokens.md shows a host's side of it.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.event_types import EventType
from app.modules.tracking.events import IncomingEvent

VERSION = "1"
ANY = "any"
SIGNATURE_BYTES = 16
# None of the signed texts can have it (validation.py), so that no two lists of them join to the same.
SEPARATOR = "\0"
# Later than anybody needs; what expires after it was most likely counted in milliseconds.
LONGEST_SECONDS = 31 * 86_400

MISSING = "itemToken: is needed for an event of an item on this site"
WRONG = (
    "itemToken: is not signed for this event (its site, item, type and session) with a secret that "
    "counts now"
)
EXPIRED = "itemToken: has expired"
TOO_LONG = "itemToken: expires more than 31 days from now; its time must be in seconds"

_TOKEN = re.compile(r"1\.([a-z_-]{1,80})\.([0-9]{1,15})\.([0-9]{1,9})\.[A-Za-z0-9_-]{22}")


def kinds_text(types: Sequence[EventType]) -> str:
    """The event types as a token names them; "any" for none."""
    return "-".join(kind.value.lower() for kind in EventType if kind in types) or ANY


def make_token(
    secret: str,
    number: int,
    *,
    site: str,
    item: str,
    kinds: str,
    expires: int,
    session: str | None = None,
) -> str:
    """A token for an item, for one session where one is given. `expires` is in Unix seconds."""
    unsigned = f"{VERSION}.{kinds}.{expires}.{number}"
    return f"{unsigned}.{_signature(secret, unsigned, site, item, session)}"


def _signature(secret: str, unsigned: str, site: str, item: str, session: str | None) -> str:
    message = SEPARATOR.join((unsigned, site, item, session or ""))
    digest = hmac.digest(secret.encode(), message.encode(), "sha256")
    return urlsafe_b64encode(digest[:SIGNATURE_BYTES]).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """Checks the tokens of one request's events: its site, the secrets of now, and the time, in seconds."""

    site: str
    secrets: Mapping[int, str]
    now: float

    def problem(self, event: IncomingEvent, named_session: str | None) -> str | None:
        """What is wrong with the event's token; None where all is well or it has no item.

        `named_session` is the session that the caller named. Whether a token has expired is told only
        of one that is genuine.
        """
        if event.item_id is None:
            return None
        if event.item_token is None:
            return MISSING
        parts = _TOKEN.fullmatch(event.item_token)
        if parts is None or not self._is_signed(event.item_token, event.item_id, named_session):
            return WRONG
        kinds, expires = parts[1], int(parts[2])
        if kinds != ANY and event.type.value.lower() not in kinds.split("-"):
            return WRONG
        if expires <= self.now:
            return EXPIRED
        return TOO_LONG if expires > self.now + LONGEST_SECONDS else None

    def _is_signed(self, token: str, item: str, named_session: str | None) -> bool:
        """Whether it is signed for any session, or for the one that the event names.

        Texts are compared, not the bytes that they stand for: base64 has several texts for the same.
        """
        unsigned, _, given = token.rpartition(".")
        secret = self.secrets.get(int(unsigned.rpartition(".")[2]))
        if secret is None:
            return False
        return any(
            hmac.compare_digest(given, _signature(secret, unsigned, self.site, item, session))
            for session in (None, named_session)
        )
