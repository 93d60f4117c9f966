"""Ids for rows that bring none: the same row of the same file has the same ids, whenever it is read.

What a file is called or how it is packed does not matter. It is known by how it begins: its header
and its first row. So it may grow at its end, and rows after the first may be mended, and what was
imported before is known again.
"""

import hashlib
import uuid
from datetime import datetime

from app.modules.tracking.events import IncomingEvent


def digest(*parts: str | bytes) -> bytes:
    """16 bytes. Lengths are digested too, so that no two lists of parts share one."""
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        hashed.update(len(data).to_bytes(4, "big") + data)
    return hashed.digest()


def row_id(site: str, file: bytes, line: int, content: bytes) -> str:
    """The id of a row: hexadecimal, from site, file, line and what the row says."""
    return digest("row", site, file, str(line), content).hex()


def event_id(row: str, event_type: str) -> str:
    """The id of the event of this type that a row stands for: a UUID."""
    return str(uuid.UUID(bytes=digest("event", row, event_type), version=5))


def complete_identity(event: IncomingEvent, site: str, row: str, now: datetime) -> None:
    """Fill in the session and the visitor that a row does not name.

    As for an event that a browser sends, a visitor (or user) without a session has one session a
    day; here it is the day on which the event happened, and nothing else than the row is needed to
    derive it, so that importing again derives the same. A row that names nobody is a session and a
    visitor of its own.
    """
    session_was_given = event.session_id
    known = event.visitor_id or event.user_id
    agent = event.user_agent or ""
    if not event.session_id:
        if known:
            day = (event.timestamp or now).strftime("%Y-%m-%d")
            event.session_id = _short("session", site, known, agent, day)
        else:
            event.session_id = _short("session", site, row)
    if not event.visitor_id:
        if event.user_id:
            event.visitor_id = _short("visitor", site, event.user_id, agent)
        else:
            event.visitor_id = _short("visitor", site, session_was_given or row)


def _short(what: str, *parts: str) -> str:
    """Ids that look like those that the tracking derives: `s_` or `v_` and 24 digits."""
    return f"{what[0]}_{digest(what, *parts).hex()[:24]}"
