"""Origins of web pages, as browsers name them in the header Origin: `https://shop.example`."""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

# In a list of origins: every one.
ANY_ORIGIN = "*"
LONGEST_ORIGIN = 300
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(
    r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?|\[[0-9a-f:.]+\]"
)


@lru_cache(maxsize=1_000)
def parse_origin(text: str) -> str | None:
    """The origin as it is compared: `https://shop.example` for `HTTPS://Shop.example:443/`.

    Lower case, without the port that the scheme has anyway, without a slash at its end, names of other
    scripts as they are in the DNS. None for what is no origin of http or https, such as one with a path.
    """
    if len(text) > LONGEST_ORIGIN or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    beside = (parts.path.rstrip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in _DEFAULT_PORTS or not host or any(beside) or text.endswith(("?", "#")):
        return None
    name = _host_name(f"[{host}]" if ":" in host else host)
    if name is None:
        return None
    return f"{parts.scheme}://{name}" + (
        "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    )


def parse_origins(text: str) -> tuple[str, ...]:
    """Origins from a setting with commas between. Raises ValueError for what is none."""
    origins = [part.strip() for part in text.split(",") if part.strip()]
    parsed = [ANY_ORIGIN if origin == ANY_ORIGIN else parse_origin(origin) for origin in origins]
    if None in parsed:
        raise ValueError(
            'must be origins such as "https://shop.example" with commas between, or "*"'
        )
    return tuple(origin for origin in parsed if origin)


def allows_origin(allowed: Sequence[str], origin: str | None) -> bool:
    """Whether a page of this origin, None for none, is among those that `parse_origin` has read."""
    if ANY_ORIGIN in allowed:
        return True
    return origin is not None and parse_origin(origin) in allowed


def _host_name(host: str) -> str | None:
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return host if _HOST.fullmatch(host) else None
