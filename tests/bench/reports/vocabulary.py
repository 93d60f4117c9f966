"""The words that made-up events are made of. Number 0 of a table with a None is "none of them"."""

from datetime import UTC, datetime, timedelta

from tests.bench.user_agents import USER_AGENTS

SITE = "demo"
SITE_CURRENCY = "EUR"

# The events lie in a little more than the range that is asked for, so that it cuts the first and the
# last of the quarter hours that rollups are made of.
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 90
LENGTH = timedelta(days=DAYS, minutes=30)

ITEMS = 10_000
VISITORS = 1_000_000
PAGES = 2_000
CAMPAIGNS = 40

TYPES = (
    "IMPRESSION",
    "VIEW",
    "PAGE_VIEW",
    "CLICK",
    "ENGAGEMENT",
    "CUSTOM",
    "CONVERSION",
    "BOUNCE",
)
# Of a hundred events that do not begin a session; of a hundred that do.
TYPE_SHARES = (71.95, 15.5, 4.2, 4.1, 2.2, 1.2, 0.55, 0.3)
FIRST_TYPE_SHARES = (55.0, 7.0, 36.0, 1.5, 0.0, 0.3, 0.2, 0.0)

# A user agent, and what of it is stored: device, browser, system.
AGENTS: tuple[tuple[str, str, str, str], ...] = (
    (USER_AGENTS[4], "desktop", "Chrome", "Windows"),
    (USER_AGENTS[9], "desktop", "Chrome", "Mac OS X"),
    (USER_AGENTS[14], "desktop", "Chrome", "Linux"),
    (USER_AGENTS[17], "desktop", "Edge", "Windows"),
    (USER_AGENTS[19], "desktop", "Opera", "Windows"),
    (USER_AGENTS[24], "mobile", "Chrome Mobile", "Android"),
    (USER_AGENTS[27], "mobile", "Samsung Internet", "Android"),
    (USER_AGENTS[31], "desktop", "Firefox", "Windows"),
    (USER_AGENTS[35], "desktop", "Firefox", "Ubuntu"),
    (USER_AGENTS[39], "desktop", "Safari", "Mac OS X"),
    (USER_AGENTS[45], "mobile", "Mobile Safari", "iOS"),
    (USER_AGENTS[49], "tablet", "Mobile Safari", "iOS"),
)
AGENT_SHARES = (22.0, 6.0, 2.0, 7.0, 2.0, 24.0, 6.0, 4.0, 1.0, 5.0, 18.0, 3.0)

# Language, time zone, screen and viewport, as browsers tell them.
LOCALES: tuple[tuple[str | None, str, str, str], ...] = (
    ("de-CH", "Europe/Zurich", "1920x1080", "1903x969"),
    ("de-DE", "Europe/Berlin", "1536x864", "1519x730"),
    ("en-GB", "Europe/London", "1440x900", "1425x789"),
    ("en-US", "America/New_York", "390x844", "390x664"),
    ("fr-FR", "Europe/Paris", "412x915", "412x785"),
    ("it-IT", "Europe/Rome", "360x800", "360x674"),
    ("ne-NP", "Asia/Kathmandu", "393x873", "393x743"),
    ("hi-IN", "Asia/Kolkata", "414x896", "414x715"),
    (None, "Etc/UTC", "1280x720", "1265x593"),
)
LOCALE_SHARES = (20.0, 24.0, 15.0, 12.0, 9.0, 7.0, 2.0, 6.0, 5.0)

REFERRERS: tuple[str | None, ...] = (
    None,
    "google.com",
    "bing.com",
    "duckduckgo.com",
    "facebook.com",
    "instagram.com",
    "news.example",
    "magazine.example",
    "forum.example",
    "partner-one.example",
    "partner-two.example",
)
REFERRER_SHARES = (38.0, 33.0, 5.0, 4.0, 6.0, 5.0, 3.0, 2.0, 2.0, 1.0, 1.0)

SOURCES: tuple[str | None, ...] = (
    None,
    "search",
    "category",
    "homepage",
    "related",
    "newsletter",
    "watchlist",
)
SOURCE_SHARES = (4.0, 44.0, 25.0, 12.0, 9.0, 4.0, 2.0)

CAMPAIGN_MEDIA = ("email", "cpc", "social", "display")
CAMPAIGN_SOURCES = ("newsletter", "google", "facebook", "partner", "instagram")
CAMPAIGN_SHARE = 0.22  # of the sessions

EXPERIMENT = "layout"
VARIANTS: tuple[str | None, ...] = (None, "control", "grid", "list")
VARIANT_SHARES = (40.0, 20.0, 20.0, 20.0)

NAMES: tuple[str | None, ...] = (None, "add_to_cart", "form_submit", "share", "zoom")
CURRENCIES = ("EUR", "USD")
CONVERSION_TYPES = ("purchase", "bid", "signup")

CATEGORIES: tuple[str | None, ...] = (
    *("lamps", "watches", "chairs", "posters", "vases", "rings", "maps", "cameras", "clocks"),
    *("prints", "books", "coins", "stamps", "carpets", "mirrors", "toys", "tools", "wine", "cars"),
    *("paintings", None),
)


def item_id(number: int) -> str:
    return f"lot-{number:05}"


def item_of_rank(rank: int) -> int:
    """The number of the item that is the most, second most, ... popular: any, so that ids are no rank."""
    return rank * 7_919 % ITEMS


def item_title(number: int) -> str:
    return f"Lot {number}"


def category_of(number: int) -> str | None:
    return CATEGORIES[number % len(CATEGORIES)] if is_catalogued(number) else None


def is_catalogued(number: int) -> bool:
    """Some items live in another system."""
    return number % 100 != 99


def page_of(number: int) -> str:
    return f"https://shop.example/{'search' if number % 3 else 'category'}/{number}"


def user_id(visitor: int) -> str | None:
    """Of ten visitors three have a user, and two of those are one user's, at home and at work."""
    return f"user-{visitor // 2}" if visitor % 10 < 3 else None


def campaign_fields(number: int) -> dict[str, str]:
    """The campaign of this number from 1 on, with its utm fields; some content and terms are not given."""
    fields = {
        "campaign": f"campaign-{number:02}",
        "utm_source": CAMPAIGN_SOURCES[number % len(CAMPAIGN_SOURCES)],
        "utm_medium": CAMPAIGN_MEDIA[number % len(CAMPAIGN_MEDIA)],
        "utm_campaign": f"spring-{number:02}",
    }
    if number % 2:
        fields["utm_content"] = f"banner-{number % 6}"
    if number % 3 == 0:
        fields["utm_term"] = f"term {number % 7}"
    return fields
