"""Who visits the demonstration shop: with which device, from where, in which language, by whose link."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Device:
    """A user agent as browsers send it, with a screen that goes with it, and how common it is."""

    user_agent: str
    screen: str
    viewport: str
    share: float


@dataclass(frozen=True, slots=True)
class Channel:
    """How somebody comes: referrer and campaign parameters, and how common it is."""

    share: float
    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaigns: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who comes once or often. `user_id` is there for those who log in."""

    id: str
    user_id: str | None
    device: Device
    language: str
    timezone: str
    variant: str


_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

DEVICES = (
    Device(f"{_WINDOWS} {_BLINK} Chrome/142.0.0.0 Safari/537.36", "1920x1080", "1903x969", 22),
    Device(f"{_WINDOWS} {_BLINK} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "1920x1080", "1887x953", 8),
    Device("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "1536x864", "1536x730", 5),
    Device(f"{_MAC} {_BLINK} Chrome/142.0.0.0 Safari/537.36", "1728x1117", "1728x992", 6),
    Device(f"{_MAC} {_WEBKIT} Version/18.6 Safari/605.1.15", "1512x982", "1512x860", 7),
    Device(f"Mozilla/5.0 (X11; Linux x86_64) {_BLINK} Chrome/142.0.0.0 Safari/537.36", "2560x1440", "2543x1329", 2),
    Device("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "1920x1200", "1920x1041", 1.5),
    Device(f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1", "393x852", "393x659", 19),
    Device(f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) {_WEBKIT} Version/17.7 Mobile/15E148 Safari/604.1", "390x844", "390x664", 6),
    Device(f"Mozilla/5.0 (Linux; Android 10; K) {_BLINK} Chrome/142.0.0.0 Mobile Safari/537.36", "412x915", "412x784", 14),
    Device(f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {_BLINK} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "360x780", "360x660", 4),
    Device("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "412x892", "412x750", 1),
    Device(f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) {_WEBKIT} Version/17.7 Mobile/15E148 Safari/604.1", "820x1180", "820x1106", 3.5),
    Device(f"Mozilla/5.0 (Linux; Android 14; SM-X710) {_BLINK} Chrome/142.0.0.0 Safari/537.36", "800x1280", "800x1180", 1),
)  # fmt: skip

BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    f"Mozilla/5.0 (X11; Linux x86_64) {_BLINK} HeadlessChrome/141.0.0.0 Safari/537.36",
    "python-requests/2.32.3",
)

CHANNELS = (
    Channel(26),
    Channel(24, "https://www.google.com/"),
    Channel(4, "https://www.bing.com/"),
    Channel(2, "https://duckduckgo.com/"),
    Channel(11, "https://www.google.com/", "google", "cpc", ("brand", "watches", "lighting"), ("auction", "vintage watch", "desk lamp")),
    Channel(12, None, "newsletter", "email", ("weekly", "last-bids", "autumn-catalogue")),
    Channel(7, "https://l.instagram.com/", "instagram", "social", ("jewellery-preview", "modern-design")),
    Channel(5, "https://www.facebook.com/", "facebook", "social", ("gifts", "free-delivery")),
    Channel(3, "https://www.pinterest.com/", "pinterest", "social", ("new-lighting",)),
    Channel(4, "https://www.collectors-weekly.example/", "collectors-weekly", "referral", ("partner",)),
    Channel(2, "https://news.example/"),
)  # fmt: skip

# Language, time zone, share.
_PLACES = (
    ("de-DE", "Europe/Berlin", 34),
    ("de-AT", "Europe/Vienna", 9),
    ("de-CH", "Europe/Zurich", 8),
    ("en-GB", "Europe/London", 16),
    ("fr-FR", "Europe/Paris", 11),
    ("nl-NL", "Europe/Amsterdam", 7),
    ("it-IT", "Europe/Rome", 6),
    ("en-US", "America/New_York", 6),
    ("ja-JP", "Asia/Tokyo", 1.5),
    ("hi-IN", "Asia/Kolkata", 1.5),
)


def logs_in(number: int) -> bool:
    """Two of seven visitors have an account; the first one does."""
    return number % 7 in (0, 1)


def make_visitor(seed: str, number: int) -> Visitor:
    """The visitor of this number: with the same seed always the same one."""
    random = Random(f"{seed}/visitor/{number}")
    language, timezone, _ = random.choices(_PLACES, [place[2] for place in _PLACES])[0]
    return Visitor(
        id=f"visitor-{number:05}",
        user_id=f"user-{number}" if logs_in(number) else None,
        device=random.choices(DEVICES, [device.share for device in DEVICES])[0],
        language=language,
        timezone=timezone,
        variant="A" if random.random() < 0.5 else "B",
    )
