"""Step 3: what a user agent, a referrer and a page's address say, kept; the rest dropped."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

import ua_parser

UTM_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
MAX_UTM_LENGTH = 256

_TABLET = re.compile(r"iPad|Tablet|PlayBook|Silk(?!.*Mobile)|Android(?!.*Mobile)", re.IGNORECASE)
_MOBILE = re.compile(r"Mobi|iPhone|iPod|Windows Phone|Opera Mini|BlackBerry", re.IGNORECASE)
_TELEVISION = re.compile(r"SMART-?TV|AppleTV|GoogleTV|HbbTV|BRAVIA|Roku|AFT[A-Z]", re.IGNORECASE)
_CONSOLE = re.compile(r"PlayStation|Xbox|Nintendo", re.IGNORECASE)
_DESKTOP_SYSTEMS = frozenset(
    {"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS"}
)


@dataclass(frozen=True, slots=True)
class Agent:
    """What a user agent tells: kind of device, browser family and operating system family."""

    device: str | None
    browser: str | None
    os: str | None


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page's address without query string and fragment, and the campaign parameters it had."""

    page: str
    utm: dict[str, str]


@lru_cache(maxsize=20_000)
def read_agent(user_agent: str) -> Agent:
    """Device, browser and system of a user agent. Source of browser and system: ua-parser."""
    parsed = ua_parser.parse(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else None
    os = parsed.os.family if parsed.os else None
    return Agent(_device(user_agent, os), _known(browser), _known(os))


def _device(user_agent: str, os: str | None) -> str | None:
    if _TELEVISION.search(user_agent):
        return "tv"
    if _CONSOLE.search(user_agent):
        return "console"
    if _TABLET.search(user_agent):
        return "tablet"
    if _MOBILE.search(user_agent):
        return "mobile"
    return "desktop" if os in _DESKTOP_SYSTEMS else None


def _known(family: str | None) -> str | None:
    return None if family in (None, "Other") else family


@lru_cache(maxsize=20_000)
def referrer_domain(referrer: str) -> str | None:
    """`https://www.Example.com/path?q` is `example.com`; a bare domain is itself; None for no domain."""
    text = referrer.strip()
    host = urlsplit(text if "//" in text else f"//{text}").hostname
    if not host or " " in host:
        return None
    host = host.rstrip(".").removeprefix("www.")
    return host[:253] or None


@lru_cache(maxsize=20_000)
def read_page(page_url: str) -> PageAddress:
    """The page, and `utm_*` parameters of its query string."""
    parts = urlsplit(page_url.strip())
    if parts.netloc:
        host = parts.netloc.rpartition("@")[2].lower()
        page = f"{parts.scheme.lower()}://{host}{parts.path or '/'}"
    else:
        page = parts.path or "/"
    utm: dict[str, str] = {}
    for key, value in parse_qsl(parts.query, max_num_fields=None):
        name = key.lower()
        if name in UTM_FIELDS and value.isprintable():
            utm.setdefault(name, value[:MAX_UTM_LENGTH])
    return PageAddress(page, utm)
